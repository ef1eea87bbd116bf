"""What pages about accounts ask for."""

from __future__ import annotations

from django import template
from django.conf import settings

from accounts.social import title

register = template.Library()


@register.simple_tag
def identity_providers() -> list[dict[str, str]]:
    """The providers that people can sign in with."""
    active = settings.CONFIG.auth.oauth.active
    return [{"id": name, "name": title(name, provider)} for name, provider in active.items()]


@register.filter
def provider_title(name: str) -> str:
    """What people read of a provider, also of one that is not configured any more."""
    known = settings.CONFIG.auth.oauth.providers.get(name)
    return title(name, known) if known else name
