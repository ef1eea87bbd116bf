"""The sample files, what each of them holds by another count than the readers', and a sound reading."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml
from defusedxml import minidom

from threatmodels.cells import validate_cells
from threatmodels.interchange.registry import read
from threatmodels.interchange.report import Reading

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"
Counts = dict[str, int]


def files(*folders: str) -> list[Path]:
    """The models in these folders; schemas and what is broken on purpose are none."""
    found = [path for folder in folders for path in sorted(SAMPLES.glob(f"{folder}/*"))]
    return [path for path in found if "schema" not in path.name and path.name != "not_xml.drawio"]


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def content(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def sound_reading(data: bytes, filename: str = "") -> Reading:
    return sound(read(data, filename=filename))


def sound(reading: Reading) -> Reading:
    """A reading that the database would take: cells are valid, references lead somewhere."""
    document = reading.document
    assets = {asset.key for asset in document.assets}
    ids = [cell["id"] for diagram in document.diagrams for cell in diagram.cells]
    assert len(set(ids)) == len(ids)
    places = {(d.key, cell["id"]) for d in document.diagrams for cell in d.cells}
    for diagram in document.diagrams:
        assert validate_cells(diagram.cells, asset_ids=assets) == []
    for threat in document.threats:
        assert threat.cell_id is None or (threat.diagram_key, threat.cell_id) in places
        assert threat.asset_key is None or threat.asset_key in assets
    return reading


def count_tm7(path: Path) -> Counts:
    text = content(path).decode("utf-8-sig")
    drawn = Counter(
        re.findall(r'type="(Stencil\w+|Connector|\w+Boundary)"', text.split("<ThreatInstances")[0])
    )
    return {
        "diagrams": text.count("<DrawingSurfaceModel"),
        "processes": drawn["StencilEllipse"],
        "datastores": drawn["StencilParallelLines"],
        "external_entities": drawn["StencilRectangle"],
        "trust_boundaries": drawn["BorderBoundary"] + drawn["LineBoundary"],
        "data_flows": drawn["Connector"],
        "threats": text.count("<a:KeyValueOfstringThreatpc_P0_PhOB"),
    }


def count_otm(path: Path) -> Counts:
    value = yaml.safe_load(path.read_text(encoding="utf-8"))
    elements = [*value.get("components", []), *value.get("dataflows", [])]
    referenced = [t["threat"] for element in elements for t in element.get("threats") or []]
    defined = {threat["id"] for threat in value.get("threats", [])}
    diagrams = [r for r in value.get("representations", []) if r["type"] == "diagram"]
    return {
        "diagrams": max(1, len(diagrams)),
        "nodes": len(value["components"]),
        "trust_boundaries": len(value["trustZones"]),
        "data_flows": len(value["dataflows"]),
        "threats": len(referenced) + len(defined - set(referenced)),
        "assets": len(value.get("assets", [])),
    }


def count_pytm(path: Path) -> Counts:
    value = json_of(path)
    classes = Counter(element["__class__"] for element in value["elements"])
    return {
        "diagrams": 1,
        "processes": classes["Server"] + classes["Lambda"] + classes["Process"],
        "datastores": classes["Datastore"],
        "external_entities": classes["Actor"],
        "trust_boundaries": len(value["boundaries"]),
        "data_flows": len(value["flows"]),
        "assets": len(value.get("data", [])),
        "threats": 0,
    }


def count_threagile(path: Path) -> Counts:
    text = path.read_text(encoding="utf-8")
    technical = text.split("\ntechnical_assets:")[1].split("\ntrust_boundaries:")[0]
    return {
        "diagrams": 1,
        "processes": technical.count("\n    type: process"),
        "datastores": technical.count("\n    type: datastore"),
        "external_entities": technical.count("\n    type: external-entity"),
        "data_flows": technical.count("\n        target: "),
        "trust_boundaries": text.count("\n    technical_assets_inside:"),
        "assets": text.split("\ntechnical_assets:")[0].count("\n    id: "),
        "threats": text.count("\n        exploitation_impact: "),
    }


def count_threat_composer(path: Path) -> Counts:
    value = json_of(path)
    named = {name for threat in value["threats"] for name in threat.get("impactedAssets", [])}
    return {"diagrams": 0, "threats": len(value["threats"]), "assets": len(named)}


def drawio_cells(data: bytes) -> list[dict[str, Any]]:
    """The shapes of all pages by another parser: attributes, with the label and id of what wraps them."""
    pages = minidom.parseString(data).getElementsByTagName("diagram")
    found = []
    for page in pages:
        text = "".join(node.data for node in page.childNodes if node.nodeType == node.TEXT_NODE).strip()
        if text:
            xml = unquote(zlib.decompress(base64.b64decode(text), -15).decode())
            page = minidom.parseString(xml).documentElement  # noqa: PLW2901
        for cell in page.getElementsByTagName("mxCell"):
            around = cell.parentNode if cell.parentNode.tagName in {"UserObject", "object"} else cell
            geometry = cell.getElementsByTagName("mxGeometry")
            found.append(
                {
                    **dict(cell.attributes.items()),
                    **dict(around.attributes.items()),
                    "geometry": dict(geometry[0].attributes.items()) if geometry else {},
                }
            )
    return found


def count_drawio(path: Path) -> Counts:
    cells = drawio_cells(path.read_bytes())
    edges = {cell["id"] for cell in cells if cell.get("edge")}
    vertices = [cell for cell in cells if cell.get("vertex") and cell["parent"] not in edges]
    texts = [cell for cell in vertices if cell["style"].startswith("text;")]
    boundaries = [c for c in vertices if "dashed=1" in c["style"] or ".group;" in c["style"]]
    return {
        "diagrams": 1,
        "data_flows": len(edges),
        "texts": len(texts),
        "trust_boundaries": len(boundaries),
        "nodes": len(vertices) - len(texts) - len(boundaries),
        "processes": sum(
            "ellipse;" in c["style"] or ".ec2;" in c["style"] or ".sqs;" in c["style"] for c in vertices
        ),
        "threats": 0,
    }


def count_tm_bom(path: Path) -> Counts:
    value = json_of(path)
    return {
        "diagrams": 1,
        "external_entities": len(value["actors"]),
        "processes": len(value["components"]),
        "datastores": len(value["data_stores"]),
        "trust_boundaries": len(value["trust_zones"]),
        "data_flows": len(value["data_flows"]),
        "threats": len(value["threats"]),
        "assets": len(value["data_sets"]),
        "repositories": int("repo_link" in value),
        "documents": int("release_docs_link" in value),
    }


COUNTS: dict[str, Callable[[Path], Counts]] = {
    "tm7": count_tm7,
    "otm": count_otm,
    "pytm": count_pytm,
    "threagile": count_threagile,
    "threat-composer": count_threat_composer,
    "drawio": count_drawio,
    "tm-bom": count_tm_bom,
}
# What no reader can keep, by the beginning of its finding.
PICTURES = "Its diagram is a picture"


def counted(reading: Reading) -> Counts:
    return counted_by(reading.report.counts)


def counted_by(counts: Counts) -> Counts:
    """The counts of a report, with all that is neither a flow nor a boundary as one number too."""
    nodes = sum(counts[kind] for kind in ("processes", "datastores", "external_entities"))
    return {**counts, "nodes": nodes}


def json_of(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
