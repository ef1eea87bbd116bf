"""Pictures of diagrams, for <img>."""

from __future__ import annotations

import hashlib
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from threatmodels import access
from threatmodels.actions.operation import cells_after
from threatmodels.models import Diagram
from threatmodels.pictures.svg import Badge, diagram_svg
from threatmodels.views.base import load, page

LONGEST_NUMBER = 15
POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"


@page("GET")
def picture(request: HttpRequest, model_id: UUID, record_id: UUID) -> HttpResponse:
    """The diagram as SVG that can run nothing, as it is or as it was after operation `at`.

    With `with`, there is room for what it was after that operation too.
    """
    threat_model = load(request, model_id)
    diagram = access.record_in(threat_model, Diagram, record_id)
    theme = "dark" if request.GET.get("theme") == "dark" else "light"
    at, other = (_moment(request, name) for name in ("at", "with"))
    # The threats are those of today, so a picture of the past has none.
    badges = {} if at else open_threats(diagram)
    tag = f'"{at or diagram.update_vector}-{other}-{hash_of(badges)}-{theme}"'
    headers = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
        "ETag": tag,
    }
    if tag in parse_etags(request.headers.get("If-None-Match", "")):
        return HttpResponse(status=304, headers=headers)
    cells = cells_after(diagram, int(at)) if at else diagram.current_cells
    beside = cells_after(diagram, int(other)) if other else None
    svg = diagram_svg(cells, title=diagram.name, theme=theme, badges=badges, room_for=beside)
    return HttpResponse(svg, content_type="image/svg+xml", headers=headers)


def _moment(request: HttpRequest, name: str) -> str:
    """The number of an operation; empty when it is none."""
    given = request.GET.get(name, "")
    return given if given.isascii() and given.isdecimal() and len(given) <= LONGEST_NUMBER else ""


def open_threats(diagram: Diagram) -> dict[str, Badge]:
    """For each element the number of its open threats and the worst severity."""
    threats = diagram.threats.live().open().exclude(cell_id=None).with_severity_rank()
    badges: dict[str, Badge] = {}
    for cell_id, severity in threats.order_by("severity_rank").values_list("cell_id", "severity"):
        known = badges.get(str(cell_id))
        worst = known.severity if known else (severity or "unknown").lower()
        badges[str(cell_id)] = Badge((known.count if known else 0) + 1, worst)
    return badges


def hash_of(badges: dict[str, Badge]) -> str:
    """Short and the same for the same badges."""
    told = ";".join(f"{pk} {badge.count} {badge.severity}" for pk, badge in sorted(badges.items()))
    return hashlib.sha256(told.encode()).hexdigest()[:16]
