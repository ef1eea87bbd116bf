"""/me/client_credentials"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.credential import create_credential, delete_credential
from accounts.api.base import SignedInViewSet
from accounts.api.serializers import CredentialSerializer, NewCredentialSerializer
from accounts.models import ClientCredential
from tmi.api.errors import checked
from tmi.api.pagination import whole_list
from tmi.api.parse import StrictJSONParser
from tmi.lib.errors import NotFound, PermissionDenied
from tmi.lib.ids import NO_ID, parse_id

Json = dict[str, Any]


class CredentialViewSet(SignedInViewSet):
    """With these a program signs in on behalf of the person; the secret is shown once."""

    serializer_class = CredentialSerializer
    parser_classes = (StrictJSONParser,)
    schema_tags = ("me",)
    secret_answers = True
    entity_tags = True

    def list(self, request: Request) -> Response:
        listed = [shown(one) for one in self.actor.client_credentials.order_by("created_at", "pk")]
        return self.answer_list(listed, whole_list(len(listed)))

    @extend_schema(responses={201: NewCredentialSerializer})
    def create(self, request: Request) -> Response:
        refuse_programs(request)
        given = checked(CredentialSerializer(data=request.data))
        made, secret = create_credential(owner=self.actor, **given)
        location = request.build_absolute_uri(f"{request.path}/{made.pk}")
        return self.answer({**shown(made), "client_secret": secret}, 201, {"Location": location})

    def retrieve(self, request: Request, credential_id: str) -> Response:
        return self.answer_one(shown(self.found(credential_id)))

    def destroy(self, request: Request, credential_id: str) -> Response:
        refuse_programs(request)
        with self.held(self.found(credential_id), shown) as (locked, _current):
            delete_credential(locked, actor=self.actor)
        return self.no_content()

    def found(self, credential_id: str) -> ClientCredential:
        one = self.actor.client_credentials.filter(pk=parse_id(credential_id) or NO_ID).first()
        if one is None:
            raise NotFound
        return one


def refuse_programs(request: Request) -> None:
    """What a program may do ends with what let it in: it makes no credentials that outlive that."""
    session: Any = request.auth
    if session is not None and (session.credential_id or session.client_id):
        raise PermissionDenied("Programs do not make or delete credentials: their owner does, signed in.")


def shown(credential: ClientCredential) -> Json:
    return {
        "id": credential.pk,
        "client_id": credential.client_id,
        "name": credential.name,
        "expires_at": credential.expires_at,
        "last_used_at": credential.last_used_at,
        "is_active": credential.is_active,
        "created_at": credential.created_at,
    }
