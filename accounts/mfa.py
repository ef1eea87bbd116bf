"""Second factors: TOTP, recovery codes, passkeys and security keys."""

from __future__ import annotations

from typing import Any

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings
from django.db import transaction

from accounts.models import User
from tmi.lib.crypto import decrypt, encrypt
from tmi.lib.errors import DomainError


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # untyped package
    """Keeps the secrets of second factors encrypted."""

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        text = decrypt(encrypted_text)
        if text is None:
            raise ValueError("No configured key fits the secret of a second factor.")
        return text


def is_enabled(user: Any) -> bool:
    """Whether the person has any second factor."""
    return bool(MfaAdapter().is_mfa_enabled(user))


def may_administer(user: Any) -> bool:
    """Whether the admin site is open to this administrator."""
    return not settings.CONFIG.auth.admins_need_mfa or is_enabled(user)


@transaction.atomic
def use_code(user: User, code: str) -> Authenticator | None:
    """The factor that the code is of; the code is used now. Of many who try it at once one succeeds."""
    held = Authenticator.objects.select_for_update().filter(user=user)
    typed = held.exclude(type=Authenticator.Type.WEBAUTHN).order_by("pk")
    return next((factor for factor in typed if _uses(factor, code)), None)


def _uses(factor: Authenticator, code: str) -> bool:
    """A code of an app counts once, and no older one after it (RFC 6238, 5.2)."""
    if factor.type != Authenticator.Type.TOTP:
        return bool(factor.wrap().validate_code(code))
    secret, used = decrypt(factor.data["secret"]), factor.data.get("last_step", -1)
    for step in yield_hotp_counters_from_time():
        fits = secret and compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step)))
        if fits and step > used:
            factor.data["last_step"] = step
            factor.save(update_fields=["data"])
            return True
    return False


def wanted(user: User) -> DomainError:
    """What somebody is told who came without the code."""
    typed = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN).exists()
    reason = "A code is needed." if typed else "This account needs a passkey, which only browsers have."
    return DomainError(
        "This account has a second factor.",
        code="AUTHENTICATION_REQUIRED",
        details={"field": "otp", "reason": reason},
    )
