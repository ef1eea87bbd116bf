from django.apps import AppConfig


class ThreatModelsConfig(AppConfig):
    name = "threatmodels"
    verbose_name = "Threat models"
