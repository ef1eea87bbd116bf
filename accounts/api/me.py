"""/me: the person who asks."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.user import change_name
from accounts.api.base import SignedInViewSet
from accounts.api.serializers import MeSerializer
from accounts.models import EVERYONE_ID, Group, User
from tmi.api.errors import checked
from tmi.api.parse import MergePatchParser, StrictJSONParser

Json = dict[str, Any]


class MeViewSet(SignedInViewSet):
    serializer_class = MeSerializer
    parser_classes = (StrictJSONParser, MergePatchParser)
    schema_tags = ("me",)

    def retrieve(self, request: Request) -> Response:
        return self.answer_one(shown(self.actor))

    def partial_update(self, request: Request) -> Response:
        given = checked(MeSerializer(data=request.data, partial=True))
        if "name" in given:
            change_name(self.actor, name=given["name"], actor=self.actor)
        return self.answer_one(shown(self.actor))


def shown(user: User) -> Json:
    """The profile; everyone is in the group of everyone."""
    groups = Group.objects.filter(members__user=user) | Group.objects.filter(pk=EVERYONE_ID)
    return {
        "id": user.pk,
        "email": user.email,
        "name": user.name,
        "provider": user.provider,
        "email_verified": user.email_verified,
        "groups": list(
            groups.distinct().order_by("group_name").values("id", "provider", "group_name", "name")
        ),
        "is_admin": user.is_admin,
        "created_at": user.created_at,
        "last_login": user.last_login,
    }
