"""The templates: sound, drawn without overlaps, and each a start that a person owns."""

from __future__ import annotations

from itertools import combinations

import pytest

from threatmodels.actions.threat_model import create_threat_model
from threatmodels.advice import Advice
from threatmodels.choices import THREAT_TYPES, Framework
from threatmodels.knowledge.cwe import weaknesses
from threatmodels.models import ThreatModel
from threatmodels.pictures.geometry import box_of
from threatmodels.starters.catalogue import NAMES, starters

EACH = pytest.mark.parametrize("name", NAMES)


@EACH
def test_a_template_has_boundaries_assets_and_threats_with_known_words(name):
    document = starters()[name]
    kinds = {cell["type"] for diagram in document.diagrams for cell in diagram.cells}
    assert {"process", "datastore", "external_entity", "data_flow", "trust_boundary"} <= kinds
    assert len(document.assets) >= 3
    assert len(document.threats) >= 8
    known = {value for value, _title in THREAT_TYPES[Framework(document.framework)]}
    assert {threat.threat_type for threat in document.threats} <= known
    assert all(threat.mitigation and threat.description for threat in document.threats)
    cited = {cwe for threat in document.threats for cwe in threat.cwe_ids}
    assert cited <= {one.id for one in weaknesses().values()}


@EACH
def test_shapes_of_a_template_do_not_overlap_and_lie_in_their_boundaries(name):
    for diagram in starters()[name].diagrams:
        boxes = {cell["id"]: box for cell in diagram.cells if (box := box_of(cell)) is not None}
        parents = {cell["id"]: cell.get("parent") for cell in diagram.cells}
        zones = {cell["id"] for cell in diagram.cells if cell["type"] == "trust_boundary"}
        for one, other in combinations(boxes.keys() - zones, 2):
            assert boxes[one].grown(10).shared(boxes[other]) == 0
        for pk, box in boxes.items():
            for zone in zones - {pk}:
                around = boxes[zone]
                inside = around.holds(box.centre)
                assert inside == (zone in ancestors(pk, parents)) or pk in ancestors(zone, parents)


def ancestors(pk, parents):
    found = []
    while (pk := parents.get(pk)) is not None:
        found.append(pk)
    return found


@EACH
def test_a_template_leaves_nothing_to_put_right_and_much_to_consider(name, browse, cast):
    answer = browse(cast.outsider).post(f"/threat-models/start/{name}")
    made = ThreatModel.objects.get()
    assert answer.url == f"/threat-models/{made.pk}"
    assert made.owner == cast.outsider
    assert made.threats.count() == len(starters()[name].threats)
    advice = Advice(made)
    for diagram in made.diagrams.all():
        assert {one.check for one in advice.hygiene(diagram)} <= {"store-never-read"}
        assert len(advice.suggestions(diagram)) > 10


def test_the_page_for_a_new_model_offers_the_templates_with_their_pictures(browse, cast):
    client = browse(cast.owner)
    html = client.get("/threat-models/new").content.decode()
    for name in NAMES:
        assert f'action="/threat-models/start/{name}"' in html
        assert b"<svg" in client.get(f"/threat-models/templates/{name}.svg").content
    assert client.get("/threat-models/templates/nothing.svg").status_code == 404
    assert client.post("/threat-models/start/nothing").status_code == 404
    assert client.get("/threat-models/start/iot").status_code == 405


def test_an_empty_dashboard_offers_four_ways_to_begin(browse, cast):
    client = browse(cast.outsider)
    html = client.get("/").content.decode()
    for address in (
        "/threat-models/new",
        "/threat-models/import",
        "/threat-models/new#templates",
        "/threat-models/start/demo",
    ):
        assert f'"{address}"' in html
    client.post("/threat-models/start/demo")
    assert ThreatModel.objects.get().owner == cast.outsider
    create_threat_model(actor=cast.outsider, name="Another")
    assert "Open the demo" not in client.get("/").content.decode()
