"""One element of a Threat Dragon diagram, whichever version wrote it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# Shapes of version 2 (with their historic spellings) and types of version 1, to our types of cell.
TYPES = {
    "process": "process",
    "tm.process": "process",
    "agent": "process",
    "tm.agent": "process",
    "agent-tool": "process",
    "tm.tool": "process",
    "store": "datastore",
    "tm.store": "datastore",
    "actor": "external_entity",
    "tm.actor": "external_entity",
    "flow": "data_flow",
    "flow-stencil": "data_flow",
    "tm.flow": "data_flow",
    "tm.flowstencil": "data_flow",
    "trust-boundary": "trust_boundary",
    "trust-boundary-box": "trust_boundary",
    "trust-boundary-curve": "trust_boundary",
    "trust-boundary-curve-stencil": "trust_boundary",
    "trust-broundary-box": "trust_boundary",
    "trust-broundary-curve": "trust_boundary",
    "legacy-trust-boundary": "trust_boundary",
    "tm.boundary": "trust_boundary",
    "tm.boundarybox": "trust_boundary",
    "td-text-block": "text",
    "text-block": "text",
    "tm.text": "text",
}
# What the writer would choose itself for these types; any other shape is remembered.
USUAL_SHAPES = frozenset(TYPES) - {"agent", "tm.agent", "agent-tool", "tm.tool"}

# Marks a text block that holds the threats of no element; its value is "diagram" or "model".
THREATS_OF = "threatsOf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """Raw values by meaning. Only the containers are checked; all else may be anything that JSON can say.

    `names` are the places where a version keeps the label, best first. `data` has the flags, `rest` what is
    neither drawing nor known.
    """

    raw_id: object
    shapes: list[object]
    names: list[object]
    description: object
    data: dict[str, Any]
    threats: list[Any]
    rest: dict[str, Any] = field(default_factory=dict)
    position: object = None
    size: object = None
    source: object = None
    target: object = None
    vertices: list[Any] = field(default_factory=list)
    ports: dict[str, str] = field(default_factory=dict)
    z: object = None
    parent: object = None
    smooth: bool = False

    @property
    def shape(self) -> str:
        """The first name of the shape that is text at all, "" for none."""
        return next((shape for shape in self.shapes if isinstance(shape, str)), "")

    @property
    def type(self) -> str | None:
        """Our type of cell, None where no name of the shape is known."""
        names = (TYPES.get(shape.strip().lower()) for shape in self.shapes if isinstance(shape, str))
        return next(filter(None, names), None)

    @property
    def label(self) -> object:
        """The first name that is not blank."""
        texts = (name for name in self.names if isinstance(name, str | int | float) and str(name).strip())
        return next(texts, None)

    @property
    def scope_of_threats(self) -> str:
        """Diagram or model, for a text block that only holds the threats of one; "" for a real element."""
        scope = self.data.get(THREATS_OF) if self.type == "text" else None
        return scope if isinstance(scope, str) and scope in {"diagram", "model"} else ""
