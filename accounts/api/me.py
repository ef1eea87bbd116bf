"""/me: the person who asks."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.session import end_session
from accounts.actions.user import change_name, set_preferences
from accounts.api.base import SignedInViewSet
from accounts.api.serializers import GroupSummarySerializer, MeSerializer
from accounts.models import EVERYONE_ID, Group, SignInSession, User
from tmi.api.bodies import patched
from tmi.api.pagination import whole_list
from tmi.api.parse import JsonPatchParser, MergePatchParser, StrictJSONParser
from tmi.lib.errors import NotFound
from tmi.lib.ids import NO_ID, parse_id

Json = dict[str, Any]


class MeViewSet(SignedInViewSet):
    """The profile, the preferences, the groups and the sign-ins of the person who asks."""

    serializer_class = MeSerializer
    parser_classes = (StrictJSONParser, MergePatchParser, JsonPatchParser)
    entity_tags = True
    schema_tags = ("me",)

    def retrieve(self, request: Request) -> Response:
        return self.answer_one(shown(self.actor))

    def partial_update(self, request: Request) -> Response:
        with self.held(self.actor, shown) as (me, current):
            given = patched(request, MeSerializer, current)
            if "name" in given:
                change_name(me, name=given["name"], actor=me)
        return self.answer_one(shown(me))

    @extend_schema(operation_id="me_groups_list", responses=GroupSummarySerializer(many=True))
    def groups(self, request: Request) -> Response:
        """The groups of the person, that of everyone included."""
        found = groups_of(self.actor)
        return self.answer_list(found, whole_list(len(found)))

    @extend_schema(operation_id="me_preferences_retrieve", responses=OpenApiTypes.OBJECT)
    def preferences(self, request: Request) -> Response:
        """What clients keep for the person."""
        return self.answer_one(self.actor.preferences)

    @extend_schema(
        operation_id="me_preferences_update", request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT
    )
    def replace_preferences(self, request: Request) -> Response:
        """Any JSON object of at most 16 KiB."""
        with self.held(self.actor, lambda user: user.preferences) as (me, _current):
            set_preferences(me, request.data)
        return self.answer_one(me.preferences)


class SessionViewSet(SignedInViewSet):
    """Where the person is signed in."""

    schema_tags = ("me",)

    @extend_schema(operation_id="me_sessions_destroy", responses={204: None})
    def destroy(self, request: Request, session_id: str) -> Response:
        """Signs out there: the tokens of this sign-in are worth nothing from now on."""
        mine = SignInSession.objects.live().select_related("user").filter(user=self.actor)
        found = mine.filter(pk=parse_id(session_id) or NO_ID).first()
        if found is None:
            raise NotFound
        end_session(found)
        return self.no_content()


def sign_in(session: SignInSession, present: Any) -> Json:
    return {
        "id": session.pk,
        "kind": "sign_in",
        "created_at": session.created_at,
        "last_seen": session.last_seen,
        "expires_at": session.expires_at,
        "address": session.address,
        "user_agent": session.user_agent,
        "current": session.pk == present,
    }


def groups_of(user: User) -> list[Json]:
    """The groups of a person; everyone is in the group of everyone."""
    groups = Group.objects.filter(members__user=user) | Group.objects.filter(pk=EVERYONE_ID)
    columns = ("id", "provider", "group_name", "name")
    return list(groups.distinct().order_by("group_name", "pk").values(*columns))


def shown(user: User) -> Json:
    """The profile."""
    return {
        "id": user.pk,
        "email": user.email,
        "name": user.name,
        "provider": user.provider,
        "email_verified": user.email_verified,
        "groups": groups_of(user),
        "is_admin": user.is_admin,
        "created_at": user.created_at,
        "last_login": user.last_login,
    }
