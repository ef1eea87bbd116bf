"""What allauth asks this project."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit, throttle
from accounts.actions.session import end_all_sessions, lock_person
from accounts.models import User
from tmi.address import client_address
from tmi.lib.errors import DomainError


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # untyped package
    """Local accounts: who may sign up, how names and addresses are kept, how guessing is slowed down."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.CONFIG.auth.local.signup == "open")

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        saved: User = super().save_user(request, user, form, commit=False)
        saved.name = saved.name or saved.email.split("@", 1)[0]
        # Without mail nobody can prove an address, so none counts as proved.
        saved.email_verified = False
        if commit:
            saved.save()
        return saved

    def set_password(self, user: User, password: str) -> None:
        """Whoever knew the old one is signed out; the person who changes it stays."""
        with transaction.atomic():
            # The row first: a sign-in by the old password that comes now waits, and then is refused.
            lock_person(user.pk)
            user.modified_at = timezone.now()
            super().set_password(user, password)
            end_all_sessions(user, but=getattr(self.request, "sign_in_session", None))
            audit.write(entity_type="user", entity_id=user.pk, action="set_password", actor=user, changes={})

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        confirmed = bool(super().confirm_email(request, email_address))
        if confirmed and email_address.user.email.lower() == email_address.email.lower():
            User.objects.filter(pk=email_address.user_id).update(
                email_verified=True, modified_at=timezone.now()
            )
        return confirmed

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        self.slow_down(request, credentials.get("email", ""))

    def slow_down(self, request: HttpRequest, account: str) -> None:
        """Raises forms.ValidationError where the account or the address must wait, and notes how long."""
        try:
            throttle.check(account, client_address(request))
        except DomainError as error:
            request.sign_in_wait = error.headers["Retry-After"]  # type: ignore[attr-defined]
            raise self.validation_error("too_many_login_attempts") from error

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        user: User | None = super().authenticate(request, **credentials)
        if user is not None:
            throttle.succeeded(credentials.get("email", ""))
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        throttle.failed(credentials.get("email", ""))
