"""What the rules suggest, to be accepted, changed or dismissed; and what is covered."""

from __future__ import annotations

from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from threatmodels import access
from threatmodels.actions.suggestion import accept_suggestions, dismiss_suggestions, withdraw_decision
from threatmodels.advice import Advice
from threatmodels.choices import SEVERITIES, Verdict
from threatmodels.models import Diagram
from threatmodels.roles import Role
from threatmodels.views.base import frame, load, page, person, wants_part
from tmi.lib.errors import ValidationFailed
from tmi.lib.ids import NO_ID, parse_id


@page("GET")
def overview(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """All diagrams with what is open in each."""
    threat_model = load(request, model_id)
    advice = Advice(threat_model)
    diagrams = access.records_in(threat_model, Diagram).order_by("name", "pk")
    rows = [
        {
            "diagram": diagram,
            "suggestions": len(advice.suggestions(diagram)),
            "hygiene": len(advice.hygiene(diagram)),
            "coverage": advice.coverage(diagram),
        }
        for diagram in diagrams
    ]
    template = "_suggestion_overview.html" if wants_part(request) else "suggestion_overview.html"
    return render(request, f"threatmodels/{template}", frame(threat_model, rows=rows))


@page("GET", "POST")
def suggestions(request: HttpRequest, model_id: UUID, record_id: UUID) -> HttpResponse:
    threat_model = load(request, model_id, Role.WRITER if request.method == "POST" else Role.READER)
    diagram = access.record_in(threat_model, Diagram, record_id)
    problem = ""
    if request.method == "POST":
        try:
            _decide(request, diagram)
            return redirect("diagram_suggestions", model_id, record_id)
        except ValidationFailed as error:
            problem = error.errors[0].reason
    advice = Advice(threat_model)
    found = advice.suggestions(diagram)
    context = frame(
        threat_model,
        diagram=diagram,
        groups=[
            (name, list(of_it))
            for name, of_it in groupby(found, key=lambda one: (one.cell_id, one.cell_name))
        ],
        number=len(found),
        hygiene=advice.hygiene(diagram),
        coverage=advice.coverage(diagram),
        dismissed=[d for d in advice.decisions(diagram) if d.verdict == Verdict.NOT_APPLICABLE],
        severities=SEVERITIES,
        problem=problem,
    )
    return render(request, "threatmodels/suggestions.html", context, status=400 if problem else 200)


def _decide(request: HttpRequest, diagram: Diagram) -> None:
    """Does what the button that was pressed says. Raises ValidationFailed."""
    actor, given = person(request), request.POST
    if withdrawn := given.get("withdraw"):
        found = diagram.decisions.filter(pk=parse_id(withdrawn) or NO_ID).first()
        if found is not None:
            withdraw_decision(found, actor=actor)
        return
    if "accept_one" in given:
        made = accept_suggestions(diagram, actor=actor, wanted=[_changed(request)])
        _say_accepted(request, len(made))
        return
    wanted = [_named(text) for text in given.getlist("pick")]
    if not wanted:
        raise ValidationFailed.of("pick", _("Select at least one suggestion."))
    if "dismiss" in given:
        dismiss_suggestions(diagram, actor=actor, wanted=wanted, reason=given.get("reason", ""))
        messages.success(request, _("Noted, with your reason."))
    else:
        _say_accepted(request, len(accept_suggestions(diagram, actor=actor, wanted=wanted)))


def _say_accepted(request: HttpRequest, number: int) -> None:
    text = ngettext("%(count)d threat was added.", "%(count)d threats were added.", number)
    messages.success(request, text % {"count": number})


def _named(text: str) -> dict[str, Any]:
    rule_id, _sep, cell_id = text.partition(" ")
    return {"rule_id": rule_id, "cell_id": cell_id}


def _changed(request: HttpRequest) -> dict[str, Any]:
    """One suggestion with what was written into its fields."""
    given = request.POST
    fields = {
        name: given[name].replace("\r\n", "\n")
        for name in ("name", "severity", "description", "mitigation")
        if name in given
    }
    return {**_named(given.get("one", "")), **fields}
