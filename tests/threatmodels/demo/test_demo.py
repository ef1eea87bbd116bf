"""The demo threat model is sound, complete, and drawn so that it can be read."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from threatmodels import choices
from threatmodels.cells import validate_cells
from threatmodels.cvss import cvss_score
from threatmodels.demo.loader import demo_document
from threatmodels.interchange.document import count
from threatmodels.pictures.svg import diagram_svg
from threatmodels.pictures.text import width

SVG = "{http://www.w3.org/2000/svg}"
DOCUMENT = demo_document()
DIAGRAMS = [pytest.param(diagram, id=diagram.key) for diagram in DOCUMENT.diagrams]
PROPERTIES = {
    "label",
    "description",
    "out_of_scope_reason",
    "protocol",
    "privilege_level",
    "is_encrypted",
    "is_public_network",
    "is_signed",
    "is_a_log",
    "is_web_application",
    "handles_card_payment",
    "handles_goods_or_services",
    "provides_authentication",
    "stores_credentials",
    "stores_inventory",
}
RATINGS = [(9, "critical"), (7, "high"), (4, "medium"), (0.1, "low")]


def names(vocabulary):
    return {name for name, _label in vocabulary}


def flows_of(diagram):
    return [cell for cell in diagram.cells if cell["type"] == "data_flow"]


def boxed(diagram):
    return [cell for cell in diagram.cells if cell["type"] != "data_flow"]


def solid(diagram):
    """What nothing may lie on or run through."""
    return [cell for cell in boxed(diagram) if cell["type"] != "trust_boundary"]


def label(cell):
    return cell["properties"]["label"]


def edges(cell):
    """Left, top, right and bottom."""
    x, y = cell["position"]["x"], cell["position"]["y"]
    return x, y, x + cell["size"]["width"], y + cell["size"]["height"]


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def within(inner, outer):
    return outer[0] < inner[0] and outer[1] < inner[1] and inner[2] < outer[2] and inner[3] < outer[3]


def port(cell, side):
    left, top, right, bottom = edges(cell)
    x, y = (left + right) / 2, (top + bottom) / 2
    return {"left": (left, y), "right": (right, y), "top": (x, top), "bottom": (x, bottom)}[side]


def course(flow, diagram):
    """The points of a flow from port to port."""
    cells = {cell["id"]: cell for cell in diagram.cells}
    start, end = (port(cells[flow[end]["cell"]], flow[end]["port"]) for end in ("source", "target"))
    return [start, *((v["x"], v["y"]) for v in flow.get("vertices", [])), end]


def legs(flow, diagram):
    """The straight parts of a flow as boxes without a width, a little off its ends."""
    for (x1, y1), (x2, y2) in itertools.pairwise(course(flow, diagram)):
        assert x1 == x2 or y1 == y2, f"{label(flow)} runs aslant"
        yield min(x1, x2) - 0.1, min(y1, y2) - 0.1, max(x1, x2) + 0.1, max(y1, y2) + 0.1


def picture_of(diagram):
    return ET.fromstring(diagram_svg(diagram.cells))


def label_boxes(diagram):
    """Where the picture puts the labels of flows, by their text."""
    found = {}
    for rect, text in itertools.pairwise(picture_of(diagram)):
        if rect.tag == f"{SVG}rect" and rect.get("rx") == "3" and text.tag == f"{SVG}text":
            x, y, wide, high = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
            found[text.text] = (x, y, x + wide, y + high)
    return found


def boundary_names(diagram):
    """Where the picture puts the names of boundaries, which run a little wider than other text."""
    for text in picture_of(diagram).iter(f"{SVG}text"):
        if text.get("font-weight") == "600":
            x, y, size = (float(text.get(name)) for name in ("x", "y", "font-size"))
            yield text.text, (x, y - size, x + width(text.text, size) * 1.1, y + size / 4)


@pytest.mark.parametrize("diagram", DIAGRAMS)
def test_all_cells_are_valid(diagram):
    assets = {asset.key for asset in DOCUMENT.assets}
    assert validate_cells(diagram.cells, asset_ids=assets) == []


def test_reading_it_twice_gives_the_same_ids():
    assert demo_document() == DOCUMENT
    ids = [cell["id"] for diagram in DOCUMENT.diagrams for cell in diagram.cells]
    ids += [asset.key for asset in DOCUMENT.assets]
    assert len(set(ids)) == len(ids)


def test_it_shows_something_of_everything():
    assert min(count(DOCUMENT).values()) > 0
    assert DOCUMENT.framework == "STRIDE"
    assert DOCUMENT.status in names(choices.MODEL_STATUSES)
    assert {t.threat_type for t in DOCUMENT.threats} == names(choices.THREAT_TYPES["STRIDE"])
    assert {t.mitigated for t in DOCUMENT.threats} == {True, False}
    assert [t.key for t in DOCUMENT.threats if t.asset_key]
    assert [c for d in DOCUMENT.diagrams for c in d.cells if c.get("out_of_scope")]


def test_threats_use_the_words_of_the_pages():
    levels = names(choices.LEVELS)
    for threat in DOCUMENT.threats:
        assert threat.severity in names(choices.SEVERITIES)
        assert threat.status in names(choices.THREAT_STATUSES)
        assert threat.priority in names(choices.PRIORITIES)
        assert {threat.likelihood, threat.risk_level} <= levels
        assert threat.mitigation
        assert threat.description
    for asset in DOCUMENT.assets:
        assert {asset.criticality, asset.sensitivity} <= levels
        assert asset.classification


def test_severity_agrees_with_the_cvss_rating():
    rated = [threat for threat in DOCUMENT.threats if threat.cvss_vector]
    assert len(rated) >= 5
    for threat in rated:
        score = cvss_score(threat.cvss_vector)
        assert threat.severity == next(name for least, name in RATINGS if score >= least), threat.key


def test_every_threat_is_on_something_that_is_there():
    places = {(d.key, cell["id"]) for d in DOCUMENT.diagrams for cell in d.cells}
    assets = {asset.key for asset in DOCUMENT.assets}
    for threat in DOCUMENT.threats:
        assert (threat.diagram_key, threat.cell_id) in places or threat.asset_key in assets, threat.key


@pytest.mark.parametrize("diagram", DIAGRAMS)
def test_cells_say_what_is_known_about_them(diagram):
    for cell in diagram.cells:
        assert set(cell["properties"]) <= PROPERTIES, label(cell)
        assert label(cell)
        if cell["type"] == "data_flow":
            assert {"protocol", "is_encrypted", "is_public_network"} <= set(cell["properties"])
        elif cell["type"] != "text":
            assert cell["properties"]["description"]
        assert bool(cell.get("out_of_scope")) == ("out_of_scope_reason" in cell["properties"])


@pytest.mark.parametrize("diagram", DIAGRAMS)
def test_no_shape_overlaps_another(diagram):
    for a, b in itertools.combinations(solid(diagram), 2):
        assert not overlap(edges(a), edges(b)), (label(a), label(b))
    boundaries = [cell for cell in boxed(diagram) if cell["type"] == "trust_boundary"]
    for a, b in itertools.combinations(boundaries, 2):
        assert not overlap(edges(a), edges(b)), (label(a), label(b))


@pytest.mark.parametrize("diagram", DIAGRAMS)
def test_boundaries_hold_their_own_and_nothing_else(diagram):
    for boundary in boxed(diagram):
        if boundary["type"] != "trust_boundary":
            continue
        for cell in solid(diagram):
            if cell.get("parent") == boundary["id"]:
                assert within(edges(cell), edges(boundary)), label(cell)
            else:
                assert not overlap(edges(cell), edges(boundary)), label(cell)


@pytest.mark.parametrize("diagram", DIAGRAMS)
def test_no_flow_runs_through_a_shape_or_across_another_flow(diagram):
    flows = flows_of(diagram)
    for flow in flows:
        ends = {flow["source"]["cell"], flow["target"]["cell"]}
        others = [cell for cell in solid(diagram) if cell["id"] not in ends]
        for leg, cell in itertools.product(legs(flow, diagram), others):
            assert not overlap(leg, edges(cell)), (label(flow), label(cell))
    for a, b in itertools.combinations(flows, 2):
        for one, other in itertools.product(legs(a, diagram), legs(b, diagram)):
            assert not overlap(one, other), (label(a), label(b))


@pytest.mark.parametrize("diagram", DIAGRAMS)
def test_labels_of_flows_cover_nothing(diagram):
    boxes = label_boxes(diagram)
    assert set(boxes) == {label(flow) for flow in flows_of(diagram)}
    for (a, one), (b, other) in itertools.combinations(boxes.items(), 2):
        assert not overlap(one, other), (a, b)
    for (text, box), cell in itertools.product(boxes.items(), solid(diagram)):
        assert not overlap(box, edges(cell)), (text, label(cell))
    for (text, box), flow in itertools.product(boxes.items(), flows_of(diagram)):
        if label(flow) != text:
            assert not any(overlap(box, leg) for leg in legs(flow, diagram)), (text, label(flow))


@pytest.mark.parametrize("diagram", DIAGRAMS)
def test_names_of_boundaries_stand_clear(diagram):
    found = dict(boundary_names(diagram))
    assert set(found) == {label(cell) for cell in boxed(diagram) if cell["type"] == "trust_boundary"}
    for name, box in found.items():
        assert not any(overlap(box, edges(cell)) for cell in solid(diagram)), name
        assert not any(overlap(box, leg) for flow in flows_of(diagram) for leg in legs(flow, diagram)), name
        assert not any(overlap(box, other) for other in label_boxes(diagram).values()), name


@pytest.mark.parametrize("diagram", DIAGRAMS)
def test_labels_fit_their_shapes(diagram):
    shown = " ".join(text.text for text in picture_of(diagram).iter(f"{SVG}text"))
    assert "…" not in shown
    for cell in diagram.cells:
        assert re.sub(r"\s+", " ", label(cell)) in shown
