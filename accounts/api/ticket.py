"""/ws/ticket: how a program that has a bearer token opens a WebSocket."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.ticket import issue_ticket
from accounts.api.base import SignedInViewSet
from accounts.models import SignInSession
from tmi.lib.errors import DomainError


class TicketSerializer(serializers.Serializer[Any]):
    """For `?ticket=` of one WebSocket; nobody can use it twice."""

    ticket = serializers.CharField()
    expires_at = serializers.DateTimeField()


class TicketViewSet(SignedInViewSet):
    serializer_class = TicketSerializer
    schema_tags = ("collaboration",)
    secret_answers = True

    @extend_schema(operation_id="ws_ticket_create", request=None, responses={200: TicketSerializer})
    def create(self, request: Request) -> Response:
        """A ticket of the caller's sign-in session that is good for 30 seconds."""
        session: Any = request.auth
        if not isinstance(session, SignInSession):
            raise DomainError("A sign-in session is needed.", code="AUTHENTICATION_REQUIRED")
        ticket, expires_at = issue_ticket(session)
        return self.answer_one({"ticket": ticket, "expires_at": expires_at})
