"""Open Threat Model 0.1 and 0.2: components in zones, threats defined once and referenced."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from threatmodels.interchange import ours
from threatmodels.interchange.assembly import Assembly
from threatmodels.interchange.canvas import Canvas
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.geometry import Box, box_in
from threatmodels.interchange.intake import quoted
from threatmodels.interchange.otm_words import kind_of, likelihood_of, severity_of, status_of
from threatmodels.interchange.plain import mapping, number, sequence
from threatmodels.interchange.report import Reading
from threatmodels.interchange.source import Source

KIND = "otm"
# What our writer puts components into that are in nothing: the format wants a zone for each.
NO_ZONE = "tmi-no-trust-zone"
Json = dict[str, Any]
# Said elsewhere in a cell; all else that an element has is kept under `otm`.
ELEMENT = frozenset(
    "name description parent representations assets threats source destination bidirectional risk".split()
)
THREAT = frozenset("id name description categories cwes risk tags attributes".split())
PROJECT = frozenset("name description owner".split())
LISTS = frozenset("representations assets components dataflows trustZones threats otmVersion project".split())


def read(source: Source) -> Reading:
    """The model in JSON or YAML with `otmVersion`."""
    value = source.tree
    if not isinstance(value, dict) or "otmVersion" not in value:
        raise UnreadableFile("The file is no Open Threat Model: it has no otmVersion.")
    return Reader(source, value).reading()


def mitigation_text(ids: list[str], known: dict[str, Json]) -> str:
    """What a threat's mitigations say, one a line."""
    found = (known[one] for one in ids if one in known)
    texts = ((str(m.get("name") or ""), str(m.get("description") or "")) for m in found)
    return "\n".join(n if d in {"", n} else d if d.startswith(n) else f"{n}: {d}" for n, d in texts)


def foreign(attributes: object) -> Json:
    """The attributes of an element but for ours."""
    return {key: value for key, value in mapping(attributes).items() if key != ours.KEY}


def rest_in(item: Json) -> Json:
    return mapping(mapping(item.get("attributes")).get(ours.KEY))


def ref_of(item: Json) -> str:
    return str(item.get("id"))


