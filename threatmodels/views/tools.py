"""Small helpers of the pages that belong to no threat model."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render

from threatmodels import access
from threatmodels.knowledge import cwe as weaknesses
from threatmodels.views.base import page, parameters, person
from tmi.lib.markdown import to_html

LONGEST_TEXT = 100_000
MOST_PEOPLE = 10


@page("GET")
def cwe(request: HttpRequest) -> HttpResponse:
    """Weaknesses that fit the words `q`."""
    q = parameters(request).get("q", "").strip()
    return render(request, "threatmodels/_cwe.html", {"q": q, "found": weaknesses.search(q)})


@page("GET")
def people(request: HttpRequest) -> HttpResponse:
    """People whom the person knows and who fit what is typed as `email`, as options of a list."""
    words = parameters(request).get("email", "").strip()
    known = access.people_known_to(person(request)).exclude(pk=person(request).pk)
    fits = Q(name__icontains=words) | Q(email__icontains=words)
    found = known.filter(fits).order_by("name", "pk")[:MOST_PEOPLE] if words else []
    return render(request, "threatmodels/_people.html", {"found": found})


@page("GET")
def token(request: HttpRequest) -> JsonResponse:
    """The token for changes, which a sign-in in another tab has replaced, and whose it is."""
    return JsonResponse({"token": get_token(request), "person_id": str(person(request).pk)})


@page("POST")
def markdown(request: HttpRequest) -> HttpResponse:
    """The HTML of a text of the note's field, as its page will show it."""
    return HttpResponse(to_html(request.POST.get("content", "")[:LONGEST_TEXT]))
