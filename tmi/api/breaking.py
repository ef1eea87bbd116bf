"""What a change of the OpenAPI document takes away from clients that were written for the one before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")


def breaking_changes(before: Json, after: Json) -> list[str]:
    """One sentence each: lost operations, answers and fields, new duties, and other types."""
    return [*_operations(before, after), *_schemas(before, after)]


def _operations(before: Json, after: Json) -> Iterator[str]:
    for path, operations in before["paths"].items():
        for method in METHODS:
            if method not in operations:
                continue
            new = after["paths"].get(path, {}).get(method)
            if new is None:
                yield f"{method} {path} is gone"
            else:
                yield from _operation(f"{method} {path}", operations[method], new)


def _operation(where: str, old: Json, new: Json) -> Iterator[str]:
    known = {(one["in"], one["name"]): one for one in old.get("parameters", [])}
    present = {(one["in"], one["name"]): one for one in new.get("parameters", [])}
    yield from (f"{where}: the parameter {name} is gone" for place, name in known.keys() - present.keys())
    for key, one in present.items():
        if one.get("required") and not known.get(key, {}).get("required"):
            yield f"{where}: the parameter {key[1]} is required"
    if new.get("requestBody", {}).get("required") and not old.get("requestBody", {}).get("required"):
        yield f"{where}: a body is required"
    for media in _media(old) - _media(new):
        yield f"{where}: {media} is not taken any more"
    for status in old["responses"].keys() - new["responses"].keys():
        if status.startswith("2"):
            yield f"{where}: {status} is not answered any more"


def _media(operation: Json) -> set[str]:
    return set(operation.get("requestBody", {}).get("content", {}))


def _schemas(before: Json, after: Json) -> Iterator[str]:
    present = after["components"]["schemas"]
    for name, old in before["components"]["schemas"].items():
        if name in present:
            yield from _schema(name, old, present[name])


def _schema(name: str, old: Json, new: Json) -> Iterator[str]:
    taken = name.endswith("Request")
    for field, schema in old.get("properties", {}).items():
        if field not in new.get("properties", {}):
            yield f"{name}.{field} is gone"
        elif _type(schema) != _type(new["properties"][field]):
            yield f"{name}.{field} has another type"
        elif taken and set(schema.get("enum", ())) - set(new["properties"][field].get("enum", ())):
            yield f"{name}.{field} takes less"
    required_before, required_now = set(old.get("required", ())), set(new.get("required", ()))
    if taken:
        yield from (f"{name}.{field} is required" for field in sorted(required_now - required_before))
    else:
        lost = sorted((required_before - required_now) & set(new.get("properties", {})))
        yield from (f"{name}.{field} may be missing" for field in lost)


def _type(schema: Json) -> str:
    return str([schema.get(key) for key in ("type", "format", "$ref")])
