"""/.well-known/jwks.json: the public keys of access tokens, for whoever checks them elsewhere."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts import keys


@require_safe
@cache_control(public=True, max_age=300)
def key_set(request: HttpRequest) -> JsonResponse:
    return JsonResponse(keys.key_set())
