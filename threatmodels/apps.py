from django.apps import AppConfig


class ThreatModelsConfig(AppConfig):
    name = "threatmodels"
    verbose_name = "Threat models"

    def ready(self) -> None:
        from threatmodels import outbox
        from tmi.lib import events

        events.record_with(outbox.record)
