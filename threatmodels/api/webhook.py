"""/webhooks: other servers that are told of changes."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from threatmodels import access
from threatmodels.actions import webhook as actions
from threatmodels.api.base import ResourceViewSet
from threatmodels.api.serializers import (
    ChangedWebhookSerializer,
    DeliverySerializer,
    NewWebhookSerializer,
    WebhookChangeSerializer,
    WebhookRequestSerializer,
    WebhookSerializer,
)
from threatmodels.choices import DeliveryStatus
from threatmodels.models import Webhook, WebhookDelivery
from threatmodels.roles import Role
from tmi.api.bodies import merge_patch
from tmi.api.errors import checked
from tmi.api.filters import Filters, equals, identifier, one_of
from tmi.api.listing import PAGES, PLAIN_LIST, SPARSE
from tmi.api.parse import JsonPatchParser, MergePatchParser, StrictJSONParser
from tmi.api.serializers import Json, Reader
from tmi.api.views import check_precondition, etag
from tmi.lib.errors import NotFound
from tmi.lib.ids import NO_ID, parse_id

WEBHOOK = OpenApiParameter("webhook_id", str, OpenApiParameter.PATH)


class WebhookViewSet(ResourceViewSet):
    """A person's own webhooks, which are told of all models that the person may read, and those of models
    that the person owns.
    """

    serializer_class = WebhookSerializer
    parser_classes = (StrictJSONParser, MergePatchParser, JsonPatchParser)
    schema_tags = ("webhooks",)
    secret_answers = True
    list_parameters = PLAIN_LIST
    sorts: ClassVar[dict[str, str]] = {"created_at": "created_at", "updated_at": "modified_at"}
    filters: ClassVar[Filters] = {
        "threat_model_id": equals("threat_model_id", identifier, description="Of this threat model.")
    }

    @extend_schema(parameters=[*PAGES, SPARSE])
    def list(self, request: Request, **_: Any) -> Response:
        return self.page_of(access.webhooks_of(self.actor))

    @extend_schema(request=WebhookRequestSerializer, responses={201: NewWebhookSerializer})
    def create(self, request: Request, **_: Any) -> Response:
        """Makes one and sends a challenge to its address, which has to answer {"challenge": ...} with it."""
        given = checked(WebhookRequestSerializer(data=request.data))
        model_id = given.pop("threat_model_id", None)
        threat_model = model_id and access.get_threat_model(self.actor, model_id, at_least=Role.OWNER)
        made, secret = actions.create_webhook(actor=self.actor, threat_model=threat_model, **given)
        location = request.build_absolute_uri(f"{request.path}/{made.pk}")
        return self.answer({**self.represent(made), "secret": secret}, 201, {"Location": location})

    def retrieve(self, request: Request, **_: Any) -> Response:
        return self.answer_one(self.represent(self.webhook()))

    @extend_schema(request=WebhookChangeSerializer, responses=ChangedWebhookSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        """Another address, or status active, sends a new challenge."""
        webhook = self.webhook()
        current = self.represent(webhook)
        check_precondition(request, etag(current))
        given = checked(WebhookChangeSerializer(data=merge_patch(request, current), partial=True))
        secret: str | None = None
        if "secret" in given and given["secret"] is None:
            secret = given["secret"] = actions.new_secret()
        changed = actions.update_webhook(webhook, actor=self.actor, **given)
        after = self.represent(changed)
        # The ETag that a GET has, which never shows the secret.
        return self.answer_one({**after, "secret": secret}, headers={"ETag": etag(after)})

    def destroy(self, request: Request, **_: Any) -> Response:
        webhook = self.webhook()
        check_precondition(request, etag(self.represent(webhook)))
        actions.delete_webhook(webhook, actor=self.actor)
        return self.no_content()

    def webhook(self) -> Webhook:
        return access.get_webhook(self.actor, self.kwargs["webhook_id"])

    def represent(self, row: Any) -> Json:
        return Reader(WebhookSerializer).read(Webhook.objects.filter(pk=row.pk))[0]


class DeliveryViewSet(ResourceViewSet):
    """What was sent to a webhook, waits to be sent, or was given up."""

    serializer_class = DeliverySerializer
    parser_classes = (StrictJSONParser,)
    schema_tags = ("webhooks",)
    entity_tags = False
    list_parameters = PLAIN_LIST
    sorts: ClassVar[dict[str, str]] = {"created_at": "created_at"}
    default_sort = "-created_at"
    filters: ClassVar[Filters] = {
        "status": equals("status", one_of(DeliveryStatus.values)),
        "event": equals("event"),
    }

    @extend_schema(operation_id="webhooks_deliveries_list", parameters=[*PAGES, SPARSE])
    def list(self, request: Request, **_: Any) -> Response:
        """Newest first; `status=dead` are the dead letters."""
        return self.page_of(self.webhook().deliveries.all())

    @extend_schema(operation_id="webhooks_test", request=None, responses={201: DeliverySerializer})
    def test(self, request: Request, **_: Any) -> Response:
        """Sends a ping, or the challenge once more while the receiver has not answered it."""
        return self.answer(self.represent(actions.test_webhook(self.webhook())), 201)

    @extend_schema(operation_id="webhooks_redeliver", request=None, responses={201: DeliverySerializer})
    def redeliver(self, request: Request, **_: Any) -> Response:
        """Sends the same event again, as a new delivery."""
        webhook = self.webhook()
        found = webhook.deliveries.filter(pk=parse_id(self.kwargs["delivery_id"]) or NO_ID).first()
        if found is None:
            raise NotFound
        return self.answer(self.represent(actions.redeliver(webhook, found)), 201)

    def webhook(self) -> Webhook:
        return access.get_webhook(self.actor, self.kwargs["webhook_id"])

    def represent(self, row: Any) -> Json:
        return Reader(DeliverySerializer).read(WebhookDelivery.objects.filter(pk=row.pk))[0]
