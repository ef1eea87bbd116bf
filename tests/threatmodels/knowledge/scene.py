"""Small models around one element, from the short form of cases.yaml."""

from __future__ import annotations

import uuid
from typing import Any

from threatmodels.knowledge.facts import AssetFacts

ASSET = str(uuid.UUID(int=0xA55E7))
ASSETS = {
    "personal": AssetFacts(ASSET, "Customers", "data", classification=("Personal data",)),
    "secret": AssetFacts(ASSET, "API keys", "data", classification=("Secret",)),
    "critical": AssetFacts(ASSET, "Orders", "data", criticality="high"),
    "plain": AssetFacts(ASSET, "Opening hours", "data", classification=("Public",)),
}
PEERS: dict[str, tuple[str, dict[str, Any]]] = {
    "human": ("external_entity", {"label": "Customer"}),
    "system": ("external_entity", {"label": "Partner"}),
    "process": ("process", {"label": "Service"}),
    "store": ("datastore", {"label": "Records"}),
    "log": ("datastore", {"label": "Events", "is_a_log": True}),
    "ai": ("process", {"label": "Forecast", "is_ai": True}),
}
ZONE = str(uuid.UUID(int=0x20))
SUBJECT = str(uuid.UUID(int=1))
Cell = dict[str, Any]


def laid_over(case: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The case with a change; properties are merged."""
    merged = {
        name: {**case.get(name, {}), **value} if isinstance(value, dict) else value
        for name, value in change.items()
    }
    return {**case, **merged}


def scene(case: dict[str, Any], kind: str) -> tuple[list[Cell], dict[str, AssetFacts]]:
    """The cells, of which SUBJECT is the element that the rule is about, and the assets."""
    cells = [box(ZONE, "trust_boundary", {"label": "Ours"}, (0, 0), (400, 400))]
    if kind == "data_flow":
        _flow_scene(cells, case)
    else:
        _element_scene(cells, case, kind)
    subject = next(cell for cell in cells if cell["id"] == SUBJECT)
    asset = ASSETS.get(case.get("a", ""))
    if asset:
        subject["data_asset_ids"] = [ASSET]
    return cells, {ASSET: asset} if asset else {}


def _flow_scene(cells: list[Cell], case: dict[str, Any]) -> None:
    target, crosses = case["to"].rstrip("!"), case["to"].endswith("!")
    ours = case["from"] not in {"human", "system"}
    ends = [_peer(case["from"], case.get("sp"), inside=ours)]
    ends.append(_peer(target, case.get("tp"), inside=ours != crosses))
    cells += ends
    cells.append(flow(SUBJECT, ends[0]["id"], ends[1]["id"], case.get("p")))
    if "source_in" in case:
        before = _peer(case["source_in"].rstrip("!"), None, inside=not case["source_in"].endswith("!"))
        cells += [before, flow(_new(), before["id"], ends[0]["id"])]


def _element_scene(cells: list[Cell], case: dict[str, Any], kind: str) -> None:
    inside = kind != "external_entity"
    place = (50, 50) if inside else (900, 50)
    cells.append(box(SUBJECT, kind, {"label": "Subject", **case.get("p", {})}, place))
    for name in case.get("in", []):
        peer = _peer(name.rstrip("!"), None, inside=inside != name.endswith("!"))
        cells += [peer, flow(_new(), peer["id"], SUBJECT)]
    for name in case.get("out", []):
        peer = _peer(name.rstrip("!"), None, inside=inside != name.endswith("!"))
        cells += [peer, flow(_new(), SUBJECT, peer["id"])]


def _peer(name: str, properties: dict[str, Any] | None, *, inside: bool) -> Cell:
    kind, known = PEERS[name]
    return box(_new(), kind, {**known, **(properties or {})}, (200, 200) if inside else (900, 200))


def box(pk: str, kind: str, properties: dict[str, Any], at=(0, 0), size=(100, 60), **more: Any) -> Cell:
    geometry = {"position": {"x": at[0], "y": at[1]}, "size": {"width": size[0], "height": size[1]}}
    return {"id": pk, "type": kind, "properties": properties, **geometry, **more}


def flow(pk: str, source: str, target: str, properties: dict[str, Any] | None = None, **more: Any) -> Cell:
    ends = {"source": {"cell": source}, "target": {"cell": target}}
    return {"id": pk, "type": "data_flow", "properties": properties or {"label": "Data"}, **ends, **more}


def _new() -> str:
    return str(uuid.uuid4())
