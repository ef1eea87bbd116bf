"""What the tests in a browser find when they begin."""

from __future__ import annotations

from typing import Any

from tests.e2e.site import Site


def furnished(site: Site) -> dict[str, Any]:
    ask = lambda *args: site.api("owner@example.org", *args)  # noqa: E731
    made = ask("POST", "/threat_models", {"name": "Web shop", "description": "Sells things to people."})
    base = f"/threat_models/{made['id']}"
    cells = [
        box(1, "process", 260, 120, "Shop"),
        box(2, "external_entity", 20, 120, "Customer"),
        box(3, "datastore", 520, 120, "Orders"),
        flow(4, 2, 1, "order"),
        flow(5, 1, 3, "save"),
    ]
    diagram = ask("POST", f"{base}/diagrams", {"name": "Overview", "diagram_data": {"cells": cells}})
    asset = ask(
        "POST", f"{base}/assets", {"name": "Card numbers", "type": "data", "classification": ["secret"]}
    )
    threat = {
        "name": "Orders are read on the way",
        "description": "The order crosses the internet.",
        "severity": "high",
        "threat_type": "Information disclosure",
        "diagram_id": diagram["id"],
        "cell_id": cells[3]["id"],
        "asset_id": asset["id"],
        "mitigation": "TLS",
    }
    made["threat"] = ask("POST", f"{base}/threats", threat)["id"]
    ask("POST", f"{base}/threats", {"name": "Nobody knows who ordered", "severity": "low"})
    uri = "https://example.org/architecture"
    made["document"] = ask("POST", f"{base}/documents", {"name": "Architecture", "uri": uri})["id"]
    made["note"] = ask("POST", f"{base}/notes", {"name": "Assumptions", "content": "# Trust\n\nNobody."})[
        "id"
    ]
    repository = {"name": "shop", "uri": "https://example.org/shop.git", "type": "git"}
    made["repository"] = ask("POST", f"{base}/repositories", repository)["id"]
    ask("POST", f"{base}/metadata", {"key": "team", "value": "payments"})
    for name in ("writer", "reader"):
        entry = {"subject_type": "user", "email": f"{name}@example.org", "role": name}
        ask("POST", f"{base}/access", entry)
    return made | {"diagram": diagram["id"], "asset": asset["id"], "cells": cells}


def cell_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def box(number: int, kind: str, x: float, y: float, label: str) -> dict[str, Any]:
    place = {"position": {"x": x, "y": y}, "size": {"width": 140, "height": 80}}
    return {"id": cell_id(number), "type": kind, "properties": {"label": label}, **place}


def flow(number: int, source: int, target: int, label: str) -> dict[str, Any]:
    ends = {"source": {"cell": cell_id(source)}, "target": {"cell": cell_id(target)}}
    return {"id": cell_id(number), "type": "data_flow", "properties": {"label": label}, **ends}
