"""A diagram as it was: moments of its log, two of them compared, one of them brought back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from threatmodels import access
from threatmodels.actions.operation import cells_after, revert_to
from threatmodels.cells import label
from threatmodels.models import Diagram, DiagramOperation
from threatmodels.operations import Cell, by_id, difference
from threatmodels.roles import Role
from threatmodels.views.base import frame, load, page, parameters, person, wants_part
from threatmodels.views.kinds import KINDS
from tmi.lib.errors import NotFound

LONGEST_NUMBER = 15
DIAGRAMS = next(kind for kind in KINDS if kind.model is Diagram)


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of one element between two moments."""

    what: str
    type: str
    label: str
    fields: str = ""


@page("GET")
def timeline(request: HttpRequest, model_id: UUID, record_id: UUID) -> HttpResponse:
    """The diagram after operation `at`, and what is different after operation `with`."""
    threat_model = load(request, model_id)
    diagram = access.record_in(threat_model, Diagram, record_id)
    first = _first(diagram)
    at = _number(request, "at", first, diagram.update_vector)
    other = _number(request, "with", first, diagram.update_vector) if "with" in request.GET else None
    context = frame(
        threat_model,
        kind=DIAGRAMS,
        record=diagram,
        first=first,
        at=at,
        other=other,
        now=diagram.update_vector,
        moment=_moment(diagram, at),
        other_moment=None if other is None else _moment(diagram, other),
        differences=[] if other is None else list(_between(diagram, other, at)),
    )
    name = "_timeline" if wants_part(request) else "diagram_timeline"
    return render(request, f"threatmodels/{name}.html", context)


@page("POST")
def restore_moment(request: HttpRequest, model_id: UUID, record_id: UUID) -> HttpResponse:
    """Makes the diagram what it was after operation `at`, as a new operation that can be undone."""
    threat_model = load(request, model_id, Role.WRITER)
    diagram = access.record_in(threat_model, Diagram, record_id)
    wanted = request.POST.get("at", "")
    if not (wanted.isascii() and wanted.isdecimal()) or len(wanted) > LONGEST_NUMBER:
        raise NotFound
    revert_to(diagram, actor=person(request), sequence_number=int(wanted))
    messages.success(request, _("The diagram is again what it was. This can be undone like any change."))
    return redirect("diagrams_timeline", model_id, record_id)


def _first(diagram: Diagram) -> int:
    """The earliest moment that the log still reaches."""
    oldest: int | None = diagram.operations.aggregate(oldest=Min("sequence_number"))["oldest"]
    return diagram.update_vector if oldest is None else oldest - 1


def _number(request: HttpRequest, name: str, first: int, last: int) -> int:
    """A moment from the address; what is none, or out of reach, becomes the nearest that is."""
    given = parameters(request).get(name, "")
    if not (given.isascii() and given.isdecimal()) or len(given) > LONGEST_NUMBER:
        return last
    return max(first, min(int(given), last))


def _moment(diagram: Diagram, number: int) -> DiagramOperation | None:
    return diagram.operations.filter(sequence_number=number).select_related("actor").first()


def _between(diagram: Diagram, earlier: int, later: int) -> Iterator[Difference]:
    if earlier > later:
        earlier, later = later, earlier
    old, new = by_id(cells_after(diagram, earlier)), by_id(cells_after(diagram, later))
    for cell_id, cell in new.items():
        if cell_id not in old:
            yield _told(_("added"), cell)
        elif changed := difference(old[cell_id], cell):
            yield _told(_("changed"), cell, changed)
    for cell_id, cell in old.items():
        if cell_id not in new:
            yield _told(_("removed"), cell)


def _told(what: str, cell: Cell, changed: dict[str, Any] | None = None) -> Difference:
    names = [name for key in changed or {} for name in _names(key, (changed or {})[key])]
    return Difference(what, cell["type"], label(cell), ", ".join(names))


def _names(key: str, value: Any) -> list[str]:
    if key == "properties" and isinstance(value, dict):
        return [name.replace("_", " ") for name in value]
    return [key.replace("_", " ")]
