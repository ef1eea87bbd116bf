"""Invitations to make an account: by a link that works once."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actions.user import create_local_user
from accounts.models import SignUpInvitation, User
from accounts.tokens import fingerprint, new_secret
from tmi.lib.errors import FieldError, NotFound, ValidationFailed

LIFETIME = timedelta(days=14)


@transaction.atomic
def invite(email: str, *, actor: User | None) -> tuple[SignUpInvitation, str]:
    """An invitation and the secret of its link; earlier ones to the address end. Raises ValidationFailed."""
    secret = new_secret()
    made = SignUpInvitation(
        email=email.strip(),
        secret_hash=fingerprint(secret),
        invited_by=actor,
        expires_at=timezone.now() + LIFETIME,
    )
    try:
        made.full_clean(exclude=["invited_by"])
    except ValidationError as error:
        raise ValidationFailed(
            FieldError(field, text) for field, texts in error.message_dict.items() for text in texts
        ) from None
    SignUpInvitation.objects.open().for_email(email).delete()
    made.save(force_insert=True)
    _audit(made, "invite", actor)
    return made, secret


def invitation_of(secret: str) -> SignUpInvitation:
    """The open invitation of a link. Raises NotFound."""
    found = SignUpInvitation.objects.open().filter(secret_hash=fingerprint(secret)).first()
    if found is None:
        raise NotFound("This link is not valid any more.")
    return found


@transaction.atomic
def sign_up(secret: str, *, name: str, password: str) -> User:
    """The account of whoever holds the link; of many who try at once one succeeds.

    Raises NotFound where the invitation is used or over, ValidationFailed.
    """
    invitation = invitation_of(secret)
    if not SignUpInvitation.objects.open().filter(pk=invitation.pk).update(used_at=timezone.now()):
        raise NotFound("This link is not valid any more.")
    user = create_local_user(email=invitation.email, name=name, password=password)
    _audit(invitation, "accept", user)
    return user


def is_invited(email: str) -> bool:
    return SignUpInvitation.objects.open().for_email(email).exists()


def accept_for(user: User) -> None:
    """The invitations to the proved address of a person who came by a provider are used."""
    for invitation in SignUpInvitation.objects.open().for_email(user.email):
        SignUpInvitation.objects.filter(pk=invitation.pk).update(used_at=timezone.now())
        _audit(invitation, "accept", user)


@transaction.atomic
def withdraw(invitation: SignUpInvitation, *, actor: User) -> None:
    _audit(invitation, "withdraw", actor)
    invitation.delete()


def _audit(invitation: SignUpInvitation, action: str, actor: User | None) -> None:
    audit.write(
        entity_type="sign_up_invitation",
        entity_id=invitation.pk,
        action=action,
        actor=actor,
        # Whoever accepts it has a row, with which their address goes.
        changes={} if action == "accept" else {"email": (None, invitation.email)},
    )
