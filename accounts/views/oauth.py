"""The way to an identity provider and back."""

from __future__ import annotations

import logging
from typing import Any

import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from tmi.lib.errors import DomainError, NotFound

logger = logging.getLogger(__name__)

# What a provider that does not keep to its protocol makes of the code that reads it.
MISREAD = (
    requests.RequestException,
    OAuth2Error,
    ImproperlyConfigured,  # an id of a person that is longer than any
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
)


@require_POST
@never_cache
def leave(request: HttpRequest, name: str) -> HttpResponse:
    """Sends a person to a provider, to sign in or to link what they have there.

    By a page and not by a redirect: the policy of our pages lets no form lead to another server.
    """
    provider = _provider(request, name)
    is_link = request.POST.get("process") == "connect"
    if is_link and not request.user.is_authenticated:
        raise DomainError(_("Sign in first; then you can link another identity."), code="PERMISSION_DENIED")
    try:
        away = provider.redirect(
            request, AuthProcess.CONNECT if is_link else AuthProcess.LOGIN, next_url=_next(request)
        )
        where = away["Location"]
    except MISREAD as error:
        raise _unreachable(name, error) from error
    return render(request, "accounts/leave.html", {"where": where, "provider": provider.app.name})


@require_GET
@never_cache
def callback(request: HttpRequest) -> HttpResponse:
    """Where every provider sends people back to; the state says which one it was."""
    stashed: Any = statekit.get_states(request).get(request.GET.get("state", ""))
    if stashed is None:
        raise DomainError(_("This sign-in was not begun here, or took too long."), code="VALIDATION_ERROR")
    name = str(stashed[2])
    view = OAuth2CallbackView.adapter_view(_provider(request, name).get_oauth2_adapter(request))
    try:
        answer: HttpResponse = view(request)
    except MISREAD as error:
        raise _unreachable(name, error) from error
    return answer


def _provider(request: HttpRequest, name: str) -> Any:
    try:
        return get_adapter().get_provider(request, name)
    except SocialApp.DoesNotExist:
        raise NotFound(_("There is no such provider.")) from None


def _next(request: HttpRequest) -> str | None:
    wanted = request.POST.get("next", "")
    hosts = {request.get_host()}
    safe = url_has_allowed_host_and_scheme(wanted, hosts, require_https=request.is_secure())
    return wanted if safe else None


def _unreachable(name: str, error: Exception) -> DomainError:
    logger.warning("The identity provider %s cannot be used: %s", name, type(error).__name__)
    return DomainError(
        _("The identity provider does not answer as it should. Try again later."), code="SERVICE_UNAVAILABLE"
    )
