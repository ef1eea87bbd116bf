"""People of identity providers: what a provider says of them, kept at every sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actions.invitation import accept_for
from accounts.actions.session import lock_person
from accounts.models import ANY_PROVIDER, Group, GroupMember, User
from tmi.lib.errors import FieldError, ValidationFailed
from tmi.lib.text import strip_controls

MOST_GROUPS = 200


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a provider said at this sign-in; `groups` as it came, which may be anything."""

    provider: str
    name: str
    email: str
    email_verified: bool
    groups: Any = None
    access_token: str | None = None
    refresh_token: str | None = None
    token_expiry: datetime | None = None


def describe(user: User, *, name: str, email: str) -> None:
    """Gives a row the name and the address, as far as they fit."""
    user.email = email[:254]
    user.name = strip_controls(name, multiline=False).strip()[:200] or user.email.split("@", 1)[0]


@transaction.atomic
def create_person(user: User, claimed: Claimed) -> User:
    """The row of a person who came for the first time. Raises ValidationFailed."""
    if not claimed.email:
        raise ValidationFailed([], _("The provider did not tell an email address, which is needed."))
    describe(user, name=user.name, email=claimed.email)
    user.email_verified = claimed.email_verified
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise ValidationFailed(
            [FieldError(name, text) for name, texts in error.message_dict.items() for text in texts],
            _("What the provider said of this person cannot be used."),
        ) from None
    user.save(force_insert=True)
    if user.email_verified:
        accept_for(user)
    _audit(user, "create", {"provider": (None, user.provider)})
    return user


@transaction.atomic
def signed_in(user: User, claimed: Claimed) -> None:
    """Brings tokens, address and groups up to what the provider says now."""
    if user.provider == claimed.provider:
        _keep_row(user, claimed)
    refresh_groups(user, claimed.provider, claimed.groups)


@transaction.atomic
def linked(user: User, claimed: Claimed) -> None:
    """A further identity of the person, who was signed in when they proved it."""
    _audit(user, "link_identity", {"provider": (None, claimed.provider)})
    refresh_groups(user, claimed.provider, claimed.groups)


@transaction.atomic
def unlinked(user: User, provider: str) -> None:
    """The identity opens the account no more, and its groups are gone with it."""
    _audit(user, "unlink_identity", {"provider": (provider, None)})
    refresh_groups(user, provider, [])


@transaction.atomic
def address_changed(user: User, *, is_proved: bool) -> None:
    """A person chose another of their addresses; what counts for an address counts for a proved one alone."""
    held = lock_person(user.pk) or user
    User.objects.filter(pk=user.pk).update(email_verified=is_proved, modified_at=timezone.now())
    # Which address it is stands in the row, and goes with it.
    _audit(user, "update", {"email": (None, "changed"), "email_verified": (held.email_verified, is_proved)})


def refresh_groups(user: User, provider: str, claim: Any) -> None:
    """Makes the person's groups of a provider those of its claim; no claim at all changes nothing."""
    if claim is None or provider == ANY_PROVIDER:
        return
    names = group_names(claim)
    left = GroupMember.objects.filter(user=user, group__provider=provider).exclude(
        group__group_name__in=names
    )
    for member in left.select_related("group"):
        member.delete()
        _audit(user, "leave_group", {"group": (member.group.group_name, None)})
    now = timezone.now()
    for name in names:
        group, _made = Group.objects.get_or_create(
            provider=provider, group_name=name, defaults={"usage_count": 0}
        )
        _member, joined = GroupMember.objects.get_or_create(group=group, user=user)
        if joined:
            _audit(user, "join_group", {"group": (None, name)})
        Group.objects.filter(pk=group.pk).update(usage_count=F("usage_count") + 1, last_used=now)


def group_names(claim: Any) -> list[str]:
    """The names in a claim: a list of texts, or one text; what is no name of a group is left out."""
    listed = [claim] if isinstance(claim, str) else claim if isinstance(claim, list) else []
    names = dict.fromkeys(one.strip() for one in listed if isinstance(one, str))
    usable = [name for name in names if name and len(name) <= 200 and is_one_line(name)]
    return usable[:MOST_GROUPS]


def is_one_line(text: str) -> bool:
    return strip_controls(text, multiline=False) == text


def _keep_row(user: User, claimed: Claimed) -> None:
    before = (user.email, user.email_verified)
    if claimed.email and len(claimed.email) <= 254:
        user.email, user.email_verified = claimed.email, claimed.email_verified
    user.access_token, user.token_expiry = claimed.access_token, claimed.token_expiry
    user.refresh_token = claimed.refresh_token or user.refresh_token
    user.modified_at = timezone.now()
    user.save(
        update_fields=[
            "email",
            "email_verified",
            "access_token",
            "refresh_token",
            "token_expiry",
            "modified_at",
        ]
    )
    if before != (user.email, user.email_verified):
        changes: audit.Changes = {"email_verified": (before[1], user.email_verified)}
        if before[0] != user.email:
            changes = {"email": (None, "changed"), **changes}
        _audit(user, "update", changes)


def _audit(user: User, action: str, changes: audit.Changes) -> None:
    audit.write(entity_type="user", entity_id=user.pk, action=action, actor=user, changes=changes)
