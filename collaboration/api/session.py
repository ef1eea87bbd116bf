"""/threat_models/{id}/diagrams/{id}/collaborate, and the live sessions among /me/sessions."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import SignedInViewSet
from accounts.api.me import SessionViewSet, sign_in
from accounts.models import SignInSession
from collaboration.actions.session import end_session, join_session
from collaboration.api.serializers import AnySessionSerializer, CollaborationSessionSerializer
from collaboration.live import live, visible_to
from collaboration.models import CollaborationSession
from threatmodels import access
from threatmodels.models import Diagram
from tmi.api.pagination import whole_list
from tmi.api.schema import OR_NULL
from tmi.lib.errors import NotFound

Json = dict[str, Any]


class CollaborateViewSet(SignedInViewSet):
    """The live session of a diagram. Opening its socket joins it too."""

    serializer_class = CollaborationSessionSerializer
    schema_tags = ("collaboration",)

    def diagram(self) -> Diagram:
        threat_model = access.get_threat_model(self.actor, self.kwargs["threat_model_id"])
        return access.record_in(threat_model, Diagram, self.kwargs["record_id"])

    @extend_schema(
        operation_id="collaborate_retrieve",
        responses={200: CollaborationSessionSerializer},
        extensions={OR_NULL: True},
    )
    def retrieve(self, request: Request, **_: Any) -> Response:
        """The session, or null where there is none."""
        found = live().filter(diagram=self.diagram()).first()
        return self.answer(found and shown(found))

    @extend_schema(
        operation_id="collaborate_create",
        request=None,
        responses={200: CollaborationSessionSerializer, 201: CollaborationSessionSerializer},
    )
    def create(self, request: Request, **_: Any) -> Response:
        """Starts a session (201) or joins the live one (200)."""
        diagram = self.diagram()
        base_url = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
        role = access.role_of(diagram.threat_model)
        session, began = join_session(diagram, user=self.actor, role=role, base_url=base_url)
        found = shown(live().get(pk=session.pk))
        if not began:
            return self.answer(found)
        return self.answer(found, 201, {"Location": request.build_absolute_uri(request.path)})

    @extend_schema(operation_id="collaborate_destroy", responses={204: None})
    def destroy(self, request: Request, **_: Any) -> Response:
        """Ends the session for everybody; the host and owners may."""
        diagram = self.diagram()
        found = CollaborationSession.objects.live().filter(diagram=diagram).first()
        if found is None:
            raise NotFound("There is no session.")
        end_session(found, actor=self.actor, role=access.role_of(diagram.threat_model))
        return self.no_content()


class AllSessionsViewSet(SessionViewSet):
    """The sign-ins of the person, and the live collaboration sessions that they can join."""

    serializer_class = AnySessionSerializer

    @extend_schema(operation_id="me_sessions_list")
    def list(self, request: Request) -> Response:
        present = getattr(request.auth, "pk", None)
        mine = SignInSession.objects.live().filter(user=self.actor).order_by("-last_seen", "-pk")
        listed = [sign_in(session, present) for session in mine]
        listed += [_joinable(session) for session in visible_to(self.actor)]
        return self.answer_list(listed, whole_list(len(listed)))


def shown(session: Any) -> Json:
    """The session as the API shows it."""
    return {
        "id": session.pk,
        "threat_model_id": session.threat_model_id,
        "diagram_id": session.diagram_id,
        "host_id": session.host_id,
        "websocket_url": session.websocket_url,
        "created_at": session.created_at,
        "expires_at": session.expires_at,
        "participants": [
            {"user_id": one.user_id, "name": one.user.name, "joined_at": one.joined_at}
            for one in session.there
        ],
    }


def _joinable(session: CollaborationSession) -> Json:
    return {
        "id": session.pk,
        "kind": "collaboration",
        "created_at": session.created_at,
        "last_seen": session.active_at,
        "expires_at": session.expires_at,
        "address": "",
        "user_agent": "",
        "current": False,
        "collaboration": shown(session),
    }
