"""Shows the configuration that counts, without its secrets."""

from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Prints the effective configuration as YAML; secrets are masked."""

    help = "Prints the effective configuration as YAML with secrets masked."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        text = yaml.safe_dump(settings.CONFIG.masked(), sort_keys=False, allow_unicode=True)
        self.stdout.write(text, ending="")
