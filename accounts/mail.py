"""Mails of our own, beside allauth's."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import get_connection, send_mail
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _


def absolute_url(request: HttpRequest | None, path: str) -> str:
    """The address of a page as people reach it, by `server.public_url`, else the request's checked Host."""
    public = settings.CONFIG.server.public_url
    if public:
        return f"{public}{path}"
    if request is not None:
        return request.build_absolute_uri(path)
    server = settings.CONFIG.server
    return f"{'https' if server.tls_enabled else 'http'}://localhost:{server.port}{path}"


def send_invitation(email: str, link: str, *, at_once: bool = False) -> None:
    """Sends it in the background, or `at_once`, which raises OSError (of which those of SMTP are)."""
    text = render_to_string("accounts/mail_invitation.txt", {"link": link})
    connection = get_connection(at_once=at_once)
    send_mail(_("You are invited to TMI"), text, None, [email], connection=connection)
