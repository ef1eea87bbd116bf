"""Prints the links with which a new instance is entered."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import reverse

from accounts.actions import links
from accounts.actions.demo import DEMO_EMAIL
from accounts.models import User


class Command(BaseCommand):
    help = "Prints the first administrator's link, and with --demo the demo user's; older ones end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="with the demo user's link")

    def handle(self, *args: Any, **options: Any) -> None:
        if links.needs_first_admin():
            self._print("Make the first administrator (once)", "first_admin", links.FIRST_ADMIN)
        if not options["demo"]:
            links.withdraw(links.DEMO)
        elif User.objects.active().local().with_email(DEMO_EMAIL).exists():
            self._print("Look around as the demo user", "demo", links.DEMO)

    def _print(self, what: str, page: str, purpose: str) -> None:
        server = settings.CONFIG.server
        scheme = "https" if server.tls_enabled else "http"
        base = server.public_url or f"{scheme}://localhost:{server.port}"
        self.stdout.write(f"{what}:\n  {base}{reverse(page, args=[links.new_link(purpose)])}")
