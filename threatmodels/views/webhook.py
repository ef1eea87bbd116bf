"""Pages of webhooks: those of a person, and those of a threat model for its owners."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from threatmodels import access
from threatmodels.actions import webhook as actions
from threatmodels.choices import DeliveryStatus, WebhookStatus
from threatmodels.forms import WebhookForm
from threatmodels.models import ThreatModel, Webhook
from threatmodels.roles import Role
from threatmodels.views.base import frame, load, page, parameters, person
from tmi.lib.errors import DomainError, NotFound, ValidationFailed

PER_PAGE = 20


@page("GET", "POST")
def webhooks(request: HttpRequest, model_id: UUID | None = None) -> HttpResponse:
    """The webhooks of the person, or of one model; and a form for a new one, whose secret is shown once."""
    threat_model = None if model_id is None else load(request, model_id, Role.OWNER)
    form = WebhookForm(request.POST or None)
    if form.is_valid():
        try:
            made, secret = actions.create_webhook(
                actor=person(request), threat_model=threat_model, **form.cleaned_data
            )
        except ValidationFailed as error:
            form.refuse(error.errors)
        else:
            return _secret(request, made, secret)
    listed = access.webhooks_of(person(request)).filter(threat_model=threat_model).order_by("created_at")
    context = {**_frame(threat_model), "form": form, "webhooks": listed}
    return render(request, "threatmodels/webhooks.html", context, status=400 if form.errors else 200)


@page("GET")
def webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """One webhook and its deliveries."""
    found = access.get_webhook(person(request), webhook_id)
    given = parameters(request)
    rows = found.deliveries.order_by("-created_at", "-id")
    if given.get("status") in DeliveryStatus.values:
        rows = rows.filter(status=given["status"])
    context = {
        **_frame(_model_of(request, found)),
        "webhook": found,
        "form": WebhookForm(initial={"url": found.url, "events": found.events}),
        "page": Paginator(rows, PER_PAGE).get_page(given.get("page")),
        "statuses": DeliveryStatus.choices,
        "filters": given,
    }
    return render(request, "threatmodels/webhook.html", context)


@page("POST")
def webhook_change(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    found = access.get_webhook(person(request), webhook_id)
    form = WebhookForm(request.POST)
    if form.is_valid():
        try:
            actions.update_webhook(found, actor=person(request), **form.cleaned_data)
            messages.success(request, _("Webhook changed."))
        except ValidationFailed as error:
            form.refuse(error.errors)
    for problems in form.errors.values():
        messages.error(request, " ".join(str(one) for one in problems))
    return redirect("webhook", webhook_id)


@page("POST")
def webhook_switch(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """On or off."""
    found = access.get_webhook(person(request), webhook_id)
    wanted = WebhookStatus.ACTIVE if found.status == WebhookStatus.DISABLED else WebhookStatus.DISABLED
    try:
        actions.update_webhook(found, actor=person(request), status=wanted)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("webhook", webhook_id)


@page("POST")
def webhook_secret(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    found = access.get_webhook(person(request), webhook_id)
    return _secret(request, found, actions.renew_secret(found, actor=person(request)))


@page("POST")
def webhook_test(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    found = access.get_webhook(person(request), webhook_id)
    try:
        actions.test_webhook(found)
        messages.success(
            request, _("Something is on its way to the receiver; the list below shows how it went.")
        )
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("webhook", webhook_id)


@page("POST")
def webhook_redeliver(request: HttpRequest, webhook_id: UUID, delivery_id: UUID) -> HttpResponse:
    found = access.get_webhook(person(request), webhook_id)
    delivery = found.deliveries.filter(pk=delivery_id).first()
    if delivery is None:
        raise NotFound
    try:
        actions.redeliver(found, delivery)
        messages.success(request, _("The event is sent again."))
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("webhook", webhook_id)


@page("POST")
def webhook_delete(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    found = access.get_webhook(person(request), webhook_id)
    actions.delete_webhook(found, actor=person(request))
    messages.success(request, _("Webhook deleted."))
    if found.threat_model_id is None:
        return redirect("webhooks")
    return redirect("threat_model_webhooks", found.threat_model_id)


def _model_of(request: HttpRequest, found: Webhook) -> ThreatModel | None:
    return None if found.threat_model_id is None else load(request, found.threat_model_id)


def _frame(threat_model: ThreatModel | None) -> dict[str, Any]:
    return frame(threat_model) if threat_model else {}


def _secret(request: HttpRequest, made: Webhook, secret: str) -> HttpResponse:
    """A page of its own, which no address leads back to."""
    context = {**_frame(_model_of(request, made)), "webhook": made, "secret": secret}
    return render(request, "threatmodels/webhook_secret.html", context)
