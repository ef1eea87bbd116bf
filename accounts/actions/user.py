"""Making and changing accounts."""

from __future__ import annotations

from collections.abc import Iterable

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.actions.session import end_all_sessions, lock_person
from accounts.models import Group, GroupMember, User
from tmi.lib.errors import FieldError, ValidationFailed
from tmi.lib.json import encode
from tmi.lib.text import odd_text

MOST_PREFERENCES = 16 * 1024
TAKEN = "A local account with this email address exists already."


@transaction.atomic
def create_local_user(
    *,
    email: str,
    name: str = "",
    password: str | None = None,
    is_admin: bool = False,
    actor: User | None = None,
) -> User:
    """A local account with a verified address; without a password it cannot sign in by one.

    Raises ValidationFailed for a bad or taken address, or a weak password.
    """
    email = email.strip()
    user = User(
        email=email,
        name=name.strip() or email.split("@", 1)[0],
        email_verified=True,
        is_admin=is_admin,
        provider_user_id="-",
    )
    user.provider_user_id = str(user.pk)
    _set_password(user, password)
    _check(user)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        # Somebody made the same one since `_check` looked.
        raise ValidationFailed.of("email", TAKEN) from None
    EmailAddress.objects.create(user=user, email=email.lower(), verified=True, primary=True)
    _audit(user, "create", actor, {"is_admin": (None, is_admin)})
    return user


@transaction.atomic
def change_name(user: User, *, name: str, actor: User | None) -> User:
    """Gives a person another name. Raises ValidationFailed."""
    before, user.name = user.name, name
    _check(user)
    if before != name:
        _save(user, "name")
        _audit(user, "update", actor, {"name": (before, name)})
    return user


def set_preferences(user: User, preferences: object) -> None:
    """Replaces the preferences: a JSON object of at most 16 KiB. Raises ValidationFailed."""
    if not isinstance(preferences, dict):
        raise ValidationFailed.of("", "A JSON object is expected.")
    if (place := odd_text(preferences)) is not None:
        raise ValidationFailed.of(place, "Control characters other than tab and newline are not allowed.")
    if len(encode(preferences)) > MOST_PREFERENCES:
        raise ValidationFailed.of("", f"At most {MOST_PREFERENCES} bytes.")
    user.preferences = preferences
    _save(user, "preferences")


@transaction.atomic
def set_admin(user: User, *, is_admin: bool, actor: User | None = None) -> None:
    before, user.is_admin = user.is_admin, is_admin
    if before != is_admin:
        _save(user, "is_admin")
        _audit(user, "update", actor, {"is_admin": (before, is_admin)})


@transaction.atomic
def set_password(user: User, password: str, *, actor: User | None = None) -> None:
    """Sets a password and signs the person out everywhere. Raises ValidationFailed for a weak one."""
    _set_password(user, password)
    lock_person(user.pk)
    _save(user, "password")
    end_all_sessions(user)
    _audit(user, "set_password", actor, {})


@transaction.atomic
def set_active(user: User, *, is_active: bool, actor: User) -> None:
    """Opens or closes an account; closing it signs the person out everywhere."""
    before, user.is_active = user.is_active, is_active
    if before == is_active:
        return
    _save(user, "is_active")
    if not is_active:
        end_all_sessions(user)
    _audit(user, "update", actor, {"is_active": (before, is_active)})


@transaction.atomic
def join_groups(user: User, names: Iterable[str], *, actor: User | None = None) -> None:
    """Makes the person a member of groups by name; groups that are missing are made here.

    Raises ValidationFailed for what is no name of a group.
    """
    for given in names:
        name = given.strip()
        _check_group(name)
        group, _made = Group.objects.get_or_create(provider="*", group_name=name)
        _member, joined = GroupMember.objects.get_or_create(
            group=group, user=user, defaults={"added_by": actor}
        )
        if joined:
            _audit(user, "join_group", actor, {"group": (None, name)})


def _check_group(name: str) -> None:
    try:
        Group(group_name=name).clean_fields()
    except ValidationError as error:
        raise ValidationFailed(FieldError("group", text) for text in error.messages) from None


def _save(user: User, *fields: str) -> None:
    user.modified_at = timezone.now()
    user.save(update_fields=[*fields, "modified_at"])


def _set_password(user: User, password: str | None) -> None:
    if password is None:
        user.set_unusable_password()
        return
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationFailed(FieldError("password", text) for text in error.messages) from None
    user.set_password(password)


def _check(user: User) -> None:
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise ValidationFailed(
            FieldError("email" if name == "__all__" else name, text)
            for name, texts in error.message_dict.items()
            for text in texts
        ) from None


def _audit(user: User, action: str, actor: User | None, changes: audit.Changes) -> None:
    audit.write(entity_type="user", entity_id=user.pk, action=action, actor=actor, changes=changes)
