"""Leaving: what a person takes along, and what becomes of what they had."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actions.session import end_all_sessions
from accounts.models import LOCAL, AuditEntry, ClientCredential, GroupMember, KeptAnswer, SignInSession, User
from threatmodels.export import document_of
from threatmodels.interchange.registry import WRITERS
from threatmodels.models import AccessInvitation, ThreatModel, ThreatModelAccess, Webhook
from tmi.lib.errors import Conflict
from tmi.lib.json import encode

MOST_ENTRIES = 100_000
# What a person has that nobody else needs, by its `user`.
OWN: tuple[Any, ...] = (
    SocialAccount,
    EmailAddress,
    Authenticator,
    GroupMember,
    KeptAnswer,
    Webhook,
    SignInSession,
)


def shared_models_of(user: User) -> list[ThreatModel]:
    """Models of the person that others use: they are handed over before the account goes.

    Those that can still be restored are among them; they are restored first.
    """
    used = ThreatModelAccess.objects.exclude(user=user).values("threat_model")
    invited = AccessInvitation.objects.values("threat_model")
    owned = ThreatModel.objects.filter(owner=user).order_by("name", "pk")
    return list(owned.filter(pk__in=used) | owned.filter(pk__in=invited))


@transaction.atomic
def delete_account(user: User) -> None:
    """The person is gone: their own models, identities, factors, groups, roles and sign-ins with them.

    The row stays without anything that tells who it was: what the person did in models of others stays too,
    where the history keeps the name under which they did it, and no address.
    Raises Conflict while they own models that others use.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    # Whoever shares one of them meanwhile waits, and then finds nothing to share.
    owned = list(ThreatModel.objects.select_for_update().filter(owner=user).order_by("pk"))
    if shared_models_of(user):
        raise Conflict("Threat models that others use are handed over first.")
    audit.write(entity_type="user", entity_id=user.pk, action="delete", actor=user, changes={})
    end_all_sessions(user)
    audit.write_all(
        audit.entry(
            entity_type=ThreatModel.kind,
            entity_id=model.pk,
            threat_model_id=model.pk,
            action="purge",
            actor=user,
            changes={"name": (model.name, None)},
        )
        for model in owned
    )
    ThreatModel.objects.filter(pk__in=[model.pk for model in owned]).delete()
    ThreatModelAccess.objects.filter(user=user).delete()
    if user.email_verified:
        # An address that is only claimed may be somebody else's, and so may what was shared with it.
        AccessInvitation.objects.filter(email__iexact=user.email).delete()
    for kind in OWN:
        kind.objects.filter(user=user).delete()
    ClientCredential.objects.filter(owner=user).delete()
    _forget(user)


def _forget(user: User) -> None:
    user.email, user.name = f"{user.pk}@deleted.invalid", "Deleted account"
    user.provider, user.provider_user_id = LOCAL, str(user.pk)
    user.email_verified = user.is_active = user.is_admin = False
    user.access_token = user.refresh_token = user.token_expiry = None
    user.preferences = {}
    user.modified_at = timezone.now()
    user.set_unusable_password()
    user.save()


def export_account(user: User) -> bytes:
    """A ZIP of everything that is kept about the person, and of the models that they own."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _files(user):
            archive.writestr(name, content if isinstance(content, bytes) else encode(content))
    return packed.getvalue()


def _files(user: User) -> Any:
    yield "profile.json", _profile(user)
    sessions = SignInSession.objects.filter(user=user).order_by("created_at")
    columns = ("id", "created_at", "last_seen", "expires_at", "ended_at", "address", "user_agent")
    yield "sign_ins.json", [_plain(row) for row in sessions.values(*columns)]
    entries = AuditEntry.objects.filter(actor=user).order_by("created_at", "pk")
    told = ("created_at", "entity_type", "entity_id", "threat_model_id", "action", "changes")
    yield "history.json", [_plain(row) for row in entries.values(*told)[:MOST_ENTRIES]]
    roles = ThreatModelAccess.objects.filter(user=user).values("threat_model_id", "role", "created_at")
    yield "roles.json", [_plain(row) for row in roles]
    for model in ThreatModel.objects.filter(owner=user, deleted_at=None).select_related("owner"):
        safe = re.sub(r"[^A-Za-z0-9]+", "-", model.name).strip("-")[:60]
        yield f"threat_models/{safe or 'model'}-{model.pk}.json", WRITERS["tmi"](document_of(model))


def _profile(user: User) -> dict[str, Any]:
    columns = ("id", "email", "name", "provider", "email_verified", "created_at", "last_login", "preferences")
    return _plain({name: getattr(user, name) for name in columns}) | {
        "groups": list(GroupMember.objects.filter(user=user).values_list("group__group_name", flat=True)),
        "identities": list(SocialAccount.objects.filter(user=user).values("provider", "uid", "extra_data")),
        "second_factors": list(Authenticator.objects.filter(user=user).values_list("type", flat=True)),
        "webhooks": list(Webhook.objects.filter(user=user).values_list("url", flat=True)),
        "client_credentials": list(user.client_credentials.values_list("name", flat=True)),
    }


def _plain(row: Any) -> Any:
    """As JSON has it; keys of a mapping that are no text become one."""
    if isinstance(row, dict):
        return {str(name): _plain(value) for name, value in row.items()}
    if isinstance(row, list | tuple | set | frozenset):
        return [_plain(value) for value in row]
    return audit.storable(row)
