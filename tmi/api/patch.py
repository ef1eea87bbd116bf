"""The two kinds of patches that PATCH takes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import jsonpatch
import jsonpointer

from tmi.lib.errors import Conflict, ValidationFailed
from tmi.lib.json import MOST_NESTED, encode, nested_deeper

Json = dict[str, Any]
MOST_OPERATIONS = 1000
MALFORMED = (
    jsonpatch.JsonPatchException,
    jsonpointer.JsonPointerException,
    TypeError,
    KeyError,
    ValueError,
    RecursionError,
)
NOTHING_THERE = "There is nothing at the place that it names, or nothing can be put there."
TOO_DEEP = "The patch nests the document too deeply."
# The first that fits; what the libraries say themselves is written for programmers.
REASONS: Sequence[tuple[type[Exception], str]] = (
    (
        jsonpatch.InvalidJsonPatch,
        "An operation is an object with op, one of add, remove, replace, move, copy and test, with path, and"
        " with the value or from that op asks for; both places are JSON Pointers.",
    ),
    (jsonpatch.JsonPatchConflict, NOTHING_THERE),
    (jsonpointer.JsonPointerException, NOTHING_THERE),
    (RecursionError, TOO_DEEP),
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
    if nested_deeper(document, MOST_NESTED):
        raise ValidationFailed.of("", TOO_DEEP)
    return document


def _apply(document: Any, operation: Any, pointer: str) -> Any:
    try:
        changed = jsonpatch.apply_patch(document, [operation], in_place=True)
    except jsonpatch.JsonPatchTestFailed:
        raise Conflict("The test of the patch fails.", details={"field": pointer}) from None
    except MALFORMED as e:
        raise ValidationFailed.of(pointer, _reason(e)) from None
    if operation.get("op") == "copy":
        if nested_deeper(changed, MOST_NESTED):
            raise ValidationFailed.of(pointer, TOO_DEEP)
        if len(encode(changed)) > LARGEST_RESULT:
            raise ValidationFailed.of(pointer, "The patch makes the document too large.")
    return changed


def _reason(error: Exception) -> str:
    return next((reason for kind, reason in REASONS if isinstance(error, kind)), NOTHING_THERE)
