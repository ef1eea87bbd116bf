"""The shapes of one draw.io page: what each is, where it stands, and what it is connected to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from threatmodels.interchange import drawio_style, ours
from threatmodels.interchange.assembly import Assembly
from threatmodels.interchange.canvas import Canvas
from threatmodels.interchange.drawio_style import Style
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.geometry import Box, Point, box_in, point_in, points_of
from threatmodels.interchange.html_text import html_text
from threatmodels.interchange.json_file import load_json
from threatmodels.interchange.limits import Limits
from threatmodels.interchange.plain import mapping, number, sequence
from threatmodels.interchange.xml_file import child, children, local

Json = dict[str, Any]
# Of a shape with data of its own, what is not data.
NOT_DATA = frozenset(["id", "label", "type", "description", ours.KEY, "placeholders"])
# What metadata of a diagram calls its layers.
LAYERS = "drawio_layers"
# How far a point may be from where our file drew it and still count as not moved.
NEAR = 0.01
# Nobody nests shapes deeper; what is deeper stands where its parent's parent does.
DEEPEST = 200


@dataclass(slots=True)
class Shape:
    """An mxCell with the data around it; `at` is where its own coordinates begin."""

    ref: str
    parent: str
    style: Style
    label: str
    data: Mapping[str, str]
    cell: Element
    at: Point = field(default_factory=lambda: Point(0, 0))
    box: Box | None = None

    @property
    def is_edge(self) -> bool:
        return self.cell.get("edge") == "1"

    @property
    def is_vertex(self) -> bool:
        return self.cell.get("vertex") == "1"


class Page:
    """One `mxGraphModel`. `ours` is what our writer left on its root."""

    def __init__(self, graph: Element, limits: Limits) -> None:
        self._limits = limits
        self._shapes: dict[str, Shape] = {}
        self._twice = 0
        for index, item in enumerate(child(graph, "root") or ()):
            shape = _shape(item, index)
            if shape is not None and shape.ref not in self._shapes:
                self._shapes[shape.ref] = shape
            elif shape is not None:
                self._twice += 1
        self.ours = self._ours(self._shapes.get("0"))
        # In the order in which they lie, the lowest first; the root is one of them.
        self._layers = {
            ref for ref, shape in self._shapes.items() if not shape.is_edge and not shape.is_vertex
        }
        # In the order in which they lie, the lowest first.
        drawn_on = [ref for ref in self._shapes if ref in self._layers and self._is_drawn_on(ref)]
        self._lowest, self._drawn_on = next(iter(drawn_on), ""), dict.fromkeys(drawn_on)
        self._settle()

    def add_to(self, file: Assembly, name: str) -> None:
        """Adds the page as a diagram; a page of our own says itself what is in what."""
        mine = mapping(self.ours.get("diagram"))
        canvas = file.canvas(
            name,
            description=mine.get("description"),
            metadata=[
                *((key, value) for key, value in mapping(mine.get("metadata")).items() if key != LAYERS),
                (LAYERS, self._told_layers()),
            ],
            nested=not self.ours,
        )
        if self._twice:
            file.report.leave_out(canvas.where, f"{self._twice} shapes have an id that another has already.")
        labels = self._edge_labels()
        for shape in self._shapes.values():
            if shape.is_edge:
                self._edge(canvas, shape, labels)
            elif (
                shape.is_vertex and shape.ref not in labels.merged and not drawio_style.is_group(shape.style)
            ):
                self._vertex(canvas, shape)

    def _is_drawn_on(self, ref: str) -> bool:
        """The root holds the layers and is none of them."""
        return self._shapes[ref].parent in self._layers

    def _told_layers(self) -> list[Json]:
        """The layers, unless there is only the one without a name that every page has."""
        found = []
        for ref in self._drawn_on:
            shape = self._shapes[ref]
            told = {"id": ref, "name": shape.label, "style": drawio_style.written(shape.style)}
            hidden = {"visible": False} if shape.cell.get("visible") == "0" else {}
            found.append({key: value for key, value in told.items() if value} | hidden)
        return found if len(found) > 1 or any(len(one) > 1 for one in found) else []

    def _layer(self, shape: Shape) -> str:
        """The layer that a shape is on, "" for the lowest."""
        ref, seen = shape.parent, 0
        while ref in self._shapes and ref not in self._drawn_on and seen < DEEPEST:
            ref, seen = self._shapes[ref].parent, seen + 1
        return ref if ref in self._drawn_on and ref != self._lowest else ""

    def _ours(self, root: Shape | None) -> Json:
        return self._rest(root) if root is not None else {}

    def _rest(self, shape: Shape) -> Json:
        """Our JSON on a shape; what is none was edited by hand and does not count."""
        text = shape.data.get(ours.KEY)
        try:
            return mapping(load_json(text, self._limits)[0]) if text else {}
        except UnreadableFile:
            return {}

    def _settle(self) -> None:
        """The absolute place of everything: coordinates count from the corner of the parent."""
        self._holders: set[str] = {s.parent for s in self._shapes.values() if s.is_vertex}
        for shape in self._shapes.values():
            chain, at = [shape], self._shapes.get(shape.parent)
            while at is not None and at.box is None and at.is_vertex and len(chain) < DEEPEST:
                chain.append(at)
                at = self._shapes.get(at.parent)
            for one in reversed(chain):
                above = self._shapes.get(one.parent)
                if above is not None and above.box is not None:
                    one.at = Point(above.box.x, above.box.y)
                if one.is_vertex and one.box is None:
                    one.box = _box(one, above.box if above else None)

    def _edge_labels(self) -> _Labels:
        """Texts that hang on an edge: they are its label."""
        found = _Labels()
        for shape in self._shapes.values():
            above = self._shapes.get(shape.parent)
            if shape.is_vertex and above is not None and above.is_edge:
                found.merged.add(shape.ref)
                if shape.label.strip():
                    found.by_edge[above.ref].append(shape.label.strip())
        return found

    def _parent(self, shape: Shape) -> str | None:
        """The nearest shape around that is seen."""
        ref, seen = shape.parent, {shape.ref}
        while ref in self._shapes and ref not in self._layers and ref not in seen and len(seen) < DEEPEST:
            seen.add(ref)
            above = self._shapes[ref]
            if above.is_vertex and not drawio_style.is_group(above.style):
                return ref
            ref = above.parent
        return None

    def _vertex(self, canvas: Canvas, shape: Shape) -> None:
        rest = self._rest(shape)
        properties, fields = ours.cell_rest(rest)
        kind = drawio_style.given_type(shape.data.get("type", ""))
        shown = drawio_style.kind_of(shape.style, holds_others=shape.ref in self._holders)
        if kind in {None, "data_flow"} or (shown == "text" and kind == "trust_boundary"):
            kind = shown
        if chosen := drawio_style.colours(shape.style):
            fields["style"] = {**fields.get("style", {}), **self._seen_colours(shape, kind or shown, chosen)}
        canvas.add(
            shape.ref,
            kind or shown,
            label=shape.label,
            description=shape.data.get("description"),
            reason=rest.get("out_of_scope_reason"),
            properties=properties,
            own=self._own(shape, rest),
            box=shape.box,
            parent=self._parent(shape),
            more={key: value for key, value in fields.items() if value != {}},
        )

    def _seen_colours(self, shape: Shape, kind: str, chosen: dict[str, str]) -> dict[str, str]:
        """Without the colours that our own style for the type has anyway."""
        usual = drawio_style.colours(drawio_style.parsed(drawio_style.DRAWN[kind]))
        return {name: colour for name, colour in chosen.items() if usual.get(name) != colour}

    def _own(self, shape: Shape, rest: Json) -> Json:
        """What only draw.io knows; a style that our writer made is none of its own."""
        data = {key: value for key, value in shape.data.items() if key not in NOT_DATA}
        style = "" if rest.get("made") is True else drawio_style.written(shape.style)
        return {"id": shape.ref, "style": style, "data": data, "layer": self._layer(shape)}

    def _edge(self, canvas: Canvas, shape: Shape, labels: _Labels) -> None:
        rest = self._rest(shape)
        properties, fields = ours.cell_rest(rest)
        source, target = self._end(shape, "source"), self._end(shape, "target")
        points = self._points(shape)
        given = drawio_style.given_type(shape.data.get("type", ""))
        common: Json = {
            "label": "\n".join([*filter(None, [shape.label.strip()]), *labels.by_edge[shape.ref]]),
            "description": shape.data.get("description"),
            "reason": rest.get("out_of_scope_reason"),
            "own": self._own(shape, rest),
        }
        loose = not isinstance(source, str) and not isinstance(target, str)
        if given == "trust_boundary" or (loose and given is None and drawio_style.is_curve(shape.style)):
            line = [point for point in (source, *points, target) if isinstance(point, Point)]
            drawing = _unmoved(rest, line) or {"line": line if len(line) > 1 else []}
            canvas.add(shape.ref, "trust_boundary", properties=properties, more=fields, **common, **drawing)
            return
        starts = shape.style.get("startArrow", "none") != "none"
        ends = shape.style.get("endArrow", "classic") != "none"
        ports = (drawio_style.port(shape.style, "exit"), drawio_style.port(shape.style, "entry"))
        if starts and not ends:
            source, target, ports, points = target, source, ports[::-1], points[::-1]
        if starts and ends:
            fields["bidirectional"] = True
        canvas.add(
            shape.ref,
            "data_flow",
            properties=properties,
            source=source,
            target=target,
            ports=ports,
            vertices=points,
            more=fields,
            **common,
        )

    def _end(self, shape: Shape, end: str) -> str | Point | None:
        """What an edge is connected to; a group stands for its place, for it is not seen."""
        other = self._shapes.get(shape.cell.get(end, ""))
        if other is not None and other.is_vertex:
            return other.box.centre if drawio_style.is_group(other.style) and other.box else other.ref
        geometry = child(shape.cell, "mxGeometry")
        for point in children(geometry, "mxPoint"):
            if point.get("as") == f"{end}Point":
                return self._point(shape, point)
        return None

    def _points(self, shape: Shape) -> list[Point]:
        geometry = child(shape.cell, "mxGeometry")
        arrays = (array for array in children(geometry, "Array") if array.get("as") == "points")
        found = (self._point(shape, p) for array in arrays for p in children(array, "mxPoint"))
        return [point for point in found if point is not None]

    def _point(self, shape: Shape, point: Element) -> Point | None:
        x, y = number(point.get("x", "0")), number(point.get("y", "0"))
        return None if x is None or y is None else Point(x + shape.at.x, y + shape.at.y)


@dataclass(slots=True)
class _Labels:
    merged: set[str] = field(default_factory=set)
    by_edge: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def _shape(item: Element, index: int) -> Shape | None:
    """A cell, with or without an object of data around it."""
    wrapped = local(item.tag) in {"UserObject", "object"}
    cell = child(item, "mxCell") if wrapped else item
    if cell is None or local(cell.tag) != "mxCell":
        return None
    ref = item.get("id") or cell.get("id") or f"cell {index}"
    style = drawio_style.parsed(cell.get("style", ""))
    label = (item.get("label") if wrapped else cell.get("value")) or ""
    return Shape(
        ref=ref,
        parent=cell.get("parent", ""),
        style=style,
        label=html_text(label) if style.get("html") == "1" else label,
        data=dict(item.attrib) if wrapped else {},
        cell=cell,
    )


def _box(shape: Shape, above: Box | None) -> Box | None:
    geometry = child(shape.cell, "mxGeometry")
    if geometry is None:
        return None
    values = [number(geometry.get(key, "0")) for key in ("x", "y", "width", "height")]
    x, y, width, height = values
    if x is None or y is None or width is None or height is None:
        return None
    if geometry.get("relative") == "1" and above is not None:
        offset = next((p for p in children(geometry, "mxPoint") if p.get("as") == "offset"), None)
        x = x * above.width + ((number(offset.get("x", "0")) or 0) if offset is not None else 0)
        y = y * above.height + ((number(offset.get("y", "0")) or 0) if offset is not None else 0)
    return Box(x + shape.at.x, y + shape.at.y, abs(width), abs(height))


def _unmoved(rest: Json, line: list[Point]) -> Json | None:
    """The box and line that our writer noted, where the points still are what it drew."""
    box = box_in(rest.get("position"), rest.get("size"))
    given = [p for item in sequence(mapping(rest.get("properties")).get("line")) if (p := point_in(item))]
    if box is None or len(given) != len(line):
        return None
    drawn = points_of(box, given)
    same = all(abs(a.x - b.x) < NEAR and abs(a.y - b.y) < NEAR for a, b in zip(drawn, line, strict=True))
    return {"box": box} if same else None
