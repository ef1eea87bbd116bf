"""Starting a threat model from one of those that come with TMI, or from the demo."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from threatmodels.actions.importing import store_document
from threatmodels.demo.loader import demo_document
from threatmodels.pictures.svg import diagram_svg
from threatmodels.starters.catalogue import starters
from threatmodels.views.base import page, person
from threatmodels.views.picture import POLICY
from tmi.lib.errors import NotFound

DEMO = "demo"


@page("POST")
def start(request: HttpRequest, name: str) -> HttpResponse:
    """A copy that belongs to the person."""
    if name == DEMO:
        made = store_document(demo_document(), actor=person(request), kind="copy of the demo")
    elif name in starters():
        made = store_document(starters()[name], actor=person(request), kind=f"template {name}")
    else:
        raise NotFound
    return redirect("threat_model", made.pk)


@page("GET")
def picture(request: HttpRequest, name: str) -> HttpResponse:
    """The first diagram of a template, without running anything."""
    if name not in starters():
        raise NotFound
    theme = "dark" if request.GET.get("theme") == "dark" else "light"
    first = starters()[name].diagrams[0]
    headers = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=3600",
    }
    svg = diagram_svg(first.cells, title=first.name, theme=theme)
    return HttpResponse(svg, content_type="image/svg+xml", headers=headers)
