"""The two kinds of patches that PATCH takes."""

from __future__ import annotations

import copy
from typing import Any

import jsonpatch
import jsonpointer

from tmi.lib.errors import Conflict, ValidationFailed
from tmi.lib.json import encode

Json = dict[str, Any]
MOST_OPERATIONS = 1000
MALFORMED = (
    jsonpatch.JsonPatchException,
    jsonpointer.JsonPointerException,
    TypeError,
    KeyError,
    ValueError,
)
# Copying a part into itself over and over doubles it each time.
LARGEST_RESULT = 8 * 1024 * 1024


def merge(target: Any, patch: Any) -> Any:
    """JSON Merge Patch (RFC 7396); the target is not changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def json_patch(document: Json, operations: Any) -> Json:
    """JSON Patch (RFC 6902). Raises Conflict where `test` fails, else ValidationFailed."""
    if not isinstance(operations, list):
        raise ValidationFailed.of("", "A JSON Patch is a list of operations.")
    if len(operations) > MOST_OPERATIONS:
        raise ValidationFailed.of("", f"At most {MOST_OPERATIONS} operations.")
    document = copy.deepcopy(document)
    for index, operation in enumerate(operations):
        document = _apply(document, operation, f"/{index}")
    if not isinstance(document, dict):
        raise ValidationFailed.of("", "The patch leaves no JSON object.")
    return document


def _apply(document: Any, operation: Any, pointer: str) -> Any:
    try:
        changed = jsonpatch.apply_patch(document, [operation], in_place=True)
    except jsonpatch.JsonPatchTestFailed:
        raise Conflict("The test of the patch fails.", details={"field": pointer}) from None
    except MALFORMED as e:
        raise ValidationFailed.of(pointer, f"The operation cannot be carried out: {_reason(e)}") from None
    if operation.get("op") == "copy" and len(encode(changed)) > LARGEST_RESULT:
        raise ValidationFailed.of(pointer, "The patch makes the document too large.")
    return changed


def _reason(error: Exception) -> str:
    text = str(error).strip("'\"").splitlines()[0][:200] if str(error) else ""
    return text or "it is malformed"
