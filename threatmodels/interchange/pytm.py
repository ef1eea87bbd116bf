"""pytm: a model as JSON, written by hand or dumped; elements refer to each other by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from threatmodels.interchange.assembly import Assembly
from threatmodels.interchange.canvas import Canvas
from threatmodels.interchange.intake import quoted
from threatmodels.interchange.plain import mapping, sequence
from threatmodels.interchange.report import Reading
from threatmodels.interchange.source import Source

KIND = "pytm"
Json = dict[str, Any]
TYPES = {
    "actor": "external_entity",
    "externalentity": "external_entity",
    "datastore": "datastore",
    "server": "process",
    "process": "process",
    "setofprocesses": "process",
    "lambda": "process",
    "asset": "process",
    "llm": "process",
}
# Said elsewhere, or what follows from the flows.
KNOWN = frozenset(
    "__class__ name description inBoundary source sink data findings inputs outputs inScope note".split()
)
TOP = frozenset("name description boundaries elements flows data actors assets findings".split())
SEVERITIES = {"very high": "critical", "very low": "informational"}


def read(source: Source) -> Reading:
    """The model in JSON with `flows` and `elements` or `boundaries`."""
    value = mapping(source.json)
    file = Assembly(source, KIND)
    for data in file.objects(value, "data"):
        _data(file, data)
    canvas = file.canvas(value.get("name") or "Data flow diagram")
    for boundary in file.objects(value, "boundaries"):
        _boundary(file, canvas, boundary)
    # A dump lists each element once more among the actors or the assets.
    elements = file.objects(value, "elements")
    for element in elements or [*file.objects(value, "actors"), *file.objects(value, "assets")]:
        _element(file, canvas, element)
    for number, flow in enumerate(file.objects(value, "flows"), 1):
        _flow(file, canvas, flow, number)
    return file.reading(
        name=value.get("name"),
        description=value.get("description"),
        metadata=[(f"pytm_{key}", item) for key, item in kept(value, TOP).items()],
    )


def kept(value: Json, known: Iterable[str]) -> Json:
    """What is not known elsewhere and says something: what was never set fills every dump."""
    said = {key: item for key, item in value.items() if key not in known}
    said |= {key: kept(item, ()) for key, item in said.items() if isinstance(item, dict)}
    return {key: item for key, item in said.items() if _says_something(item)}


def _says_something(item: Any) -> bool:
    if isinstance(item, str) and item.rpartition(".")[2] in {"UNKNOWN", "NONE"}:
        return False
    return item not in (None, "", False, -1, [], {}, [0]) and not (item == 0 and isinstance(item, int))


def _data(file: Assembly, data: Json) -> None:
    classification = str(data.get("classification") or "").rpartition(".")[2].replace("_", " ").lower()
    file.asset(
        str(data.get("name")),
        data.get("name"),
        description=data.get("description"),
        sensitivity=classification if classification != "unknown" else None,
        metadata=[(f"pytm_{key}", item) for key, item in kept(data, ["name", "description"]).items()],
    )


def _boundary(file: Assembly, canvas: Canvas, boundary: Json) -> None:
    ref = f"boundary {boundary.get('name')}"
    canvas.add(
        ref,
        "trust_boundary",
        label=boundary.get("name"),
        description=boundary.get("description"),
        own=kept(boundary, KNOWN),
        parent=_parent(boundary),
    )
    _findings(file, canvas, ref, boundary)


def _element(file: Assembly, canvas: Canvas, element: Json) -> None:
    given, ref = str(element.get("__class__") or ""), str(element.get("name"))
    kind = TYPES.get(given.lower())
    where = f"{canvas.where}, {quoted(ref)}"
    if kind is None and given.lower() in {"boundary", "dataflow", "data"}:
        return
    if kind is None:
        file.report.change(where, f"Its class {quoted(given) or 'of no name'} is not known; it is a process.")
    draft = canvas.add(
        ref,
        kind or "process",
        label=element.get("name"),
        description=element.get("description"),
        own={"class": given, **kept(element, KNOWN)},
        properties=_flags(element),
        parent=_parent(element),
        more=_scope(element),
    )
    _carries(file, draft.more, element, draft.title)
    _findings(file, canvas, ref, element)


def _flow(file: Assembly, canvas: Canvas, flow: Json, number: int) -> None:
    ref = f"flow {number}"
    draft = canvas.add(
        ref,
        "data_flow",
        label=flow.get("name"),
        description=flow.get("description") or flow.get("note"),
        properties=_flags(flow),
        own={"note": flow.get("note"), **kept(flow, KNOWN)},
        source=str(flow.get("source")),
        target=str(flow.get("sink")),
        more=_scope(flow),
    )
    _carries(file, draft.more, flow, draft.title)
    _findings(file, canvas, ref, flow)


def _carries(file: Assembly, more: Json, element: Json, title: str) -> None:
    names = sequence(element.get("data"))
    if keys := file.asset_keys([n for n in names if isinstance(n, str)], element=title):
        more["data_asset_ids"] = keys


def _parent(element: Json) -> str | None:
    name = element.get("inBoundary")
    return f"boundary {name}" if isinstance(name, str) and name else None


def _scope(element: Json) -> Json:
    return {"out_of_scope": True} if element.get("inScope") is False else {}


def _flags(element: Json) -> Json:
    """What every format says of an element, by its general name."""
    controls = {**element, **mapping(element.get("controls"))}
    flags = {"is_encrypted": controls.get("isEncrypted"), "stores_credentials": controls.get("isCredentials")}
    words = {"protocol": element.get("protocol")}
    return {k: v for k, v in flags.items() if v is True} | {
        k: v for k, v in words.items() if isinstance(v, str)
    }


def _findings(file: Assembly, canvas: Canvas, ref: str, element: Json) -> None:
    """The threats that pytm found and wrote to an element."""
    for finding in file.objects(element, "findings"):
        severity = str(finding.get("severity") or "").lower()
        known = {"description", "details", "severity", "mitigations", "target", "cvss", "references"}
        file.threat(
            finding.get("description"),
            on=canvas,
            ref=ref,
            description=finding.get("details"),
            severity=SEVERITIES.get(severity, severity),
            mitigation=finding.get("mitigations"),
            metadata=[
                ("pytm_references", finding.get("references")),
                *((f"pytm_{key}", item) for key, item in kept(finding, known).items()),
            ],
        )
