from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from accounts import sign_in
        from tmi.lib import rows

        rows.connect()
        sign_in.connect()
