"""`Idempotency-Key`: a POST that is sent again, because its answer was lost, is carried out once.

The change, the answer and the key are stored in one transaction, so that a crash leaves all or none of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import KeptAnswer, User
from accounts.models.kept_answer import KEPT_FOR
from tmi.lib.context import request_id
from tmi.lib.errors import Conflict, ValidationFailed
from tmi.lib.json import read_back

HEADER = "Idempotency-Key"
KEPT_HEADERS = ("Location", "ETag")
_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")

Handler = Callable[..., Response]
Refuse = Callable[[Exception], Response]


def once(request: Request, user: User, handler: Handler, refuse: Refuse, *, secret: bool) -> Handler:
    """The handler, run once for the key of the request; `refuse` turns an exception into its answer.

    A `secret` answer is not kept. Raises Conflict where the key was used for another body, where the first
    request is still under way, or where the answer was not kept.
    """
    key = request.headers[HEADER]
    if not _KEY.match(key):
        raise ValidationFailed.of(HEADER, "1 to 255 printable ASCII characters without spaces are expected.")

    def run(*args: Any, **kwargs: Any) -> Response:
        with transaction.atomic():
            _lock(user, request.path, key)
            body = _hash(request)
            kept = _kept(user, request.path, key)
            if kept is not None:
                return _again(kept, body)
            response = _carried_out(lambda: handler(*args, **kwargs), refuse)
            KeptAnswer.objects.create(
                user=user, path=request.path, key=key, body_hash=body, **_content(response, secret)
            )
            return response

    return run


def _lock(user: User, path: str, key: str) -> None:
    """Until the end of the transaction; whoever comes second does not wait."""
    digest = hashlib.sha256(f"{user.pk} {path} {key}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], "big", signed=True)]
        )
        [taken] = cursor.fetchone()
    if not taken:
        raise Conflict("The first request with this key is still under way.", details={"field": HEADER})


def _kept(user: User, path: str, key: str) -> KeptAnswer | None:
    found = KeptAnswer.objects.filter(user=user, path=path, key=key).first()
    if found is not None and found.created_at < timezone.now() - KEPT_FOR:
        found.delete()
        return None
    return found


def _again(kept: KeptAnswer, body: str) -> Response:
    if kept.body_hash != body:
        raise Conflict("This key was used for another request.", details={"field": HEADER})
    if kept.status is None:
        raise Conflict("The first answer carried a secret and was not kept.", details={"field": HEADER})
    response = Response(
        _with_id(kept.data), status=kept.status, headers={**kept.headers, "Idempotent-Replayed": "true"}
    )
    response.exception = kept.status >= 400
    return response


def _with_id(data: Any) -> Any:
    """The first answer but for the id of the request, which is that of this one."""
    return {**data, "meta": {**data["meta"], "request_id": request_id.get()}} if data else data


def _carried_out(act: Callable[[], Response], refuse: Refuse) -> Response:
    """The answer; of a refusal too, whose changes are taken back. What is the server's fault is raised."""
    try:
        with transaction.atomic():
            return act()
    except Exception as error:
        response = refuse(error)
        if response.status_code >= 500:
            raise
        response.exception = True
        return response


def _content(response: Response, secret: bool) -> dict[str, Any]:
    if secret and response.status_code < 400:
        return {}
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    return {"status": response.status_code, "headers": headers, "data": read_back(response.data)}


def _hash(request: Request) -> str:
    """Of what the body says: the same form may be sent with another boundary."""
    digest = hashlib.sha256()
    if request.content_type.startswith("multipart/"):
        for name, value in sorted(request.data.items()):
            digest.update(name.encode())
            digest.update(_bytes(value))
    else:
        digest.update(request.body)
    return digest.hexdigest()


def _bytes(value: Any) -> bytes:
    if not isinstance(value, UploadedFile):
        return str(value).encode()
    content = value.read()
    value.seek(0)
    return content
