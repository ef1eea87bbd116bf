"""The resources of a threat model, a row each: what a test needs to know to try any of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """`name` is the plural in addresses; `sample` makes one, `change` is a PATCH of it."""

    name: str
    kind: str
    sample: Json
    change: Json
    bad: list[tuple[Json, str]] = field(default_factory=list)

    def __str__(self) -> str:
        return self.name


def deep(levels: int) -> Any:
    """An object with objects in it."""
    value: Json = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


LONG_NAME = {"name": "x" * 201}
RESOURCES = [
    Resource(
        "threats",
        "threat",
        {"name": "SQL injection", "severity": "high", "score": 7.5, "cwe_ids": ["CWE-89"]},
        {"status": "Resolved", "mitigated": True},
        [
            (LONG_NAME, "name"),
            ({"name": "x", "score": 7.55}, "score"),
            ({"name": "x", "score": 10.1}, "score"),
            ({"name": "x", "score": "7.5"}, "score"),
            ({"name": "x", "cwe_ids": ["89"]}, "/cwe_ids/0"),
            ({"name": "x", "issue_uri": "javascript:alert(1)"}, "issue_uri"),
            ({"name": "x", "cvss_vector": "CVSS:3.1/nonsense"}, "cvss_vector"),
            ({"name": "x", "diagram_id": "0190a000-0000-7000-8000-000000000000"}, "diagram_id"),
            ({"name": "x", "mitigated": "yes"}, "mitigated"),
            ({"name": "x", "description": "y" * 2001}, "description"),
            ({"name": "a\u202eb"}, "name"),
            ({"name": "a\nb"}, "name"),
            ({"name": "x", "description": "nul \u0000"}, "description"),
        ],
    ),
    Resource(
        "assets",
        "asset",
        {"name": "Customer records", "type": "data", "classification": ["personal"]},
        {"criticality": "high"},
        [
            ({"name": "x", "type": "gold"}, "type"),
            ({"name": "   ", "type": "data"}, "name"),
            ({"name": "x", "type": "data", "classification": ["a", "a"]}, "classification"),
        ],
    ),
    Resource(
        "documents",
        "document",
        {"name": "Architecture", "uri": "https://example.org/a.pdf"},
        {"description": "The big picture"},
        [
            ({"name": "x", "uri": "javascript:alert(1)"}, "uri"),
            ({"name": "x", "uri": "no scheme"}, "uri"),
            ({"name": "x", "uri": " "}, "uri"),
        ],
    ),
    Resource(
        "notes",
        "note",
        {"name": "Meeting", "content": "# Agreed\nNothing"},
        {"content": "# Agreed\nSomething"},
        [({"name": "x", "content": " \n"}, "content"), ({"name": "x", "content": "y" * 262_145}, "content")],
    ),
    Resource(
        "repositories",
        "repository",
        {
            "name": "shop",
            "uri": "git@example.org:shop.git",
            "type": "git",
            "parameters": {"ref_type": "branch"},
        },
        {"uri": "https://example.org/shop.git"},
        [
            ({"uri": "file:///etc/passwd"}, "uri"),
            ({"uri": "https://x.org", "type": "cvs"}, "type"),
            ({"uri": "https://x.org", "parameters": [1]}, "parameters"),
            ({"uri": "https://x.org", "parameters": {"a": ["x", "b\x1b"]}}, "/parameters/a/1"),
            ({"uri": "https://x.org", "parameters": {"a\x07": 1}}, "parameters"),
            ({"uri": "https://x.org", "parameters": {"a": "x" * 16_384}}, "parameters"),
            ({"uri": "https://x.org", "parameters": deep(33)}, "parameters"),
        ],
    ),
    Resource(
        "diagrams",
        "diagram",
        {
            "name": "Main",
            "diagram_data": {
                "cells": [
                    {
                        "id": "0190a000-0000-7000-8000-000000000001",
                        "type": "process",
                        "properties": {"label": "Shop"},
                        "position": {"x": 0, "y": 0},
                        "size": {"width": 100, "height": 60},
                    }
                ]
            },
        },
        {"content": "What happens at checkout"},
        [
            (LONG_NAME, "name"),
            ({"name": "x", "diagram_data": {"cells": [{}]}}, "/diagram_data/cells/0/id"),
            ({"name": "x", "diagram_data": {"cells": 3}}, "/diagram_data/cells"),
        ],
    ),
]
