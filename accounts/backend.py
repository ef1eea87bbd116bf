"""Who a password opens an account to."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend

from accounts.models import User


class LocalPasswords(AuthenticationBackend):  # type: ignore[misc]  # untyped package
    """The local account of an address; what a provider claims of the same address is not asked."""

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        user: User | None = User.objects.local().with_email(email).first()
        checked: User | None = self._check_password(user, password)
        return checked
