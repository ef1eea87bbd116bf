"""An element of a Threat Dragon diagram on its way to a cell."""

from __future__ import annotations

from dataclasses import dataclass

from threatmodels.interchange.threat_dragon_element import Element


@dataclass(frozen=True, slots=True)
class Draft:
    """An element whose type, id and name in findings are settled."""

    element: Element
    type: str
    id: str
    title: str
