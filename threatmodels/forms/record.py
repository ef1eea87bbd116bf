"""Forms of the parts of a threat model."""

from __future__ import annotations

import json
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from threatmodels.cells import label
from threatmodels.choices import LEVELS, PRIORITIES, SEVERITIES, THREAT_STATUSES, THREAT_TYPES, Framework
from threatmodels.forms.base import RowForm
from threatmodels.models import Asset, Diagram, Document, Note, Repository, Threat


class ThreatForm(RowForm):
    aside = (
        "threat_type",
        "severity",
        "likelihood",
        "risk_level",
        "priority",
        "status",
        "mitigated",
        "asset",
        "score",
        "cvss_vector",
    )

    writes: ClassVar[dict[str, tuple[str, ...]]] = {
        "element": ("diagram_id", "cell_id"),
        "cvss_vector": ("cvss_vector", "score"),
    }

    element = forms.ChoiceField(
        required=False,
        label=_("Element"),
        help_text=_("What of which diagram the threat is about."),
    )

    class Meta:
        model = Threat
        fields: ClassVar[list[str]] = [
            "name",
            "description",
            "threat_type",
            "severity",
            "likelihood",
            "risk_level",
            "priority",
            "status",
            "mitigated",
            "mitigation",
            "element",
            "asset",
            "score",
            "cvss_vector",
            "issue_uri",
            "cwe_ids",
        ]
        help_texts: ClassVar[dict[str, Any]] = {
            "cvss_vector": _("CVSS 3.1 or 4.0. The score is computed from it."),
            "cwe_ids": _("Separated by commas, such as CWE-79, CWE-352."),
            "score": _("0 to 10 with one decimal; leave it out with a CVSS vector."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        threat_model = self.instance.threat_model
        framework = Framework(threat_model.threat_model_framework)
        self.offer("threat_type", [("Unspecified", _("Unspecified")), *THREAT_TYPES[framework]])
        self.offer("severity", SEVERITIES)
        self.offer("likelihood", LEVELS)
        self.offer("risk_level", LEVELS)
        self.offer("priority", PRIORITIES)
        self.offer("status", THREAT_STATUSES)
        asset: Any = self.fields["asset"]
        offered = Q(deleted_at=None) | Q(pk=self.instance.asset_id)
        asset.queryset = Asset.objects.filter(offered, threat_model=threat_model).order_by("name")
        asset.empty_label = _("none")
        element: Any = self.fields["element"]
        element.choices = self._elements()
        if self.instance.diagram_id:
            self.initial.setdefault("element", _place(self.instance.diagram_id, self.instance.cell_id))

    def _elements(self) -> list[Any]:
        """Diagrams and their elements, as groups."""
        diagrams = Diagram.objects.live().filter(threat_model=self.instance.threat_model).order_by("name")
        groups: list[Any] = [("", _("none"))]
        for diagram in diagrams:
            whole = (_place(diagram.pk, None), _("The whole diagram"))
            cells = [
                (_place(diagram.pk, cell["id"]), label(cell)[:80] or cell["type"])
                for cell in diagram.current_cells
            ]
            groups.append((diagram.name, [whole, *sorted(cells, key=lambda item: item[1])]))
        present = _place(self.instance.diagram_id, self.instance.cell_id)
        is_offered = any(place == present for _name, group in groups[1:] for place, _l in group)
        if self.instance.diagram_id and not is_offered:
            gone = (
                _("an element that was removed") if self.instance.cell_id else _("a diagram that was removed")
            )
            groups.append((present, gone))
        return groups

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        diagram, _slash, cell = cleaned.pop("element", "").partition("/")
        cleaned["diagram_id"], cleaned["cell_id"] = (UUID(pk) if pk else None for pk in (diagram, cell))
        vector_is_new = "cvss_vector" in self.changed_data and "score" not in self.changed_data
        if cleaned.get("cvss_vector") and vector_is_new:
            cleaned["score"] = None
        return cleaned


def _place(diagram_id: object, cell_id: object) -> str:
    return f"{diagram_id}/{cell_id or ''}"


class AssetForm(RowForm):
    class Meta:
        model = Asset
        fields: ClassVar[list[str]] = [
            "name",
            "type",
            "description",
            "classification",
            "criticality",
            "sensitivity",
        ]
        help_texts: ClassVar[dict[str, Any]] = {
            "classification": _("Separated by commas, such as personal, confidential.")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("criticality", LEVELS)
        self.offer("sensitivity", LEVELS)


class DocumentForm(RowForm):
    class Meta:
        model = Document
        fields: ClassVar[list[str]] = ["name", "uri", "description"]


class NoteForm(RowForm):
    aside = ("description",)

    class Meta:
        model = Note
        fields: ClassVar[list[str]] = ["name", "content", "description"]
        widgets: ClassVar[dict[str, Any]] = {"content": forms.Textarea(attrs={"rows": 16, "class": "prose"})}
        help_texts: ClassVar[dict[str, Any]] = {"content": _("Markdown.")}


class RepositoryForm(RowForm):
    writes: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(
        ("ref_type", "ref_value", "sub_path"), ("parameters",)
    )

    ref_type = forms.ChoiceField(
        required=False,
        label=_("Reference"),
        choices=[("", _("not set")), ("branch", _("Branch")), ("tag", _("Tag")), ("commit", _("Commit"))],
    )
    ref_value = forms.CharField(required=False, max_length=200, label=_("Name of the reference"))
    sub_path = forms.CharField(required=False, max_length=500, label=_("Path within the repository"))

    class Meta:
        model = Repository
        fields: ClassVar[list[str]] = ["name", "uri", "type", "description"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = self.instance.parameters or {}
        for name in ("ref_type", "ref_value", "sub_path"):
            self.initial.setdefault(name, known.get(name, ""))

    def clean(self) -> dict[str, Any]:
        """The three known parameters are fields; others stay as they are."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        parameters = json.loads(json.dumps(self.instance.parameters or {}))
        for name in ("ref_type", "ref_value", "sub_path"):
            value = cleaned.pop(name, "")
            parameters.pop(name, None)
            if value:
                parameters[name] = value
        cleaned["parameters"] = parameters or None
        return cleaned


class DiagramForm(RowForm):
    class Meta:
        model = Diagram
        fields: ClassVar[list[str]] = ["name", "content"]
