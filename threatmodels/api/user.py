"""/users: people to share with."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import SignedInViewSet
from accounts.api.group import PAGED, PEOPLE, SEARCH, search
from accounts.api.serializers import PersonSerializer
from threatmodels import access
from tmi.api.listing import PLAIN_LIST
from tmi.api.query import parameter


class UserViewSet(SignedInViewSet):
    """A person finds those they share a threat model or a group with, an administrator everybody."""

    serializer_class = PersonSerializer
    schema_tags = ("users",)
    parameters: ClassVar[dict[str, tuple[str, ...]]] = {"list": (*PLAIN_LIST, "search", "email")}

    @extend_schema(
        parameters=[*PAGED, SEARCH, OpenApiParameter("email", str, description="Exactly, without case.")]
    )
    def list(self, request: Request, **_: Any) -> Response:
        email = parameter(request, "email")
        found = access.people_known_to(self.actor).filter(search(request, "name", "email"))
        if email:
            found = found.with_email(email)
        return PEOPLE.answer(self, found)
