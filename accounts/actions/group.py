"""Groups that are made here, and who belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import ANY_PROVIDER, Group, GroupMember, User
from tmi.lib.errors import Conflict, FieldError, NotFound, PermissionDenied, ValidationFailed


@transaction.atomic
def create_group(*, actor: User, **fields: Any) -> Group:
    """Raises Conflict for a name that is taken, ValidationFailed."""
    made = Group(**fields)
    _check(made)
    _save(made, force_insert=True)
    _audit(made, "create", actor, {name: (None, value) for name, value in fields.items()})
    return made


@transaction.atomic
def update_group(group: Group, *, actor: User, changes: Mapping[str, Any]) -> Group:
    """Raises PermissionDenied for the group of everyone, NotFound, Conflict, ValidationFailed."""
    _refuse_everyone(group)
    locked = Group.objects.select_for_update(no_key=True).filter(pk=group.pk).first()
    if locked is None:
        raise NotFound
    group = locked
    if group.provider != ANY_PROVIDER and changes.get("group_name", group.group_name) != group.group_name:
        raise Conflict("A provider gave this group its name.", details={"field": "group_name"})
    changed = {name: (getattr(group, name), value) for name, value in changes.items()}
    for name, value in changes.items():
        setattr(group, name, value)
    _check(group)
    changed = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
    if changed:
        _save(group, update_fields=list(changed))
    _audit(group, "update", actor, changed)
    return group


@transaction.atomic
def delete_group(group: Group, *, actor: User) -> None:
    """Its members lose the roles that they have by it."""
    _refuse_everyone(group)
    _audit(group, "delete", actor, {"group_name": (group.group_name, None)})
    group.delete()


@transaction.atomic
def add_member(group: Group, *, user: User, actor: User) -> GroupMember:
    """Raises Conflict where the person is a member already, or a provider says who is."""
    _refuse_everyone(group)
    _refuse_claimed(group)
    member, made = GroupMember.objects.get_or_create(group=group, user=user, defaults={"added_by": actor})
    if not made:
        raise Conflict("This person is a member already.", details={"field": "user_id"})
    _audit(group, "add_member", actor, {"user_id": (None, user.pk)})
    return member


@transaction.atomic
def remove_member(group: Group, *, user_id: Any, actor: User) -> None:
    """Raises NotFound where the person is no member, Conflict where a provider says who is."""
    _refuse_claimed(group)
    deleted, _rows = GroupMember.objects.filter(group=group, user=user_id).delete()
    if not deleted:
        raise NotFound
    _audit(group, "remove_member", actor, {"user_id": (user_id, None)})


def _refuse_everyone(group: Group) -> None:
    if group.is_everyone:
        raise PermissionDenied("The group of everyone cannot be changed.")


def _refuse_claimed(group: Group) -> None:
    if group.provider != ANY_PROVIDER:
        raise Conflict("A provider says who is in this group.")


def _save(group: Group, **how: Any) -> None:
    try:
        with transaction.atomic():
            group.save(**how)
    except IntegrityError:
        raise Conflict("There is a group of this name already.", details={"field": "group_name"}) from None


def _check(group: Group) -> None:
    try:
        group.clean_fields()
    except ValidationError as error:
        raise ValidationFailed(
            FieldError(name, text) for name, texts in error.message_dict.items() for text in texts
        ) from None


def _audit(group: Group, action: str, actor: User, changes: audit.Changes) -> None:
    audit.write(entity_type="group", entity_id=group.pk, action=action, actor=actor, changes=changes)
