"""Encrypts what is encrypted at rest anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actions.encryption import rotate


class Command(BaseCommand):
    help = "Encrypts everything under the first of auth.encryption_keys; then the older keys may be removed."

    def handle(self, *args: Any, **options: Any) -> None:
        done = rotate()
        self.stdout.write(f"{done.renewed} encrypted anew, {done.present} were under the first key already.")
        if done.lost:
            raise CommandError(f"{done.lost} values are under no configured key: keep the older keys.")
