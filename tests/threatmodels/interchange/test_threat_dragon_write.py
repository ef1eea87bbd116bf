"""What goes out as Threat Dragon 2 fits its schema, and comes back as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from threatmodels.interchange.document import Diagram, Document, Threat
from threatmodels.interchange.registry import read
from threatmodels.interchange.threat_dragon_write import write

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"
SCHEMA = SAMPLES / "threat-dragon-v2/threat-dragon-v2.schema.json"
MODELS = sorted(path for path in SAMPLES.glob("threat-dragon-v?/*.json") if "schema" not in path.name)
CELL = "00000000-0000-4000-8000-000000000001"
OTHER = "00000000-0000-4000-8000-000000000002"

pytestmark = pytest.mark.skipif(not MODELS, reason=f"the sample files are not at {SAMPLES}")


def written(document: Document) -> Any:
    """The JSON of a document, which must fit the schema."""
    value = json.loads(write(document))
    jsonschema.validate(value, json.loads(SCHEMA.read_bytes()))
    return value


def there_and_back(document: Document) -> Document:
    reading = read(json.dumps(written(document)).encode())
    assert reading.report.left_out == []
    return reading.document


def comparable(document: Document) -> Document:
    """Without what Threat Dragon 2 adds of its own: its version, and ids and kinds of threats."""

    def lean(metadata: dict[str, str]) -> dict[str, str]:
        added = {"version", "id", "model_type", "diagram_top", "threat_top", "diagram_type"}
        return {k: v for k, v in metadata.items() if k.removeprefix("threat_dragon_") not in added}

    def own(metadata: dict[str, str]) -> dict[str, str]:
        return {k: v for k, v in lean(metadata).items() if not k.startswith("threat_dragon_template")}

    return replace(
        document,
        metadata=own(document.metadata),
        diagrams=[replace(d, metadata=lean(d.metadata)) for d in document.diagrams],
        threats=[replace(t, metadata=lean(t.metadata)) for t in document.threats],
    )


def process(**properties: Any) -> dict[str, Any]:
    return {
        "id": CELL,
        "type": "process",
        "position": {"x": 0, "y": 0},
        "size": {"width": 100, "height": 100},
        "properties": {"label": "Web", **properties},
    }


def with_threats(*threats: Threat, framework: str = "STRIDE") -> Document:
    diagram = Diagram(key="d", name="Main", cells=[process()])
    return Document(name="Shop", framework=framework, diagrams=[diagram], threats=list(threats))


def on_cell(**fields: Any) -> Threat:
    return Threat(key="t", name="Forged order", diagram_key="d", cell_id=CELL, **fields)


def test_fields_that_are_not_known_come_back_where_they_were(model: Any, node: Any, threat: Any) -> None:
    given = model(node(CELL, threats=[threat(reviewedBy="Ada", effort=3)]), placeholder="New", owners=["Bo"])
    given["summary"]["release"] = {"label": "x"}
    given["detail"]["stage"] = "draft"
    given["toolSettings"] = {"a": 1}
    found = written(read(json.dumps(given).encode()).document)
    [diagram] = found["detail"]["diagrams"]
    [back] = diagram["cells"][0]["data"]["threats"]
    assert (back["reviewedBy"], back["effort"]) == ("Ada", 3)
    assert (diagram["placeholder"], diagram["owners"]) == ("New", ["Bo"])
    assert found["summary"]["release"] == {"label": "x"}
    assert found["detail"]["stage"] == "draft"
    assert found["toolSettings"] == {"a": 1}
    assert not {"release", "stage"} & found.keys()


@pytest.mark.parametrize("path", MODELS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_sample_comes_back_as_it_was(path: Path) -> None:
    document = read(path.read_bytes()).document
    assert comparable(there_and_back(document)) == comparable(document)


def test_threats_of_no_element_come_back_as_threats_of_no_element() -> None:
    wide = Threat(key="m", name="Insider")
    loose = Threat(key="l", name="Outage", diagram_key="d")
    lost = Threat(key="x", name="Lost", diagram_key="d", cell_id=OTHER)
    document = with_threats(on_cell(), wide, loose, lost)
    back = there_and_back(document)
    places = {threat.name: (threat.diagram_key, threat.cell_id) for threat in back.threats}
    assert places == {
        "Forged order": ("0", CELL),
        "Insider": (None, None),
        "Outage": ("0", None),
        "Lost": ("0", None),
    }
    assert [cell["id"] for cell in back.diagrams[0].cells] == [CELL]


def test_model_of_threats_alone_comes_back_with_them() -> None:
    back = there_and_back(Document(name="Shop", threats=[Threat(key="m", name="Insider")]))
    assert [(threat.name, threat.diagram_key) for threat in back.threats] == [("Insider", None)]


def test_empty_model_fits_the_schema() -> None:
    assert there_and_back(Document(name="Shop")).diagrams == []


@pytest.mark.parametrize(
    ("status", "mitigated", "word"),
    [
        ("Active", False, "Open"),
        ("Mitigation planned", False, "Open"),
        ("Resolved", True, "Mitigated"),
        ("Active", True, "Mitigated"),
        ("Closed", False, "Mitigated"),
        ("Accepted", False, "Accepted"),
        ("False positive", False, "NotApplicable"),
        (None, False, "Open"),
    ],
)
def test_status_is_written_in_threat_dragons_words(status: str | None, mitigated: bool, word: str) -> None:
    value = written(with_threats(on_cell(status=status, mitigated=mitigated)))
    [cell] = value["detail"]["diagrams"][0]["cells"]
    assert cell["data"]["threats"][0]["status"] == word
    assert cell["data"]["hasOpenThreats"] is (word == "Open")


def test_original_status_returns_while_it_is_still_true() -> None:
    eliminated = on_cell(status="Resolved", mitigated=True, metadata={"threat_dragon_status": "Eliminated"})
    for threat, word in ((eliminated, "Eliminated"), (replace(eliminated, status="Accepted"), "Mitigated")):
        [cell] = written(with_threats(threat))["detail"]["diagrams"][0]["cells"]
        assert cell["data"]["threats"][0]["status"] == word


@pytest.mark.parametrize(
    ("framework", "ours", "theirs"),
    [
        ("STRIDE", "Tampering", "Tampering"),
        ("LINDDUN", "Linking", "Linkability"),
        ("LINDDUN", "Data disclosure", "Disclosure of information"),
        ("PLOT4ai", "Ethics and human rights", "Ethics & Human Rights"),
        ("PLOT4ai", "Transparency and accessibility", "Accessibility"),
        ("PLOT4ai", "Bias, fairness and discrimination", "Bias, fairness and discrimination"),
    ],
)
def test_category_is_written_by_the_name_that_threat_dragon_knows(
    framework: str, ours: str, theirs: str
) -> None:
    document = with_threats(on_cell(threat_type=ours), framework=framework)
    [cell] = written(document)["detail"]["diagrams"][0]["cells"]
    assert cell["data"]["threats"][0]["type"] == theirs
    assert there_and_back(document).threats[0].threat_type == ours


def test_severity_and_score_are_written() -> None:
    document = with_threats(on_cell(severity="critical", score=Decimal("9.8")), on_cell())
    first, second = written(document)["detail"]["diagrams"][0]["cells"][0]["data"]["threats"]
    assert (first["severity"], first["score"]) == ("Critical", "9.8")
    assert (second["severity"], second["score"]) == ("TBD", "")


def test_properties_that_people_made_up_cannot_break_the_file() -> None:
    odd = process(
        line=[{"x": "a"}], connector=5, description=["x"], protocol={}, is_encrypted="no", threat_dragon=1
    )
    boundary = {
        **process(line=[{"x": 0, "y": 0}, 5, {"x": 1, "y": "1"}]),
        "id": OTHER,
        "type": "trust_boundary",
    }
    flow = {
        "id": "00000000-0000-4000-8000-000000000003",
        "type": "data_flow",
        "source": {"cell": CELL, "port": "left"},
        "target": {"x": 1.5, "y": 2},
        "properties": {"label": "Order", "connector": None},
    }
    document = Document(name="Shop", diagrams=[Diagram(key="d", name="Main", cells=[odd, boundary, flow])])
    back = there_and_back(document).diagrams[0].cells
    assert [cell["type"] for cell in back] == ["process", "trust_boundary", "data_flow"]
    assert back[2]["source"] == {"cell": CELL, "port": "left"}
    assert back[1]["properties"]["line"] == [{"x": 0, "y": 0}, {"x": 1, "y": 1}]
