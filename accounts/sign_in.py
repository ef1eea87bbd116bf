"""What Django's own sign-in and sign-out mean here: a sign-in session begins or ends.

Django's signals are the one place that every way in passes: the sign-in page, links, tests, the admin site.
"""

from __future__ import annotations

from typing import Any

from allauth.account.signals import email_added, email_changed, email_confirmed, email_removed
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from allauth.socialaccount.signals import social_account_added, social_account_removed
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest

from accounts import audit, mfa
from accounts.actions import identity
from accounts.actions.session import end_session, start_session
from accounts.middleware import SIGN_IN
from accounts.models import SignInSession, User
from tmi.address import client_address
from tmi.lib.ids import NO_ID, parse_id


def begin(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    session = start_session(
        user, address=client_address(request), user_agent=request.headers.get("User-Agent", "")
    )
    request.session[SIGN_IN] = str(session.pk)
    request.sign_in_session = session  # type: ignore[attr-defined]


def end(sender: Any, request: HttpRequest, **_: Any) -> None:
    pk = parse_id(request.session.get(SIGN_IN)) or NO_ID
    held = SignInSession.objects.select_related("user").filter(pk=pk).first()
    if held is not None:
        end_session(held)


def linked(sender: Any, request: HttpRequest, sociallogin: Any, **_: Any) -> None:
    account = sociallogin.account
    # A person who had to prove themselves once more in between brings nothing but the name of the provider.
    nothing = identity.Claimed(account.provider, "", "", email_verified=False)
    identity.linked(sociallogin.user, getattr(sociallogin, "claimed", nothing))


def unlinked(sender: Any, request: HttpRequest, socialaccount: Any, **_: Any) -> None:
    identity.unlinked(socialaccount.user, socialaccount.provider)


def factor_added(sender: Any, request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
    _audit_factor(user, "add_factor", (None, authenticator.type))
    if authenticator.type == Authenticator.Type.TOTP:
        # The code that set up the app has been used by that.
        mfa.use_code(user, request.POST.get("code", ""))


def factor_removed(sender: Any, request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
    _audit_factor(user, "remove_factor", (authenticator.type, None))


def factor_reset(sender: Any, request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
    _audit_factor(user, "reset_factor", (authenticator.type, authenticator.type))


def address_changed(
    sender: Any, request: HttpRequest, user: User, from_email_address: Any, to_email_address: Any, **_: Any
) -> None:
    identity.address_changed(user, is_proved=to_email_address.verified)


def address_confirmed(sender: Any, request: HttpRequest, email_address: Any, **_: Any) -> None:
    _audit_address(email_address.user, "confirm_email")


def address_added(sender: Any, request: HttpRequest, user: User, email_address: Any, **_: Any) -> None:
    _audit_address(user, "add_email")


def address_removed(sender: Any, request: HttpRequest, user: User, email_address: Any, **_: Any) -> None:
    _audit_address(user, "remove_email")


def _audit_address(user: User, action: str) -> None:
    """Without the address, which would outlive the account here."""
    audit.write(entity_type="user", entity_id=user.pk, action=action, actor=user)


def _audit_factor(user: User, action: str, change: tuple[str | None, str | None]) -> None:
    audit.write(entity_type="user", entity_id=user.pk, action=action, actor=user, changes={"type": change})


def connect() -> None:
    email_changed.connect(address_changed, dispatch_uid="accounts.sign_in.address_changed")
    email_confirmed.connect(address_confirmed, dispatch_uid="accounts.sign_in.address_confirmed")
    email_added.connect(address_added, dispatch_uid="accounts.sign_in.address_added")
    email_removed.connect(address_removed, dispatch_uid="accounts.sign_in.address_removed")
    authenticator_added.connect(factor_added, dispatch_uid="accounts.sign_in.factor_added")
    authenticator_removed.connect(factor_removed, dispatch_uid="accounts.sign_in.factor_removed")
    authenticator_reset.connect(factor_reset, dispatch_uid="accounts.sign_in.factor_reset")
    social_account_added.connect(linked, dispatch_uid="accounts.sign_in.linked")
    social_account_removed.connect(unlinked, dispatch_uid="accounts.sign_in.unlinked")
    user_logged_in.connect(begin, dispatch_uid="accounts.sign_in.begin")
    user_logged_out.connect(end, dispatch_uid="accounts.sign_in.end")
