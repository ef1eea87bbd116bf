"""Admin pages whose every change is an audit entry, written in the transaction of the change."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit
from accounts.models import User
from tmi.lib.ids import parse_id


def written(request: HttpRequest, obj: models.Model, action: str, changes: audit.Changes) -> None:
    """Writes down what the signed-in administrator did to a row."""
    actor = request.user
    assert isinstance(actor, User)
    audit.write(
        entity_type=str(obj._meta.model_name),
        entity_id=obj.pk,
        threat_model_id=getattr(obj, "threat_model_id", None),
        action=f"admin_{action}",
        actor=actor,
        changes=changes,
    )


def _changes(form: Any) -> audit.Changes:
    return {name: (form.initial.get(name), form.cleaned_data.get(name)) for name in form.changed_data}


def _values(row: models.Model) -> dict[str, Any]:
    """What the row ties together."""
    return {f.name: getattr(row, f.attname) for f in row._meta.concrete_fields if f.is_relation}


class AuditedAdmin(admin.ModelAdmin[Any]):
    """The base of every admin page of ours."""

    list_per_page = 50
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """An id finds its row; anything else is looked for in the search fields."""
        wanted = parse_id(search_term.strip())
        if wanted is not None:
            return queryset.filter(pk=wanted), False
        return super().get_search_results(request, queryset, search_term.replace("\x00", ""))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            # A full row would take back what others wrote meanwhile, and wipe what no key opens any more.
            names = {f.name for f in obj._meta.concrete_fields} & {*form.changed_data}
            if names and hasattr(obj, "modified_at"):
                obj.modified_at = timezone.now()
                names.add("modified_at")
            if names:
                obj.save(update_fields=names)
        else:
            super().save_model(request, obj, form, change)
        written(request, obj, "update" if change else "create", _changes(form))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for row in formset.new_objects:
            written(request, row, "create", {name: (None, value) for name, value in _values(row).items()})
        for row, names in formset.changed_objects:
            values = _values(row)
            written(request, row, "update", {name: (None, values.get(name)) for name in names})
        for row in formset.deleted_objects:
            written(request, row, "delete", {name: (value, None) for name, value in _values(row).items()})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        written(request, obj, "delete", {})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        for obj in queryset:
            self.delete_model(request, obj)


class ReadOnlyAdmin(AuditedAdmin):
    """Looking only: these rows are changed by the application's own actions."""

    actions: Any = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(admin.TabularInline[Any, Any]):
    """Rows of another table, to look at."""

    extra = 0
    can_delete = False
    show_change_link = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All of them: what the server sets alone is no field of a form."""
        return self.fields or ()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
