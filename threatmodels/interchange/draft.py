"""An element of a diagram on its way from a file to a cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from threatmodels.interchange.geometry import Box, Point

# An end of a flow: the name of an element in the file, a place, or nothing that is known.
End = str | Point | None


@dataclass(slots=True, kw_only=True)
class Draft:
    """An element whose type and id are settled. `ref` is its name in the file, `title` that in findings.

    `line` are the points of a boundary that is no box; `more` goes into the cell as it is. `absolute`
    says that its box counts from 0, 0 although those of the others do not.
    """

    ref: str
    type: str
    id: str
    title: str
    properties: dict[str, Any]
    box: Box | None = None
    parent: str | None = None
    source: End = None
    target: End = None
    ports: tuple[str, str] = ("", "")
    vertices: list[Point] = field(default_factory=list)
    line: list[Point] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    absolute: bool = False

    @property
    def is_flow(self) -> bool:
        return self.type == "data_flow"
