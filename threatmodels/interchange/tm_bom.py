"""OWASP TM-BOM (Threat Model Library): sections of things that refer to each other by symbolic names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from threatmodels.interchange import ours
from threatmodels.interchange.assembly import Assembly
from threatmodels.interchange.canvas import Canvas
from threatmodels.interchange.document import FRAMEWORKS
from threatmodels.interchange.geometry import box_in
from threatmodels.interchange.intake import quoted
from threatmodels.interchange.plain import mapping, sequence
from threatmodels.interchange.report import Reading
from threatmodels.interchange.source import Source
from threatmodels.interchange.tm_bom_words import (
    EXTENSION,
    SECTIONS,
    likelihood_of,
    mitigation_text,
    severity_of,
    status_of,
)

KIND = "tm-bom"
Json = dict[str, Any]
PREFIX = "tm_bom_"
NAMED = frozenset("symbolic_name title description trust_zone parent_component".split())
FLOW = NAMED | {"source", "destination", "encrypted", "has_sensitive_data"}
DATA_SET = frozenset("symbolic_name title description data_sensitivity placements".split())
THREAT = frozenset("symbolic_name title description".split())
# What becomes rows of ours; every other section is kept whole for the writer.
TAKEN = frozenset(
    "$schema trust_zones actors components data_stores data_sets data_flows threats extensions"
    " release_docs_link repo_link".split()
)


def read(source: Source) -> Reading:
    """The model in JSON with `scope` and sections of zones, components, flows or threats."""
    return Reader(source).reading()


class Reader:
    """One file. What our writer left in the extension places the elements; the sections say what they are."""

    def __init__(self, source: Source) -> None:
        self._value = mapping(source.json)
        self._file = Assembly(source, KIND)
        self._scope = mapping(self._value.get("scope"))
        self._mine = mapping(mapping(self._value.get("extensions")).get(EXTENSION))
        self._made = [str(name) for name in sequence(self._mine.get("made"))]
        self._lists: dict[str, list[Json]] = {}
        self._controls = by_threat(self._list("controls"))
        self._risks = by_threat(self._list("risks"))
        self._stored: dict[str, list[str]] = defaultdict(list)
        self._zones = {name_of(zone): zone for zone in reversed(self._list("trust_zones"))}
        self._elements = self._by_ref()
        self._flows = {f"data_flow:{name_of(flow)}": flow for flow in reversed(self._list("data_flows"))}
        self._placed: set[str] = set()

    def reading(self) -> Reading:
        for data_set in self._list("data_sets"):
            self._asset(data_set)
        canvases = self._canvases()
        for threat in self._list("threats"):
            self._threat(threat, canvases)
        self._texts()
        return self._file.reading(
            name=self._scope.get("title"),
            description=self._scope.get("description"),
            framework=str(self._mine["framework"]) if self._mine.get("framework") in FRAMEWORKS else "STRIDE",
            metadata=list(mapping(self._mine.get("metadata")).items()),
            extensions=self._extensions(),
        )

    def _list(self, key: str) -> list[Json]:
        if key not in self._lists:
            self._lists[key] = self._file.objects(self._value, key)
        return self._lists[key]

    def _extensions(self) -> Json:
        kept = {key: value for key, value in self._value.items() if key not in TAKEN}
        for key in ("controls", "risks", "threat_personas"):
            if key in kept:
                kept[key] = [one for one in self._list(key) if name_of(one) not in self._made]
        others = {k: v for k, v in mapping(self._value.get("extensions")).items() if k != EXTENSION}
        if others:
            kept["extensions"] = others
        return {KIND: {key: value for key, value in kept.items() if value not in ([], {})}}

    def _by_ref(self) -> dict[str, tuple[str, Json]]:
        """Every element but flows by its reference, with our type of cell, in the order of the file."""
        found = {
            f"trust_zone:{name}": ("trust_boundary", zone)
            for name, zone in reversed(self._zones.items())
            if name not in self._made
        }
        for section, (type_name, kind) in SECTIONS.items():
            for item in self._list(section):
                ref = f"{type_name}:{name_of(item)}"
                if ref in found:
                    self._file.report.leave_out(
                        section, f"{quoted(name_of(item))} stands twice; the first counts."
                    )
                else:
                    found[ref] = (kind, item)
        return found

    def _asset(self, data_set: Json) -> None:
        rest = mapping(mapping(self._mine.get("assets")).get(name_of(data_set)))
        labels = [*sequence(data_set.get("data_sensitivity")), *sequence(rest.get("classification"))]
        key = self._file.asset(
            name_of(data_set),
            data_set.get("title"),
            description=data_set.get("description"),
            type=ours.asset_type(rest.get("type")),
            criticality=rest.get("criticality"),
            classification=labels,
            sensitivity=rest.get("sensitivity"),
            metadata=[
                (f"{PREFIX}id", data_set.get("symbolic_name")),
                (f"{PREFIX}placements", data_set.get("placements")),
                *((f"{PREFIX}{key}", value) for key, value in data_set.items() if key not in DATA_SET),
                *mapping(rest.get("metadata")).items(),
            ],
        )
        for placement in map(mapping, sequence(data_set.get("placements"))):
            held = self._stored[str(placement.get("data_store"))]
            if key not in held:
                held.append(key)

    def _canvases(self) -> list[Canvas]:
        """The diagrams that our writer noted, else one; what none of them shows goes to the first."""
        noted = [mapping(diagram) for diagram in sequence(self._mine.get("diagrams"))]
        canvases = []
        for diagram in noted:
            canvas = self._file.canvas(
                diagram.get("name"),
                description=diagram.get("description"),
                metadata=list(mapping(diagram.get("metadata")).items()),
            )
            canvases.append(canvas)
            for item in sequence(diagram.get("cells")):
                self._place(canvas, mapping(item))
        rest = [ref for ref in [*self._elements, *reversed(self._flows)] if ref not in self._placed]
        if rest and not canvases:
            canvases.append(self._file.canvas(self._scope.get("title") or "Data flow diagram"))
        for ref in rest:
            self._place(canvases[0], {"ref": ref})
        return canvases

    def _place(self, canvas: Canvas, item: Json) -> None:
        """Adds what an entry of our writer is about: an element, a flow, or what the format cannot say."""
        ref = str(item.get("ref"))
        if ref in self._elements:
            self._element(canvas, ref, item)
        elif ref in self._flows:
            self._flow(canvas, ref, item)
        elif "extra" in item:
            ours.add_extra(canvas, item["extra"])

    def _element(self, canvas: Canvas, ref: str, item: Json) -> None:
        kind, element = self._elements[ref]
        self._placed.add(ref)
        properties, fields = ours.cell_rest(item)
        own = {key: value for key, value in element.items() if key not in NAMED}
        draft = canvas.add(
            ref,
            kind,
            label=element.get("title"),
            description=element.get("description"),
            reason=item.get("out_of_scope_reason"),
            properties=properties,
            own={"id": element.get("symbolic_name"), **own},
            box=box_in(item.get("position"), item.get("size")),
            parent=self._parent(element, item),
            more=fields,
        )
        keys = list(self._stored[name_of(element)]) if kind == "datastore" else []
        keys += [k for r in sequence(item.get("assets")) if (k := self._file.asset_key(r)) and k not in keys]
        if keys:
            draft.more["data_asset_ids"] = keys

    def _parent(self, element: Json, item: Json) -> str | None:
        """The component that a component is part of, else its zone; of a zone what our writer noted."""
        if "parent" in item:
            parent = item["parent"]
            return parent if isinstance(parent, str) and parent in self._elements else None
        if component := element.get("parent_component"):
            return f"component:{component}"
        zone = element.get("trust_zone")
        return f"trust_zone:{zone}" if zone and str(zone) not in self._made else None

    def _flow(self, canvas: Canvas, ref: str, item: Json) -> None:
        flow = self._flows[ref]
        self._placed.add(ref)
        properties, fields = ours.cell_rest(item)
        flags = {"is_encrypted": flow.get("encrypted"), "has_sensitive_data": flow.get("has_sensitive_data")}
        title = f"data flow {quoted(flow.get('title')) or quoted(name_of(flow))}"
        ends = {
            "source": self._resolved(flow.get("source"), title),
            "target": self._resolved(flow.get("destination"), title),
        }
        lost = {
            f"{end}_given": flow.get("source" if end == "source" else "destination")
            for end, name in ends.items()
            if name not in self._elements
        }
        draft = canvas.add(
            ref,
            "data_flow",
            label=flow.get("title"),
            description=flow.get("description"),
            reason=item.get("out_of_scope_reason"),
            properties=properties | {key: value for key, value in flags.items() if isinstance(value, bool)},
            own={
                "id": flow.get("symbolic_name"),
                **lost,
                **{key: value for key, value in flow.items() if key not in FLOW},
            },
            source=ends["source"],
            target=ends["target"],
            **ours.course_in(item),
            more=fields | ({"bidirectional": True} if item.get("bidirectional") is True else {}),
        )
        keys = [key for name in sequence(item.get("assets")) if (key := self._file.asset_key(name))]
        if keys:
            draft.more["data_asset_ids"] = keys

    def _resolved(self, value: object, title: str) -> str:
        """The element that a typed reference means; of one with the wrong type, what has the name."""
        ref = _reference(value)
        if ref in self._elements:
            return ref
        name = mapping(value).get("object")
        others = [f"{kind}:{name}" for kind, _ in SECTIONS.values() if f"{kind}:{name}" in self._elements]
        if others:
            self._file.report.change(title, f"What it calls {quoted(ref)} is {quoted(others[0])}.")
        return others[0] if others else ref

    def _threat(self, threat: Json, canvases: list[Canvas]) -> None:
        name = name_of(threat)
        controls, risks = self._controls[name], self._risks[name]
        status, mitigated = status_of(controls)
        rest = mapping(mapping(self._mine.get("threats")).get(name))
        weaknesses = [mapping(one) for one in sequence(threat.get("weaknesses"))]
        fields: Json = {
            "description": threat.get("description"),
            "severity": severity_of(risks),
            "likelihood": likelihood_of(risks),
            "status": status,
            "mitigated": mitigated,
            "mitigation": mitigation_text(controls, self._made),
            "cwes": [one["cwe_id"] for one in weaknesses if one.get("cwe_id") is not None],
        } | dict(ours.threat_rest(rest))
        metadata = [*fields.pop("metadata", []), *self._kept(threat)]
        canvas, ref = self._about(threat, rest, canvases)
        asset = self._file.asset_key(rest.get("asset"))
        self._file.threat(threat.get("title"), on=canvas, ref=ref, asset=asset, metadata=metadata, **fields)

    def _kept(self, threat: Json) -> Iterator[tuple[str, object]]:
        yield f"{PREFIX}id", threat.get("symbolic_name")
        for key, value in threat.items():
            if key not in THREAT and not (key == "threat_persona" and value in self._made):
                yield f"{PREFIX}{key}", value

    def _about(self, threat: Json, rest: Json, canvases: list[Canvas]) -> tuple[Canvas | None, str | None]:
        """The element that our writer noted, else the first that the threat affects, and its diagram."""
        affected = [
            f"{kind}:{name}"
            for name in sequence(threat.get("components_affected"))
            for kind, _ in SECTIONS.values()
        ]
        noted = rest.get("on")
        for ref in [*([noted] if isinstance(noted, str) else []), *affected]:
            for canvas in canvases:
                if canvas.draft_of(ref) is not None:
                    return canvas, ref
        number = rest.get("diagram")
        if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < len(canvases):
            return canvases[number], None
        return None, None

    def _texts(self) -> None:
        """What people want to read and no table of ours has; the writer makes it from the sections again."""
        links = (("Release documentation", "release_docs_link"),)
        for name, key in links:
            if uri := self._value.get(key):
                self._file.link(name, uri, metadata=[(f"{PREFIX}section", key)])
        if uri := self._value.get("repo_link"):
            self._file.repository("", uri, metadata=[(f"{PREFIX}section", "repo_link")])
        for diagram in self._list("diagrams"):
            source = f"```{diagram.get('type') or ''}\n{diagram.get('source') or ''}\n```"
            self._file.note(f"Diagram: {diagram.get('title') or 'untitled'}", source, section="diagrams")
        assumptions = [
            f"- {one.get('description')} ({one.get('validity') or 'unconfirmed'})"
            for one in self._list("assumptions")
        ]
        self._file.note("Assumptions", "\n".join(assumptions), section="assumptions")
        self._file.note("Threat personas", self._lines("threat_personas"), section="threat_personas")
        self._file.note("Risks", self._lines("risks"), section="risks")

    def _lines(self, key: str) -> str:
        entries = [one for one in self._list(key) if name_of(one) not in self._made]
        levels = (f" ({one['level']})" if isinstance(one.get("level"), str) else "" for one in entries)
        return "\n".join(
            f"- **{one.get('title')}**{level}: {one.get('description')}"
            for one, level in zip(entries, levels, strict=True)
        )


def by_threat(items: list[Json]) -> dict[str, list[Json]]:
    """Controls or risks by the names of the threats that they list, in their order."""
    found: dict[str, list[Json]] = defaultdict(list)
    for item in items:
        for name in dict.fromkeys(n for n in sequence(item.get("threats")) if isinstance(n, str)):
            found[name].append(item)
    return found


def name_of(item: Json) -> str:
    return str(item.get("symbolic_name"))


def _reference(value: object) -> str:
    """A typed reference as one text; the type may be written as a path into the schema."""
    given = mapping(value)
    kind = str(given.get("type")).rpartition("/")[2].replace("-", "_")
    return f"{kind}:{given.get('object')}"
