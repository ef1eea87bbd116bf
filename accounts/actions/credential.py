"""Client credentials: how a program signs in on behalf of a person."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.actions.session import end_sessions_of
from accounts.models import ClientCredential, User
from accounts.tokens import fingerprint, new_secret
from tmi.lib.errors import FieldError, ValidationFailed

MOST_CREDENTIALS = 50


@transaction.atomic
def create_credential(
    *, owner: User, name: str, expires_at: datetime | None = None
) -> tuple[ClientCredential, str]:
    """A credential and its secret, which is shown this once. Raises ValidationFailed."""
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationFailed.of("expires_at", "This time has passed.")
    if owner.client_credentials.count() >= MOST_CREDENTIALS:
        raise ValidationFailed.of("", f"A person has at most {MOST_CREDENTIALS} client credentials.")
    secret = new_secret()
    made = ClientCredential(
        owner=owner,
        client_id=f"tmi_{new_secret()[:22]}",
        secret_hash=fingerprint(secret),
        name=name,
        expires_at=expires_at,
    )
    try:
        made.clean_fields(exclude={"owner"})
    except ValidationError as error:
        raise ValidationFailed(
            FieldError(field, text) for field, texts in error.message_dict.items() for text in texts
        ) from None
    made.save(force_insert=True)
    _audit(made, "create", owner, {"name": (None, name)})
    return made, secret


@transaction.atomic
def delete_credential(credential: ClientCredential, *, actor: User) -> None:
    """The credential is worth nothing from now on; sign-ins that it made end with their tokens."""
    end_sessions_of(credential=credential)
    _audit(credential, "delete", actor, {"name": (credential.name, None)})
    credential.delete()


def credential_of(client_id: str, secret: str) -> ClientCredential | None:
    """The usable credential with this id and secret, its owner loaded; notes that it was used."""
    now = timezone.now()
    found = (
        ClientCredential.objects.select_related("owner")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now), client_id=client_id, is_active=True)
        .filter(secret_hash=fingerprint(secret), owner__is_active=True)
        .first()
    )
    if found is not None:
        ClientCredential.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def _audit(credential: ClientCredential, action: str, actor: User, changes: audit.Changes) -> None:
    audit.write(
        entity_type="client_credential",
        entity_id=credential.pk,
        action=action,
        actor=actor,
        changes=changes,
    )
