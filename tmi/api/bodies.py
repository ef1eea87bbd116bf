"""Bodies of PATCH and PUT against the present state."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import Serializer

from tmi.api.errors import checked
from tmi.api.parse import JsonPatchParser
from tmi.api.patch import json_patch
from tmi.api.serializers import Json, fields_of, writable
from tmi.lib.errors import FieldError, ValidationFailed
from tmi.lib.json import read_back

SERVERS = "The server sets this field."


def is_json_patch(request: Request) -> bool:
    return str(request.content_type).startswith(JsonPatchParser.media_type)


def patched(request: Request, serializer: type[Serializer[Any]], current: Json) -> Json:
    """The checked fields that a PATCH of either kind leaves; what a JSON Patch removes is null."""
    if not is_json_patch(request):
        return checked(serializer(data=request.data, partial=True))
    known = writable(serializer)
    after = json_patch(read_back(current), request.data)
    refuse_removed(serializer, current, after)
    refuse_changed(serializer, current, after)
    given = {name: value for name, value in after.items() if name in known or name not in current}
    return dict.fromkeys(known) | checked(serializer(data=given))


def merge_patch(request: Request, current: Json) -> Any:
    """The body of a PATCH as a merge patch of the top level, which a JSON Patch is turned into.

    `current` has what a JSON Patch may speak of: what changes is there with its new value, what goes is null.
    """
    if not is_json_patch(request):
        return request.data
    before = read_back(current)
    after = json_patch(before, request.data)
    changed = {name: value for name, value in after.items() if name not in before or value != before[name]}
    return changed | {name: None for name in before if name not in after}


def refuse_changed(serializer: type[Serializer[Any]], current: Json, body: Json) -> None:
    """Raises ValidationFailed for what is the server's and not as it was; the order of keys means nothing."""
    fields, sent = fields_of(serializer), read_back(current)
    changed = [
        FieldError(name, SERVERS)
        for name, value in body.items()
        if name in fields and fields[name].read_only and value != sent.get(name)
    ]
    if changed:
        raise ValidationFailed(changed)


def refuse_removed(serializer: type[Serializer[Any]], current: Json, after: Json) -> None:
    """Raises ValidationFailed for what is the server's and not there after a JSON Patch."""
    fields = fields_of(serializer)
    gone = [name for name in current if name not in after and name in fields and fields[name].read_only]
    if gone:
        raise ValidationFailed(FieldError(name, SERVERS) for name in gone)