class Reader:
    """One file: first what others refer to, then the elements, then the threats on them."""

    def __init__(self, source: Source, value: Json) -> None:
        self._file = Assembly(source, KIND)
        self._value = value
        self._project = mapping(value.get("project"))
        self._zones = [zone for zone in self._list("trustZones") if ref_of(zone) != NO_ZONE]
        self._components = self._list("components")
        self._flows = self._list("dataflows")
        self._threats = self._list("threats")
        self._definitions = {ref_of(threat): threat for threat in reversed(self._threats)}
        self._mitigations = {ref_of(one): one for one in reversed(self._list("mitigations"))}
        self._referenced: set[str] = set()
        self._canvases: dict[str, Canvas] = {}
        self._on: dict[str, list[Canvas]] = {}

    def reading(self) -> Reading:
        self._representations()
        for asset in self._list("assets"):
            self._asset(asset)
        self._elements()
        self._extras()
        for threat in self._threats:
            if ref_of(threat) not in self._referenced:
                self._threat(threat, {}, self._canvases.get(str(rest_in(threat).get("diagram"))), None)
        return self._file.reading(
            name=self._project.get("name"),
            description=self._project.get("description"),
            owner=self._project.get("owner"),
            metadata=self._metadata(),
            extensions=self._extensions(),
        )

    def _list(self, key: str) -> list[Json]:
        return self._file.objects(self._value, key)

    def _metadata(self) -> Iterator[tuple[str, object]]:
        yield "owner", self._project.get("owner")
        yield "otm_version", self._value.get("otmVersion")
        yield from (
            (f"otm_project_{key}", foreign(value) if key == "attributes" else value)
            for key, value in self._project.items()
            if key not in PROJECT
        )
        yield from mapping(rest_in(self._project).get("metadata")).items()

    def _extensions(self) -> Json:
        """Whole trees for the writer: representations that are no diagrams, mitigations, unknown sections."""
        kept = {key: value for key, value in self._value.items() if key not in LISTS and value}
        others = [one for one in self._list("representations") if not _is_diagram(one)]
        code = [one for one in others if not mapping(one.get("repository")).get("url")]
        return {KIND: kept | ({"representations": code} if code else {})} if kept or code else {}

    def _representations(self) -> None:
        for one in self._list("representations"):
            if _is_diagram(one):
                if ref_of(one) not in self._canvases:
                    self._canvases[ref_of(one)] = self._canvas(one)
                else:
                    where = f"diagram {quoted(one.get('name'))}"
                    self._file.report.leave_out(where, "Another diagram has its id.")
            elif uri := mapping(one.get("repository")).get("url"):
                metadata = [("otm_id", one.get("id"))]
                self._file.repository(
                    one.get("name"), uri, description=one.get("description"), metadata=metadata
                )
        if not self._canvases and (self._zones or self._components or self._flows):
            name = self._project.get("name") or "Diagram"
            self._canvases[""] = self._file.canvas(name, relative=True)

    @cached_property
    def _names(self) -> dict[str, str]:
        """What the file calls each diagram, by the key it has here."""
        return {canvas.key: ref for ref, canvas in self._canvases.items()}

    def _canvas(self, one: Json) -> Canvas:
        made = rest_in(one).get("made") is True
        return self._file.canvas(
            one.get("name"),
            description=one.get("description"),
            metadata=[
                ("otm_id", None if made else one.get("id")),
                ("otm_size", None if made else one.get("size")),
                ("otm_attributes", foreign(one.get("attributes"))),
                *mapping(rest_in(one).get("metadata")).items(),
            ],
            relative=True,
        )

    def _asset(self, asset: Json) -> None:
        rest = rest_in(asset)
        self._file.asset(
            ref_of(asset),
            asset.get("name"),
            description=asset.get("description"),
            type=ours.asset_type(rest.get("type")),
            criticality=rest.get("criticality"),
            classification=sequence(rest.get("classification")),
            sensitivity=rest.get("sensitivity"),
            metadata=[
                ("otm_id", asset.get("id")),
                *((f"otm_{key}", value) for key, value in mapping(asset.get("risk")).items()),
                ("otm_attributes", foreign(asset.get("attributes"))),
                *mapping(rest.get("metadata")).items(),
            ],
        )

    def _elements(self) -> None:
        self._on = places = self._places()
        kinds = [(zone, "trust_boundary") for zone in self._zones]
        kinds += [(component, kind_of(component.get("type"))) for component in self._components]
        for item, kind in kinds:
            for index, canvas in enumerate(places.get(ref_of(item), [])):
                self._box(item, kind, canvas)
                if index == 0:
                    self._references(item, canvas)
        for flow in self._flows:
            for index, canvas in enumerate(self._diagrams_of(flow)):
                self._flow(flow, canvas)
                if index == 0:
                    self._references(flow, canvas)

    def _extras(self) -> None:
        """What our writer found no other place for: texts, and flows that end nowhere."""
        for one in self._list("representations"):
            canvas = self._canvases.get(ref_of(one))
            if canvas is not None:
                for cell in sequence(rest_in(one).get("cells")):
                    ours.add_extra(canvas, cell)

    def _places(self) -> dict[str, list[Canvas]]:
        """The diagrams of each element: those that show it, or what is in it, or else the first."""
        elements = {ref_of(item): item for item in [*self._components, *self._zones]}
        own = {ref: self._shown(item) for ref, item in elements.items()}
        found: dict[str, dict[str, Canvas]] = defaultdict(dict)
        first = dict(list(self._canvases.items())[:1])
        for ref, shown in own.items():
            on = shown or first
            if not shown and found[ref]:
                continue
            found[ref] |= on
            above, seen = _parent(elements[ref]), {ref}
            while above in elements and above not in seen and not own[above]:
                found[above] |= on
                seen.add(above)
                above = _parent(elements[above])
        return {ref: list(on.values()) for ref, on in found.items()}

    def _shown(self, item: Json) -> dict[str, Canvas]:
        refs = [str(one.get("representation")) for one in objects(item.get("representations"))]
        return {ref: self._canvases[ref] for ref in refs if ref in self._canvases}

    def _box(self, item: Json, kind: str, canvas: Canvas) -> None:
        properties, fields = ours.cell_rest(rest_in(item))
        rating = number(mapping(item.get("risk")).get("trustRating"))
        if kind == "trust_boundary" and rating is not None:
            properties["trust_rating"] = rating
        assets = mapping(item.get("assets"))
        stored = [ref for ref in sequence(assets.get("stored")) if isinstance(ref, str)]
        draft = canvas.add(
            ref_of(item),
            kind,
            label=item.get("name"),
            description=item.get("description"),
            reason=rest_in(item).get("out_of_scope_reason"),
            properties=properties,
            own={**self._own(item), "stored": stored},
            box=self._drawn(item, canvas),
            parent=_parent(item),
            more=fields,
        )
        used = [*sequence(assets.get("processed")), *stored]
        if keys := self._file.asset_keys(used, element=draft.title):
            draft.more["data_asset_ids"] = keys

    def _own(self, item: Json) -> Json:
        """What only the format knows of an element, with the places in code that represent it."""
        found = {key: value for key, value in item.items() if key not in ELEMENT}
        shown = objects(item.get("representations"))
        code = [one for one in shown if str(one.get("representation")) not in self._canvases]
        return found | {"attributes": foreign(item.get("attributes")), "representations": code}

    def _drawn(self, item: Json, canvas: Canvas) -> Box | None:
        boxes = (
            box_in(one.get("position"), one.get("size"))
            for one in objects(item.get("representations"))
            if self._canvases.get(str(one.get("representation"))) is canvas
        )
        return next(filter(None, boxes), None)

    def _diagrams_of(self, flow: Json) -> list[Canvas]:
        """The diagrams on which both ends of a flow are, or else one with most of them."""
        ends = [str(flow.get("source")), str(flow.get("destination"))]
        there = Counter(canvas.key for end in ends for canvas in self._on.get(end, []))
        known = {canvas.key: canvas for end in ends for canvas in self._on.get(end, [])}
        both = [known[key] for key, times in there.items() if times == 2]
        return both or [*known.values(), *self._canvases.values()][:1]

    def _flow(self, flow: Json, canvas: Canvas) -> None:
        rest = rest_in(flow)
        properties, fields = ours.cell_rest(rest)
        if flow.get("bidirectional") is True:
            fields["bidirectional"] = True
        drawn = mapping(mapping(rest.get("drawing")).get(self._names[canvas.key]))
        draft = canvas.add(
            ref_of(flow),
            "data_flow",
            label=flow.get("name"),
            description=flow.get("description"),
            reason=rest.get("out_of_scope_reason"),
            properties=properties,
            own=self._own(flow),
            source=str(flow.get("source")),
            target=str(flow.get("destination")),
            **ours.course_in(drawn),
            more=fields,
        )
        if keys := self._file.asset_keys(_present(flow.get("assets")), element=draft.title):
            draft.more["data_asset_ids"] = keys

    def _references(self, item: Json, canvas: Canvas) -> None:
        """The threats on an element; on a second diagram that shows it they are not repeated."""
        where = f"element {quoted(item.get('name')) or quoted(item.get('id'))}"
        for reference in objects(item.get("threats")):
            ref = str(reference.get("threat"))
            if ref in self._definitions:
                self._referenced.add(ref)
                self._threat(self._definitions[ref], reference, canvas, ref_of(item))
            else:
                self._file.report.leave_out(where, f"The threat {quoted(ref)} is not in the file.")

    def _threat(self, given: Json, reference: Json, canvas: Canvas | None, ref: str | None) -> None:
        risk = mapping(given.get("risk"))
        likelihood, impact = number(risk.get("likelihood")), number(risk.get("impact"))
        categories = _present(given.get("categories"))
        used = [str(one.get("mitigation")) for one in objects(reference.get("mitigations"))]
        status, mitigated = status_of(reference.get("state"))
        rest = rest_in(reference or given)
        fields: Json = {
            "type": next(iter(categories), None),
            "description": given.get("description"),
            "severity": severity_of(likelihood, impact),
            "likelihood": likelihood_of(likelihood),
            "status": status,
            "mitigated": mitigated,
            "mitigation": mitigation_text(used, self._mitigations),
            "cwes": _present(given.get("cwes")),
        } | dict(ours.threat_rest(rest))
        own = fields.pop("metadata", [])
        asset = self._file.asset_key(rest.get("asset"))
        metadata = [*own, *_threat_metadata(given, reference, risk, categories)]
        self._file.threat(given.get("name"), on=canvas, ref=ref, asset=asset, metadata=metadata, **fields)


def objects(items: object) -> list[Json]:
    """The objects of a list, or of anything else."""
    return [item for item in sequence(items) if isinstance(item, dict)]


def _is_diagram(representation: Json) -> bool:
    return str(representation.get("type")).strip().lower() == "diagram"


def _parent(item: Json) -> str | None:
    parent = mapping(item.get("parent"))
    ref = parent.get("trustZone") or parent.get("component")
    return str(ref) if ref and ref != NO_ZONE else None


def _present(items: object) -> list[Any]:
    return [item for item in sequence(items) if item is not None]


def _threat_metadata(
    given: Json, reference: Json, risk: Json, categories: list[Any]
) -> Iterator[tuple[str, object]]:
    yield "otm_id", given.get("id")
    yield "otm_state", reference.get("state")
    yield "otm_mitigations", reference.get("mitigations")
    yield "otm_categories", categories
    yield "otm_tags", given.get("tags")
    yield from ((f"otm_{key}", value) for key, value in risk.items())
    yield "otm_attributes", foreign(given.get("attributes"))
    yield from ((f"otm_{key}", value) for key, value in given.items() if key not in THREAT)
