"""Threat models with one of everything, and everybody who could ask for it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from accounts.actions.credential import create_credential
from accounts.actions.group import create_group
from accounts.actions.session import start_session
from accounts.models import EVERYONE_ID, Group, GroupMember, User
from collaboration.actions.session import join_session
from tests.conftest import make_user, with_factor
from threatmodels.actions.access import Grant, grant_access
from threatmodels.actions.diagram import create_diagram
from threatmodels.actions.metadata import Entity, add_metadata
from threatmodels.actions.record import create_record
from threatmodels.actions.threat_model import create_threat_model, update_threat_model
from threatmodels.models import (
    Asset,
    Document,
    Note,
    Record,
    Repository,
    SuggestionDecision,
    Threat,
    ThreatModel,
    Webhook,
    WebhookDelivery,
)
from threatmodels.roles import Role

PAIR = [("k", "v")]


@dataclass
class Furnished:
    """A model; `ids` are the parameters of its routes, those of parts by their plural."""

    threat_model: ThreatModel
    parts: dict[str, Record]
    ids: dict[str, str]


def furnish(owner: User, name: str) -> Furnished:
    """A model of the owner's with one of everything that a route can name."""
    model = create_threat_model(actor=owner, name=name)
    common: dict[str, Any] = {"threat_model": model, "actor": owner}
    cell = {
        "id": str(uuid.uuid4()),
        "type": "process",
        "properties": {"label": "Till"},
        "position": {"x": 0, "y": 0},
        "size": {"width": 100, "height": 60},
    }
    diagram = create_diagram(**common, name="Overview", cells=[cell])
    parts: dict[str, Record] = {
        "diagrams": diagram,
        "assets": create_record(Asset, **common, name="Cards", type="data"),
        "threats": create_record(Threat, **common, name="Forged"),
        "documents": create_record(Document, **common, name="Plan", uri="https://example.org/"),
        "notes": create_record(Note, **common, name="Minutes", content="We met."),
        "repositories": create_record(Repository, **common, name="shop", uri="https://example.org/r.git"),
    }
    entities = [("threat_model", model.pk), ("cell", uuid.UUID(cell["id"]))]
    entities += [(part.kind, part.pk) for part in parts.values()]
    for kind, pk in entities:
        add_metadata(Entity(model, kind, pk), actor=owner, pairs=PAIR)
    update_threat_model(model, actor=owner, changes={"status": "Approved"})
    invitation = grant_access(
        model, actor=owner, grant=Grant("reader", email=f"{uuid.uuid4().hex}@example.org")
    )
    decision = SuggestionDecision.objects.create(
        threat_model=model,
        diagram=diagram,
        cell_id=cell["id"],
        category="Spoofing",
        verdict="not_applicable",
        reason="x",
    )
    hook = Webhook.objects.create(
        user=owner,
        threat_model=model,
        url="https://hooks.example.org/",
        events=["note.created"],
        secret="x" * 32,
        challenge="y",
        status="active",
    )
    delivery = WebhookDelivery.objects.create(
        webhook=hook, event_id=uuid.uuid4(), event="webhook.ping", payload={}
    )
    join_session(diagram, user=owner, role=Role.OWNER, base_url="http://testserver")
    entry = model.audit_entries.get(action="update")
    ids = {
        "model": str(model.pk),
        "cell_id": cell["id"],
        "access": str(invitation.pk),
        "history": str(entry.pk),
        "decision_id": str(decision.pk),
        "webhook_id": str(hook.pk),
        "delivery_id": str(delivery.pk),
        "key": "k",
        "sequence_number": "1",
        **{plural: str(part.pk) for plural, part in parts.items()},
    }
    return Furnished(model, parts, ids)


@dataclass
class Actor:
    """Somebody who asks; `rank` is their role on the model that they ask for, None when not signed in."""

    name: str
    user: User | None
    rank: int | None
    at: Furnished


@dataclass
class World:
    """`shared` is everybody's subject; `open` is shared with everyone; all in it own `theirs`."""

    shared: Furnished
    open: Furnished
    theirs: Furnished
    actors: list[Actor]
    ids: dict[str, str] = field(default_factory=dict)


def make_world() -> World:
    names = ("owner", "writer", "reader", "member", "outsider", "visitor", "gone")
    people = {name: make_user(name) for name in names}
    admin = with_factor(make_user("admin", is_admin=True))
    owner = people["owner"]
    shared, opened = furnish(owner, "Canary shop"), furnish(owner, "Canary shop for all")
    team = create_group(actor=admin, group_name="team")
    GroupMember.objects.create(group=team, user=people["member"])
    everyone = Group.objects.get(pk=EVERYONE_ID)
    for grant in (
        Grant("writer", user=people["writer"]),
        Grant("reader", user=people["reader"]),
        Grant("writer", user=people["gone"]),
        Grant("writer", group=team),
    ):
        grant_access(shared.threat_model, actor=owner, grant=grant)
    grant_access(opened.threat_model, actor=owner, grant=Grant("reader", group=everyone))
    theirs = furnish(people["outsider"], "Theirs")
    for person in (owner, people["writer"], people["reader"], people["member"], people["visitor"], admin):
        grant_access(theirs.threat_model, actor=people["outsider"], grant=Grant("owner", user=person))
    credential, _secret = create_credential(owner=owner, name="CI")
    actors = [
        Actor("anonymous", None, None, shared),
        Actor("outsider", people["outsider"], 0, shared),
        Actor("reader", people["reader"], 1, shared),
        Actor("writer", people["writer"], 2, shared),
        Actor("owner", owner, 3, shared),
        Actor("group member", people["member"], 2, shared),
        Actor("everyone", people["visitor"], 1, opened),
        Actor("deactivated", people["gone"], None, shared),
        Actor("administrator", admin, 0, shared),
    ]
    ids = {
        "session_id": str(start_session(owner).pk),
        "credential_id": str(credential.pk),
        "group_id": str(team.pk),
        "user_id": str(people["member"].pk),
        "secret": "nonsense",
        "schema": "Threat",
    }
    return World(shared, opened, theirs, actors, ids)


def delete_model(where: Furnished) -> None:
    ThreatModel.objects.filter(pk=where.threat_model.pk).update(deleted_at=timezone.now())


def delete_parts(where: Furnished) -> None:
    for part in where.parts.values():
        type(part)._default_manager.filter(pk=part.pk).update(deleted_at=timezone.now())
