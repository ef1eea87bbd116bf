"""Threat models in the admin site: everything can be found and read; what may be done is recorded."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.audited_admin import ReadOnlyAdmin, ReadOnlyInline, written
from accounts.models import AuditEntry, User
from threatmodels.actions.record import restore_record
from threatmodels.actions.threat_model import (
    delete_threat_model,
    grant_to_administrator,
    restore_threat_model,
    transfer_threat_model,
)
from threatmodels.actions.webhook import update_webhook
from threatmodels.choices import WebhookStatus
from threatmodels.models import (
    AccessInvitation,
    Asset,
    Diagram,
    DiagramOperation,
    Document,
    Metadata,
    Note,
    Repository,
    SuggestionDecision,
    Threat,
    ThreatModel,
    ThreatModelAccess,
    Webhook,
    WebhookDelivery,
)
from threatmodels.pack_admin import RulePackAdmin
from tmi.lib.errors import DomainError


class DeletedFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", _("live")), ("yes", _("deleted"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        return queryset.filter(deleted_at__isnull=self.value() == "no")


class OwnerForm(ActionForm):
    """The person to whom the selected models are handed over."""

    new_owner = forms.EmailField(required=False, label=gettext_lazy("New owner's email"))


class AccessInline(ReadOnlyInline):
    model = ThreatModelAccess
    fields = ("subject_type", "user", "group", "role", "granted_by", "created_at")
    fk_name = "threat_model"


class InvitationInline(ReadOnlyInline):
    model = AccessInvitation
    fields = ("email", "role", "granted_by", "created_at")


@admin.register(ThreatModel)
class ThreatModelAdmin(ReadOnlyAdmin):
    list_display = ["name", "owner", "threat_model_framework", "status", "modified_at", "deleted_at"]
    list_filter: ClassVar[list[Any]] = ["threat_model_framework", "status", DeletedFilter]
    search_fields = ["name", "owner__email", "owner__name"]
    list_select_related = ("owner",)
    date_hierarchy = "created_at"
    inlines = [AccessInline, InvitationInline]
    action_form = OwnerForm
    actions = ["grant_myself_access", "transfer", "delete_models", "restore_models"]

    @admin.action(description=gettext_lazy("Grant myself access (is written down)"))
    def grant_myself_access(self, request: HttpRequest, queryset: QuerySet[ThreatModel]) -> None:
        self._each(request, queryset, lambda m: grant_to_administrator(m, actor=_actor(request)))

    @admin.action(description=gettext_lazy("Hand over to the new owner"))
    def transfer(self, request: HttpRequest, queryset: QuerySet[ThreatModel]) -> None:
        email = request.POST.get("new_owner", "")
        found = list(User.objects.active().with_email(email).filter(email_verified=True)[:2])
        if len(found) != 1:
            said = (
                _("Several people have this email: its owner hands the model over.")
                if found
                else _("There is no active person with this email, or it is not verified.")
            )
            self.message_user(request, said, messages.ERROR)
            return
        [owner] = found
        self._each(request, queryset, lambda m: transfer_threat_model(m, actor=_actor(request), owner=owner))

    @admin.action(description=gettext_lazy("Delete (can be restored)"))
    def delete_models(self, request: HttpRequest, queryset: QuerySet[ThreatModel]) -> None:
        self._each(request, queryset, lambda m: delete_threat_model(m, actor=_actor(request)))

    @admin.action(description=gettext_lazy("Restore"))
    def restore_models(self, request: HttpRequest, queryset: QuerySet[ThreatModel]) -> None:
        self._each(request, queryset, lambda m: restore_threat_model(m, actor=_actor(request)))

    def _each(self, request: HttpRequest, queryset: QuerySet[ThreatModel], act: Any) -> None:
        done = 0
        for threat_model in queryset:
            try:
                act(threat_model)
                done += 1
            except DomainError as error:
                self.message_user(request, f"{threat_model}: {error.message}", messages.WARNING)
        text = ngettext("%(count)d threat model done.", "%(count)d threat models done.", done)
        self.message_user(request, text % {"count": done})


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


class RecordAdmin(ReadOnlyAdmin):
    list_display = ["name", "threat_model", "created_at", "modified_at", "deleted_at"]
    list_filter: ClassVar[list[Any]] = [DeletedFilter]
    search_fields = ["name", "threat_model__name"]
    list_select_related = ("threat_model",)
    date_hierarchy = "created_at"
    actions = ["restore_records"]

    @admin.action(description=gettext_lazy("Restore"))
    def restore_records(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        deleted = list(queryset.deleted())  # type: ignore[attr-defined]
        for record in deleted:
            restore_record(record, actor=_actor(request))
            written(request, record, "restore", {})
        self.message_user(request, _("%(count)d restored.") % {"count": len(deleted)})


@admin.register(Threat)
class ThreatAdmin(RecordAdmin):
    list_display = ["name", "threat_model", "severity", "status", "priority", "score", "modified_at"]
    list_filter: ClassVar[list[Any]] = ["severity", "status", "priority", "mitigated", DeletedFilter]


@admin.register(Asset)
class AssetAdmin(RecordAdmin):
    list_display = ["name", "threat_model", "type", "criticality", "modified_at"]
    list_filter: ClassVar[list[Any]] = ["type", DeletedFilter]


@admin.register(Document, Note)
class DocumentAdmin(RecordAdmin):
    pass


@admin.register(Repository)
class RepositoryAdmin(RecordAdmin):
    list_display = ["__str__", "threat_model", "type", "uri", "modified_at"]
    list_filter: ClassVar[list[Any]] = ["type", DeletedFilter]


@admin.register(Diagram)
class DiagramAdmin(RecordAdmin):
    list_display = ["name", "threat_model", "update_vector", "modified_at", "deleted_at"]
    exclude = ("cells", "svg_image")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Diagram.objects.without_cells().select_related("threat_model")


@admin.register(DiagramOperation)
class DiagramOperationAdmin(ReadOnlyAdmin):
    list_display = ["diagram", "sequence_number", "actor", "created_at"]
    list_filter: ClassVar[list[Any]] = ["created_at"]
    search_fields = ["diagram__name", "diagram__id__exact", "operation_id__exact", "actor__email"]
    list_select_related = ("diagram", "actor")
    date_hierarchy = "created_at"


@admin.register(SuggestionDecision)
class SuggestionDecisionAdmin(ReadOnlyAdmin):
    list_display = ["category", "rule_id", "verdict", "diagram", "threat_model", "actor", "created_at"]
    list_filter: ClassVar[list[Any]] = ["verdict"]
    search_fields = ["category", "rule_id", "cell_id__exact", "diagram__name", "threat_model__name"]
    list_select_related = ("diagram", "threat_model", "actor")
    date_hierarchy = "created_at"


@admin.register(Metadata)
class MetadataAdmin(ReadOnlyAdmin):
    list_display = ["key", "entity_type", "entity_id", "threat_model", "modified_at"]
    list_filter: ClassVar[list[Any]] = ["entity_type"]
    search_fields = ["key", "entity_id__exact", "threat_model__name"]
    list_select_related = ("threat_model",)


@admin.register(ThreatModelAccess)
class AccessAdmin(ReadOnlyAdmin):
    list_display = ["threat_model", "subject_type", "user", "group", "role", "granted_by", "created_at"]
    list_filter: ClassVar[list[Any]] = ["subject_type", "role"]
    search_fields = ["threat_model__name", "user__email", "group__group_name"]
    list_select_related = ("threat_model", "user", "group", "granted_by")


@admin.register(AccessInvitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ["email", "threat_model", "role", "granted_by", "created_at"]
    list_filter: ClassVar[list[Any]] = ["role"]
    search_fields = ["email", "threat_model__name"]
    list_select_related = ("threat_model", "granted_by")


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    list_display = ["receiver", "user", "threat_model", "status", "failures", "created_at"]
    readonly_fields = ("receiver",)
    exclude = ("url",)
    list_filter: ClassVar[list[Any]] = ["status"]
    search_fields = ["url", "user__email", "threat_model__name"]
    list_select_related = ("user", "threat_model")
    date_hierarchy = "created_at"
    actions = ["disable"]

    @admin.display(description=gettext_lazy("address"), ordering="url")
    def receiver(self, webhook: Webhook) -> str:
        return str(webhook)

    @admin.action(description=gettext_lazy("Disable"))
    def disable(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset:
            update_webhook(webhook, actor=_actor(request), status=WebhookStatus.DISABLED)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ["event", "webhook", "status", "created_at", "delivered_at"]
    list_filter: ClassVar[list[Any]] = ["status"]
    search_fields = ["event", "webhook__url", "event_id__exact"]
    list_select_related = ("webhook",)
    date_hierarchy = "created_at"


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "action", "entity_type", "entity_id", "actor_label", "threat_model_id"]
    list_filter: ClassVar[list[Any]] = ["action", "entity_type"]
    search_fields = ["actor_label", "actor__email", "entity_id__exact", "threat_model_id__exact"]
    date_hierarchy = "created_at"


# Registered by its own module, which is imported for that.
__all__ = ["RulePackAdmin"]
