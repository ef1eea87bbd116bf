"""All threat models that a person can see."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.models import User
from threatmodels import access
from threatmodels.choices import MODEL_STATUSES, SEVERITIES, Framework, RoleName
from threatmodels.models import Diagram, Threat
from threatmodels.models.threat_model import ThreatModelQuerySet
from threatmodels.roles import Role
from threatmodels.views.base import page, parameters, person, wants_part

PER_PAGE = 20
SORTS = {
    "name": "name",
    "framework": "threat_model_framework",
    "status": "status",
    "owner": "owner__name",
    "changed": "modified_at",
}
DEFAULT_SORT = "-changed"
FILTERS = ("q", "framework", "status", "owner", "role", "only")


@page("GET")
def dashboard(request: HttpRequest) -> HttpResponse:
    user = person(request)
    visible = access.visible_to(user)
    found, sort = _sorted(_filtered(visible, request), request.GET.get("sort", ""))
    listed = Paginator(found.select_related("owner").with_summary(), PER_PAGE)
    context = {
        "page": listed.get_page(request.GET.get("page")),
        "sort": sort,
        "filters": request.GET,
        "only_title": _only_title(request.GET.get("only", "")),
        "is_filtered": any(request.GET.get(name) for name in FILTERS),
        "frameworks": Framework.choices,
        "statuses": MODEL_STATUSES,
        "roles": RoleName.choices,
    }
    if wants_part(request):
        return render(request, "threatmodels/_threat_models_found.html", context)
    return render(request, "threatmodels/dashboard.html", context | insights(user))


def insights(user: User) -> dict[str, Any]:
    """The numbers above the list, each counted by the database."""
    visible = access.visible_to(user).values("pk")
    threats = Threat.objects.live().open().filter(threat_model__in=visible)
    counted = dict(threats.annotate(level=Lower("severity")).values_list("level").annotate(Count("pk")))
    known = [(name, label, counted.pop(name, 0)) for name, label in SEVERITIES if name != "unknown"]
    bare = access.visible_to(user).filter(_without_diagram())
    return {
        "by_severity": [*known, ("unknown", dict(SEVERITIES)["unknown"], sum(counted.values()))],
        "unmitigated": threats.filter(Q(mitigation=None) | Q(mitigation="")).count(),
        "without_diagram": bare.count(),
    }


def _without_diagram() -> Any:
    return ~Exists(Diagram.objects.live().filter(threat_model=OuterRef("pk")))


def _filtered(models: ThreatModelQuerySet, request: HttpRequest) -> ThreatModelQuerySet:
    """Filters of the page; a value that does not exist finds nothing and is no error."""
    given = parameters(request)
    if words := given.get("q", "").strip():
        models = models.search(words)
    if framework := given.get("framework"):
        models = models.filter(threat_model_framework=framework)
    if status := given.get("status"):
        models = models.filter(status=status)
    if owner := given.get("owner", "").strip():
        models = models.filter(Q(owner__name__icontains=owner) | Q(owner__email__icontains=owner))
    if role := given.get("role"):
        ranks = [r.value for r in Role if r.label == role]
        models = models.filter(role_rank__in=ranks)
    return _only(models, given.get("only", ""))


def _only(models: ThreatModelQuerySet, what: str) -> ThreatModelQuerySet:
    """The lists behind the insights."""
    if what == "without-diagram":
        return models.filter(_without_diagram())
    threats: QuerySet[Threat] = Threat.objects.live().open().filter(threat_model=OuterRef("pk"))
    if what == "unmitigated":
        return models.filter(Exists(threats.filter(Q(mitigation=None) | Q(mitigation=""))))
    if what.startswith("severity-"):
        severity = what.removeprefix("severity-")
        named = [name for name, _label in SEVERITIES if name != "unknown"]
        matching = threats.filter(severity__iexact=severity)
        if severity == "unknown":
            other = threats.alias(level=Lower("severity"))
            matching = other.filter(Q(severity=None) | ~Q(level__in=named))
        return models.filter(Exists(matching))
    return models


def _only_title(what: str) -> str:
    """Which of the lists behind the insights is shown; empty for no such list."""
    if what == "without-diagram":
        return _("Models without a diagram")
    if what == "unmitigated":
        return _("With open threats without mitigation")
    severity = dict(SEVERITIES).get(what.removeprefix("severity-"))
    if severity is None or not what.startswith("severity-"):
        return ""
    return _("With open threats of severity: %(severity)s") % {"severity": severity}


def _sorted(models: ThreatModelQuerySet, wanted: str) -> tuple[ThreatModelQuerySet, str]:
    sort = wanted if wanted.removeprefix("-") in SORTS else DEFAULT_SORT
    sign = "-" if sort.startswith("-") else ""
    return models.order_by(f"{sign}{SORTS[sort.removeprefix('-')]}", f"{sign}id"), sort
