"""The properties of a cell: its texts, the flags that are known, and all else under `threat_dragon`."""

from __future__ import annotations

import json
from typing import Any

from threatmodels.interchange.document import Cell
from threatmodels.interchange.intake import Intake
from threatmodels.interchange.plain import snake_case, without_nulls
from threatmodels.interchange.threat_dragon_element import USUAL_SHAPES, Element

FLAGS = frozenset(
    [
        "handlesCardPayment",
        "handlesGoodsOrServices",
        "isALog",
        "isEncrypted",
        "isPublicNetwork",
        "isSigned",
        "isWebApplication",
        "providesAuthentication",
        "storesCredentials",
        "storesInventory",
    ]
)
WORDS = frozenset(["privilegeLevel", "protocol"])
# Said elsewhere in the cell, or worked out from its threats and its type.
SAID = frozenset(["outOfScope", "reasonOutOfScope", "isBidirectional", "hasOpenThreats", "isTrustBoundary"])

LABEL_LENGTH = 1_000
WORD_LENGTH = 200
TEXT_LENGTH = 2_000
MAX_CELL_BYTES = 32 * 1024


def properties_of(element: Element, *, title: str, intake: Intake) -> dict[str, Any]:
    """Label and description first, then the flags in snake_case, then what only Threat Dragon knows."""
    texts = {
        "label": intake.prose(element.label, element=title, field="name", limit=LABEL_LENGTH),
        "description": intake.prose(
            element.description, element=title, field="description", limit=TEXT_LENGTH
        ),
        "out_of_scope_reason": intake.prose(
            element.data.get("reasonOutOfScope"),
            element=title,
            field="reason out of scope",
            limit=TEXT_LENGTH,
        ),
    }
    found: dict[str, Any] = {key: text for key, text in texts.items() if text or key == "label"}
    found |= _known(element.data, title, intake)
    if element.smooth:
        found["connector"] = "smooth"
    if others := _others(element):
        found["threat_dragon"] = others
    return found


def slimmed(cell: Cell, *, title: str, intake: Intake) -> Cell:
    """The cell within the size that one may have."""
    if _bytes(cell) > MAX_CELL_BYTES:
        whole = json.dumps(cell["properties"].pop("threat_dragon", {}), ensure_ascii=False, indent=1)
        intake.keep_whole(whole, element=title, field="further values")
        intake.report.change(title, "Its further values are too long for a diagram; a note has them.")
    return cell


def _known(data: dict[str, Any], title: str, intake: Intake) -> dict[str, Any]:
    found: dict[str, Any] = {key: data[key] for key in FLAGS & data.keys() if isinstance(data[key], bool)}
    for key in WORDS & data.keys():
        found[key] = intake.line(data[key], element=title, field=snake_case(key), limit=WORD_LENGTH)
    return {snake_case(key): found[key] for key in data if found.get(key, "") != ""}


def _others(element: Element) -> dict[str, Any]:
    known = FLAGS | WORDS | SAID
    data = {key: value for key, value in element.data.items() if key not in known or _is_odd(key, value)}
    others: dict[str, Any] = {"data": data} if data else {}
    others |= {"cell": element.rest} if element.rest else {}
    if element.shape and element.shape.strip().lower() not in USUAL_SHAPES:
        others["shape"] = element.shape
    kept: dict[str, Any] = without_nulls(others)
    return {key: value for key, value in kept.items() if value}


def _is_odd(key: str, value: object) -> bool:
    """Whether a flag holds something that a flag does not."""
    return key in FLAGS and not isinstance(value, bool)


def _bytes(cell: Cell) -> int:
    return len(json.dumps(cell, ensure_ascii=False).encode())
