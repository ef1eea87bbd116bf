"""Makes a local account, for scripts."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.actions.user import change_name, create_local_user, join_groups, set_admin, set_password
from accounts.models import User
from tmi.lib.errors import ValidationFailed


class Command(BaseCommand):
    help = "Makes a local account, or completes the one that is there, and prints its internal_uuid."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")
        parser.add_argument("--admin", action="store_true", help="may use the admin site")
        parser.add_argument("--group", action="append", default=[], help="may be repeated; made when missing")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from stdin")

    def handle(self, *args: Any, **options: Any) -> None:
        password = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else None
        try:
            self.stdout.write(str(self._ensure(options, password).pk))
        except ValidationFailed as error:
            reasons = " ".join(f"{e.field}: {e.reason}" for e in error.errors)
            raise CommandError(reasons) from None

    @transaction.atomic
    def _ensure(self, options: dict[str, Any], password: str | None) -> User:
        user: User | None = User.objects.local().with_email(options["email"]).first()
        if user is None:
            user = create_local_user(
                email=options["email"], name=options["name"], password=password, is_admin=options["admin"]
            )
        elif password is not None and not user.check_password(password):
            set_password(user, password)
        if options["name"].strip() and user.name != options["name"].strip():
            change_name(user, name=options["name"].strip(), actor=None)
        if options["admin"]:
            set_admin(user, is_admin=True)
        join_groups(user, options["group"])
        return user
