"""What Django's own sign-in and sign-out mean here: a sign-in session begins or ends.

Django's signals are the one place that every way in passes: the sign-in page, links, tests, the admin site.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest

from accounts.actions.session import end_session, start_session
from accounts.middleware import SIGN_IN
from accounts.models import SignInSession, User
from tmi.address import client_address
from tmi.lib.ids import NO_ID, parse_id


def begin(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    session = start_session(
        user, address=client_address(request), user_agent=request.headers.get("User-Agent", "")
    )
    request.session[SIGN_IN] = str(session.pk)
    request.sign_in_session = session  # type: ignore[attr-defined]


def end(sender: Any, request: HttpRequest, **_: Any) -> None:
    pk = parse_id(request.session.get(SIGN_IN)) or NO_ID
    held = SignInSession.objects.select_related("user").filter(pk=pk).first()
    if held is not None:
        end_session(held)


def connect() -> None:
    user_logged_in.connect(begin, dispatch_uid="accounts.sign_in.begin")
    user_logged_out.connect(end, dispatch_uid="accounts.sign_in.end")
