"""The parts of a threat model as the pages know them: one declaration a kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from threatmodels import access
from threatmodels.actions import record as actions
from threatmodels.actions.diagram import create_diagram
from threatmodels.actions.threat import update_threat
from threatmodels.forms import (
    AssetForm,
    DiagramForm,
    DocumentForm,
    NoteForm,
    RepositoryForm,
    ThreatForm,
)
from threatmodels.forms.base import RowForm
from threatmodels.models import (
    Asset,
    Diagram,
    Document,
    Note,
    Record,
    Repository,
    Threat,
    ThreatModel,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind is called, which form it has, and what its lists show beside the name."""

    plural: str
    model: type[Record]
    form: type[RowForm]
    title: str | Promise
    one: str | Promise
    new: str | Promise
    empty: str | Promise
    icon: str
    columns: tuple[tuple[str, Any], ...] = ()

    @property
    def details(self) -> str:
        """The name of the page with metadata and history; at the address of a diagram is the editor."""
        return "diagrams_details" if self.model is Diagram else self.plural

    def listed(self, threat_model: ThreatModel) -> QuerySet[Any]:
        return access.records_in(threat_model, self.model).order_by("name", "id")

    def create(self, threat_model: ThreatModel, actor: User, **fields: Any) -> Record:
        if self.model is Diagram:
            return create_diagram(threat_model=threat_model, actor=actor, **fields)
        return actions.create_record(self.model, threat_model=threat_model, actor=actor, **fields)

    def update(self, record: Any, actor: User, changes: actions.Change) -> Record:
        if self.model is Threat:
            return update_threat(record, actor=actor, changes=changes, shows_deleted=True)
        updated: Record = actions.update_record(record, actor=actor, changes=changes)
        return updated


KINDS = [
    Kind(
        "diagrams",
        Diagram,
        DiagramForm,
        _("Diagrams"),
        _("Diagram"),
        _("New diagram"),
        _("A diagram shows processes, stores, the people and systems outside, and what flows between them."),
        "diagram-3",
    ),
    Kind(
        "threats",
        Threat,
        ThreatForm,
        _("Threats"),
        _("Threat"),
        _("New threat"),
        _("What can go wrong? Write down the first threat, or bring a file in that has some."),
        "shield-exclamation",
    ),
    Kind(
        "assets",
        Asset,
        AssetForm,
        _("Assets"),
        _("Asset"),
        _("New asset"),
        _("What is worth protecting: data, services, devices, people."),
        "gem",
        (
            ("get_type_display", _("Type")),
            ("classification", _("Classification")),
            ("criticality", _("Criticality")),
        ),
    ),
    Kind(
        "documents",
        Document,
        DocumentForm,
        _("Documents"),
        _("Document"),
        _("New document"),
        _("Links to architecture, requirements and reports that live elsewhere."),
        "file-earmark-text",
        (("uri", _("Address")),),
    ),
    Kind(
        "notes",
        Note,
        NoteForm,
        _("Notes"),
        _("Note"),
        _("New note"),
        _("Assumptions, decisions, minutes of meetings."),
        "journal-text",
        (("description", _("Description")),),
    ),
    Kind(
        "repositories",
        Repository,
        RepositoryForm,
        _("Repositories"),
        _("Repository"),
        _("New repository"),
        _("The source code that this threat model covers."),
        "git",
        (("uri", _("Address")), ("get_type_display", _("Type"))),
    ),
]
