"""What somebody is told whose answer was not there in time: the work behind it may still be going on."""

from typing import Any
from uuid import UUID

from tmi.lib.ids import new_id, parse_id

ID_HEADER = b"x-request-id"
_TEXT = "The answer took too long. What was asked for may still be done."

Headers = list[tuple[bytes, bytes]]


def name_request(scope: dict[str, Any]) -> UUID:
    """The id of a request, which the application finds in its header and so answers and logs with too."""
    given = dict(scope["headers"]).get(ID_HEADER, b"").decode("latin1")
    known = parse_id(given)
    if known is None:
        known = new_id()
        others = [pair for pair in scope["headers"] if pair[0] != ID_HEADER]
        scope["headers"] = [*others, (ID_HEADER, str(known).encode())]
    return known


def too_late(path: str, known: UUID | None) -> tuple[Headers, bytes]:
    """Headers and body of a 503: the error object below /api, a line of text elsewhere."""
    # The application is loaded by now, and so is what this needs.
    from tmi.api.envelope import failure
    from tmi.lib.context import request_id
    from tmi.lib.errors import Unavailable
    from tmi.lib.json import encode

    kind, body = b"text/plain; charset=utf-8", _TEXT.encode()
    if path.startswith("/api/"):
        token = request_id.set(known)
        kind, body = b"application/json", encode(failure(Unavailable(_TEXT)))
        request_id.reset(token)
    headers = [(b"Content-Type", kind), (b"Content-Length", str(len(body)).encode())]
    if known is not None:
        headers.append((b"X-Request-ID", str(known).encode()))
    return headers, body
