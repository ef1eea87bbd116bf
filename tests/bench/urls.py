"""The site map, and a view that runs so many of the simplest queries and answers so many bytes."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from tmi.urls import *  # noqa: F403
from tmi.urls import urlpatterns as site


@csrf_exempt
def bare(request: HttpRequest, queries: int, size: int) -> HttpResponse:
    with connection.cursor() as cursor:
        for _ in range(queries):
            cursor.execute("SELECT 1")
            cursor.fetchone()
    return HttpResponse(b"x" * size, content_type="application/json")


urlpatterns = [path("bare/<int:queries>/<int:size>", bare), *site]
