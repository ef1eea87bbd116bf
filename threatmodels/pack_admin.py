"""Rule packs in the admin site: those of TMI can be switched off, others uploaded."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audited_admin import AuditedAdmin, written
from threatmodels.forms.rule_pack import RulePackForm, pack_in
from threatmodels.knowledge.packs import builtin_packs
from threatmodels.models import RulePack


@admin.register(RulePack)
class RulePackAdmin(AuditedAdmin):
    form = RulePackForm
    list_display = ["key", "title", "framework", "version", "rules", "is_enabled", "modified_at"]
    list_filter = ["is_enabled"]
    search_fields = ["key"]
    readonly_fields = ("key", "title", "framework", "version", "rules")
    ordering = ("key",)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The packs of TMI have rows as soon as somebody looks for them; new ones after an upgrade too."""
        known = set(RulePack.objects.values_list("key", flat=True))
        RulePack.objects.bulk_create(
            [RulePack(key=key) for key in builtin_packs() if key not in known], ignore_conflicts=True
        )
        return super().changelist_view(request, extra_context)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["file", "is_enabled"]
        file = [] if obj.content is None else ["file"]
        return [*self.readonly_fields, "is_enabled", *file, "off"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What comes with TMI is switched off, not deleted."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.content is not None)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without deleting many at once, which would not ask about each."""
        return {name: act for name, act in super().get_actions(request).items() if name != "delete_selected"}

    def save_model(self, request: HttpRequest, obj: RulePack, form: Any, change: bool) -> None:
        obj.save()
        pack = pack_in(obj)
        told: dict[str, Any] = {"is_enabled": obj.is_enabled, "off": obj.off}
        if form.cleaned_data.get("file") and pack:
            told |= {"version": pack.version, "rules": len(pack.rules)}
        changes = {name: (form.initial.get(name), value) for name, value in told.items()}
        written(request, obj, "update" if change else "create", changes)

    @admin.display(description=gettext_lazy("title"))
    def title(self, row: RulePack) -> str:
        pack = pack_in(row)
        return pack.title if pack else _("not sound any more: upload it anew")

    @admin.display(description=gettext_lazy("framework"))
    def framework(self, row: RulePack) -> str:
        pack = pack_in(row)
        return pack.framework if pack else "–"

    @admin.display(description=gettext_lazy("version"))
    def version(self, row: RulePack) -> str:
        pack = pack_in(row)
        return pack.version if pack else "–"

    @admin.display(description=gettext_lazy("rules"))
    def rules(self, row: RulePack) -> str:
        pack = pack_in(row)
        return f"{len(pack.rules) - len(row.off)} / {len(pack.rules)}" if pack else "–"
