"""Who opens a socket, and whether they may: by the browser's session or by a ticket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http.cookie import parse_cookie
from django.http.request import split_domain_port, validate_host

from accounts.actions.session import seen
from accounts.actions.ticket import spend_ticket
from accounts.middleware import SIGN_IN
from accounts.models import SignInSession, User
from collaboration.actions.session import join_session
from collaboration.connection import NOT_ALLOWED, NOT_FOUND, SIGNED_OUT
from threatmodels import access
from threatmodels.access import Place
from threatmodels.models import Diagram
from threatmodels.roles import Role
from tmi.lib import rows
from tmi.lib.errors import NotFound, PermissionDenied
from tmi.lib.ids import NO_ID, parse_id

MOST_SINCE_DIGITS = 18


class Refused(Exception):
    """The socket is closed at once, with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Knock:
    """What a client says when it opens a socket."""

    diagram_id: UUID | None
    cookie: str
    origin: str
    host: str
    secure: bool
    ticket: str
    since: int | None

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Knock:
        headers = {name.lower(): value.decode("latin1") for name, value in scope["headers"]}
        asked = parse_qs(scope["query_string"].decode("latin1"), keep_blank_values=True)
        return cls(
            diagram_id=parse_id(scope["url_route"]["kwargs"]["diagram_id"]),
            cookie=_session_cookie(headers.get(b"cookie", "")),
            origin=headers.get(b"origin", ""),
            host=headers.get(b"host", ""),
            secure=scope.get("scheme") == "wss",
            ticket=asked.get("ticket", [""])[-1],
            since=_since(asked.get("since", [None])[-1]),
        )

    @property
    def base_url(self) -> str:
        """The address of the site, as far as this client is concerned."""
        return settings.PUBLIC_URL or f"http{'s' if self.secure else ''}://{self.host}"

    def has_foreign_origin(self) -> bool:
        """Whether a page of another site sends the cookie along; a ticket is no cookie."""
        if self.ticket or not self.cookie:
            return False
        # A proxy that is not trusted may hide that it was asked by https.
        safe = self.secure or settings.PUBLIC_URL.startswith("https:")
        hosts = [f"{scheme}://{self.host}" for scheme in (("https",) if safe else ("http", "https"))]
        ours = {_origin(url) for url in (settings.PUBLIC_URL, *hosts)}
        return _origin(self.origin) not in ours - {None}

    def has_known_host(self) -> bool:
        """The check that Django makes of the Host of every request."""
        domain, _port = split_domain_port(self.host)
        return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


@dataclass(frozen=True, slots=True)
class Admission:
    """A person, where they may be, the session that they have joined, and who is said to be there."""

    place: Place
    name: str
    role: Role
    session_id: UUID
    there: frozenset[UUID]


def admit(knock: Knock) -> tuple[User, SignInSession, Diagram]:
    """Who it is and the diagram, which they may read. Raises Refused."""
    sign_in = spend_ticket(knock.ticket) if knock.ticket else _by_cookie(knock.cookie)
    if sign_in is None:
        raise Refused(SIGNED_OUT)
    rows.become(sign_in.user_id)
    seen(sign_in)
    found = Diagram.objects.filter(pk=knock.diagram_id or NO_ID, deleted_at=None)
    diagram = found.defer("cells", "svg_image", "content").first()
    if diagram is None:
        raise Refused(NOT_FOUND)
    try:
        diagram.threat_model = access.get_threat_model(sign_in.user, diagram.threat_model_id)
    except NotFound:
        raise Refused(NOT_FOUND) from None
    return sign_in.user, sign_in, diagram


def join(user: User, sign_in: SignInSession, diagram: Diagram, base_url: str) -> Admission:
    """Takes the person into the live session of the diagram, which may begin now. Raises Refused."""
    role = access.role_of(diagram.threat_model)
    try:
        session, _began = join_session(diagram, user=user, role=role, base_url=base_url)
    except PermissionDenied:
        raise Refused(NOT_ALLOWED) from None
    there = frozenset(session.participants.filter(left_at=None).values_list("user_id", flat=True))
    return Admission(Place(user.pk, sign_in.pk, diagram.pk), user.name, role, session.pk, there)


def _by_cookie(key: str) -> SignInSession | None:
    if not key:
        return None
    store = import_module(settings.SESSION_ENGINE).SessionStore(key)
    live = SignInSession.objects.live().select_related("user").filter(user__is_active=True)
    found = live.filter(pk=parse_id(store.get(SIGN_IN)) or NO_ID).first()
    return found if found is not None and str(found.user_id) == store.get(SESSION_KEY) else None


def _session_cookie(header: str) -> str:
    """As Django reads it for pages: one odd cookie does not spoil the others."""
    return parse_cookie(header).get(settings.SESSION_COOKIE_NAME, "")


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of a web page; None of what is no address of one."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


def _since(text: str | None) -> int | None:
    """The number; -1, which no diagram has been at, where it is malformed."""
    if text is None:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_SINCE_DIGITS else -1
