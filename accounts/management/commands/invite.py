"""Invites somebody to make an account."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from accounts.actions.invitation import invite
from accounts.mail import absolute_url, send_invitation
from tmi.lib.errors import ValidationFailed


class Command(BaseCommand):
    help = "Invites an address: by mail where mail is configured, else by a link that is printed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made, secret = invite(options["email"], actor=None)
        except ValidationFailed as error:
            raise CommandError(" ".join(f"{e.field}: {e.reason}" for e in error.errors)) from None
        link = absolute_url(None, reverse("invitation", args=[secret]))
        if not settings.CONFIG.mail.host:
            self.stdout.write(link)
            return
        try:
            send_invitation(made.email, link, at_once=True)
        except OSError as error:
            self.stdout.write(link)
            raise CommandError(f"The mail was not sent: {error}. Hand this link on.") from None
        self.stdout.write(f"Invited {made.email} by mail.")
