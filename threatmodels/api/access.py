"""/threat_models/{id}/access"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import SignedInViewSet
from accounts.api.group import visible_to as visible_groups
from accounts.models import Group
from threatmodels import access
from threatmodels.actions import access as actions
from threatmodels.actions.access import Entry, Grant
from threatmodels.api.serializers import AccessEntrySerializer, ListedAccessSerializer, RoleSerializer
from threatmodels.models import AccessInvitation, ThreatModel
from threatmodels.roles import Role
from tmi.api.bodies import merge_patch
from tmi.api.errors import checked, in_turn
from tmi.api.pagination import whole_list
from tmi.api.parse import JsonPatchParser, MergePatchParser, StrictJSONParser
from tmi.api.serializers import Json
from tmi.lib.errors import FieldError, NotFound, PermissionDenied, ValidationFailed
from tmi.lib.ids import NO_ID, parse_id
from tmi.lib.json import read_back


class AccessViewSet(SignedInViewSet):
    """Who else has a role. Everybody with a role reads the list, owners change it."""

    serializer_class = AccessEntrySerializer
    parser_classes = (StrictJSONParser, MergePatchParser, JsonPatchParser)
    schema_tags = ("access",)

    def threat_model(self, at_least: Role = Role.READER) -> ThreatModel:
        return access.get_threat_model(self.actor, self.kwargs["threat_model_id"], at_least=at_least)

    def list(self, request: Request, **_: Any) -> Response:
        return self.answer_entries(self.threat_model())

    def create(self, request: Request, **_: Any) -> Response:
        threat_model = self.threat_model(Role.OWNER)
        made = actions.grant_access(
            threat_model, actor=self.actor, grant=grant_from(request.data, self.groups(threat_model))
        )
        location = request.build_absolute_uri(f"{request.path}/{made.pk}")
        return self.answer(shown(made), 201, {"Location": location})

    @extend_schema(
        operation_id="threat_models_access_replace",
        request=ListedAccessSerializer(many=True),
        responses=AccessEntrySerializer(many=True),
    )
    def replace(self, request: Request, **_: Any) -> Response:
        """Makes these the only entries; what GET gave can be sent back, with other roles."""
        threat_model = self.threat_model(Role.OWNER)
        if not isinstance(request.data, list):
            raise ValidationFailed.of("", "A list of entries is expected.")
        present = {str(entry.pk): entry for entry in access.entries_of(threat_model)}
        groups = self.groups(threat_model)
        grants = in_turn(request.data, lambda item: _listed_grant(item, present, groups))
        actions.replace_access(threat_model, actor=self.actor, grants=grants)
        return self.answer_entries(threat_model)

    @extend_schema(request=RoleSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        threat_model = self.threat_model(Role.OWNER)
        entry = self.entry(threat_model)
        role = checked(RoleSerializer(data=merge_patch(request, shown(entry))))["role"]
        return self.answer(
            shown(actions.change_access(threat_model, actor=self.actor, entry=entry, role=role))
        )

    def destroy(self, request: Request, **_: Any) -> Response:
        threat_model = self.threat_model()
        entry = self.entry(threat_model)
        own = getattr(entry, "user_id", None) == self.actor.pk
        if not own and access.role_of(threat_model) < Role.OWNER:
            raise PermissionDenied("Only an owner may remove other people.")
        actions.revoke_access(threat_model, actor=self.actor, entry=entry)
        return self.no_content()

    def entry(self, threat_model: ThreatModel) -> Entry:
        pk = parse_id(self.kwargs["entry_id"]) or NO_ID
        found: Entry | None = (
            threat_model.access_entries.select_related("user", "group").filter(pk=pk).first()
            or threat_model.invitations.filter(pk=pk).first()
        )
        if found is None:
            raise NotFound
        return found

    def groups(self, threat_model: ThreatModel) -> QuerySet[Group]:
        """The groups that the caller may name: others would tell who belongs to them."""
        present = threat_model.access_entries.exclude(group=None).values("group")
        return visible_groups(self.actor) | Group.objects.filter(pk__in=present)

    def answer_entries(self, threat_model: ThreatModel) -> Response:
        entries = [shown(entry) for entry in access.entries_of(threat_model)]
        return self.answer_list(entries, whole_list(len(entries)))


def shown(entry: Entry) -> Json:
    """An entry of the API; an invitation shows the address alone, whoever has it."""
    common = {
        "id": entry.pk,
        "role": entry.role,
        "granted_by_id": entry.granted_by_id,
        "created_at": entry.created_at,
    }
    if isinstance(entry, AccessInvitation):
        subject = {"subject_type": "user", "user_id": None, "group_id": None, "email": entry.email}
        return {**common, **subject, "display_name": entry.email, "pending": True}
    return {
        **common,
        "subject_type": entry.subject_type,
        "user_id": entry.user_id,
        "group_id": entry.group_id,
        "email": entry.user.email if entry.user else None,
        "display_name": str(entry.user or entry.group),
        "pending": False,
    }


def grant_from(data: Any, groups: QuerySet[Group]) -> Grant:
    """A checked grant from a body, to a person or to one of `groups`; raises ValidationFailed."""
    fields = checked(AccessEntrySerializer(data=data))
    given = {name: value for name, value in fields.items() if value is not None}
    role, wanted = given.pop("role"), given.pop("subject_type", None)
    grant = _subject(given, role, groups)
    if wanted and wanted != ("group" if grant.group else "user"):
        raise ValidationFailed.of("subject_type", "This does not fit the subject that is given.")
    return grant


def _listed_grant(data: Any, present: Mapping[str, Entry], groups: QuerySet[Group]) -> Grant:
    """As `grant_from`; an item with an id stands for that entry, of which only the role may be another."""
    if not isinstance(data, dict) or "id" not in data:
        return grant_from(data, groups)
    entry = present.get(str(data["id"]).lower())
    if entry is None:
        raise ValidationFailed.of("id", "There is no such entry; leave the id out to add one.")
    now = shown(entry)
    changed = [
        FieldError(name, "Only the role of an entry can be changed.")
        for name, value in data.items()
        if name in now and name not in ("id", "role") and value != read_back(now[name])
    ]
    if changed:
        raise ValidationFailed(changed)
    left = {name: value for name, value in data.items() if name == "role" or name not in now}
    return Grant(checked(RoleSerializer(data=left))["role"], entry_id=entry.pk)


def _subject(given: Json, role: str, groups: QuerySet[Group]) -> Grant:
    named = set(given)
    if named == {"user_id"}:
        return Grant(role, user=access.person(given["user_id"], field="user_id"))
    if named == {"email"}:
        return Grant(role, email=given["email"].strip())
    if named == {"group_id"}:
        return Grant(role, group=_group(groups, "group_id", pk=given["group_id"]))
    if named == {"provider", "group_name"}:
        return Grant(role, group=_group(groups, "group_name", **given))
    raise ValidationFailed.of(
        "subject_type", "Give one of user_id, email, group_id, provider with group_name."
    )


def _group(groups: QuerySet[Group], field: str, **lookup: Any) -> Group:
    found = groups.filter(**lookup).first()
    if found is None:
        raise ValidationFailed.of(field, "There is no such group.")
    return found
