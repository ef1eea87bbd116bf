"""Importing over REST and by the page: whole or not at all, and counted as the file has it."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import AuditEntry
from tests.threatmodels.interchange.test_threat_dragon import MODELS, PLURAL_OF_SHAPE, SAMPLES, raw, raw_cells
from threatmodels.models import Asset, Diagram, Metadata, Threat, ThreatModel

URL = "/api/v1/import"


def send(client, content, name="model.json", url=URL):
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return client.post(url, {"file": SimpleUploadedFile(name, data)}, format="multipart")


def model_with(**more):
    diagram = {"id": 0, "title": "Main", "diagramType": "STRIDE", "cells": [], **more}
    return {
        "version": "2.6.0",
        "summary": {"title": "Shop", "owner": "Ada", "description": "Sells", "id": 1},
        "detail": {"contributors": [], "reviewer": "", "diagrams": [diagram]},
    }


def a_process(threats=()):
    return {
        "id": "7d9e1c8e-1111-4111-8111-000000000001",
        "shape": "process",
        "position": {"x": 1, "y": 2},
        "size": {"width": 90, "height": 60},
        "data": {"type": "tm.Process", "name": "Till", "threats": list(threats)},
    }


def a_threat(**more):
    return {
        "id": "7d9e1c8e-1111-4111-8111-00000000000a",
        "title": "Forged order",
        "status": "Open",
        "severity": "High",
        "type": "Tampering",
        "description": "d",
        "mitigation": "m",
        "modelType": "STRIDE",
        **more,
    }


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"the sample files are not at {SAMPLES}")
@pytest.mark.parametrize("name", MODELS)
def test_a_published_model_is_stored_with_everything_it_holds(cast, api, name):
    answer = send(api(cast.owner), (SAMPLES / name).read_bytes(), name)
    assert answer.status_code == 201, answer.content
    data = answer.json()["data"]
    stored = ThreatModel.objects.get(pk=data["threat_model_id"])
    assert stored.owner == cast.owner
    assert stored.name == raw(name)["summary"]["title"]
    shapes = [PLURAL_OF_SHAPE[cell.get("shape") or cell["type"]] for cell in raw_cells(name)]
    cells = [cell for diagram in stored.diagrams.all() for cell in diagram.cells]
    assert len(cells) == len(shapes)
    for plural in set(shapes):
        assert data["counts"][plural] == shapes.count(plural)
    threats = [
        t for cell in raw_cells(name) for t in cell.get("threats", cell.get("data", {}).get("threats", []))
    ]
    assert stored.threats.count() == len(threats) == data["counts"]["threats"]
    shown = api(cast.owner).get(f"/api/v1/threat_models/{stored.pk}/threats?limit=100").json()["data"]
    assert sorted(t["name"] for t in shown) == sorted(t["title"] for t in threats)


def test_a_file_can_be_imported_twice_and_makes_two_models(cast, api):
    content = model_with(cells=[a_process([a_threat()])])
    first, second = (send(api(cast.owner), content).json()["data"]["threat_model_id"] for _ in range(2))
    assert first != second
    assert Threat.objects.count() == 2
    assert len({t.cell_id for t in Threat.objects.all()}) == 2


def test_an_import_into_a_model_adds_to_it_and_is_in_its_history(cast, api, threat_model):
    url = f"/api/v1/threat_models/{threat_model.pk}/import"
    answer = send(api(cast.writer), model_with(cells=[a_process([a_threat()])]), url=url)
    assert answer.status_code == 201
    assert answer.json()["data"]["threat_model_id"] == str(threat_model.pk)
    threat_model.refresh_from_db()
    assert threat_model.name == "Web shop"
    [threat] = threat_model.threats.all()
    assert threat.cell_id is not None
    assert str(threat.cell_id) in str(threat.diagram.cells)
    entry = AuditEntry.objects.get(action="import")
    assert (entry.actor, entry.threat_model_id) == (cast.writer, threat_model.pk)


@pytest.mark.parametrize(("who", "status"), [("reader", 403), ("outsider", 404), (None, 401)])
def test_only_writers_import_into_a_model(cast, api, threat_model, who, status):
    client = api(cast.named(who) if who else None)
    answer = send(client, model_with(), url=f"/api/v1/threat_models/{threat_model.pk}/import")
    assert answer.status_code == status
    assert threat_model.diagrams.count() == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        b"[]",
        b'{"a": 1}',
        b"[" * 100_000,
        b"PK\x03\x04 not a zip",
    ],
    ids=["nothing", "text", "binary", "list", "other", "deep", "zip"],
)
def test_what_is_no_model_is_one_clear_error_and_stores_nothing(cast, api, content):
    answer = send(api(cast.owner), content)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert error["details"]["field"].startswith("file")
    assert error["details"]["reason"].endswith(".")
    assert not ThreatModel.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.asvs("v5.0.0-5.2.1")
def test_a_file_that_is_too_large_is_refused(cast, api, settings):
    settings.CONFIG = settings.CONFIG.model_copy(
        update={"imports": settings.CONFIG.imports.model_copy(update={"max_bytes": 1000})}
    )
    answer = send(api(cast.owner), b" " * 1001)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"


def test_a_threat_that_cannot_be_stored_stores_nothing(cast, api, monkeypatch):
    """A failure at the very end leaves neither the model nor its diagrams behind."""

    def fail(*_args, **_kwargs):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(Metadata.objects, "bulk_create", fail)
    answer = send(api(cast.owner), model_with(cells=[a_process([a_threat()])]))
    assert answer.status_code == 500
    assert "disk" not in answer.content.decode()
    assert not ThreatModel.objects.exists()
    assert not Diagram.objects.exists()


@pytest.mark.parametrize(
    "form", [{}, {"file": "text"}, {"file": SimpleUploadedFile("a", b"{}"), "name": "x"}]
)
def test_the_form_holds_one_file_and_nothing_else(cast, api, form):
    answer = api(cast.owner).post(URL, form, format="multipart")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == "file"


def test_the_page_imports_and_tells_what_was_changed(cast, browse):
    content = json.dumps(model_with(cells=[a_process([a_threat(severity="Ludicrous")])])).encode()
    page = browse(cast.owner).post("/threat-models/import", {"file": SimpleUploadedFile("m.json", content)})
    assert page.status_code == 200
    assert "File imported" in page.content.decode()
    assert ThreatModel.objects.get().owner == cast.owner


def test_the_page_says_what_is_wrong_with_a_file(cast, browse):
    bad = {"file": SimpleUploadedFile("<script>.json", b"no json")}
    page = browse(cast.owner).post("/threat-models/import", bad)
    assert page.status_code == 400
    assert 'role="alert"' in page.content.decode()
    assert "<script>." not in page.content.decode()
    assert not ThreatModel.objects.exists()


def test_the_page_wants_a_file(cast, browse):
    page = browse(cast.owner).post("/threat-models/import", {})
    assert page.status_code == 400
    assert "This field is required" in page.content.decode()


def test_what_a_file_says_of_its_model_is_left_out_of_another_and_told(cast, api, threat_model):
    content = model_with(diagramType="LINDDUN", cells=[a_process([a_threat()])])
    answer = send(api(cast.owner), content, url=f"/api/v1/threat_models/{threat_model.pk}/import")
    assert answer.status_code in {200, 201}, answer.content
    said = " ".join(answer.json()["data"]["warnings"])
    assert "Its description is not taken over" in said
    threat_model.refresh_from_db()
    assert threat_model.description != "Sells"


def test_a_table_added_to_a_model_puts_threats_on_what_they_name(cast, api):
    model = model_with(cells=[a_process()])
    assert send(api(cast.owner), model).status_code == 201
    target = ThreatModel.objects.get()
    asset = Asset.objects.create(threat_model=target, name="Orders", type="data")
    table = (
        "name,diagram,element,asset\n"
        "Forged,Main,Till,Orders\n"
        "Lost,,Till,\n"
        "Strange,Main,Kiosk,Money\n"
        "Wide,Main,,\n"
    )
    answer = send(api(cast.owner), table.encode(), "t.csv", f"/api/v1/threat_models/{target.pk}/import")
    assert answer.status_code == 201, answer.content
    found = {threat.name: threat for threat in target.threats.all()}
    diagram = target.diagrams.get()
    [cell] = diagram.current_cells
    assert (found["Forged"].diagram, str(found["Forged"].cell_id)) == (diagram, cell["id"])
    assert found["Forged"].asset == asset
    assert (found["Lost"].diagram, str(found["Lost"].cell_id)) == (diagram, cell["id"])
    assert (found["Strange"].diagram, found["Strange"].cell_id) == (diagram, None)
    assert (found["Wide"].diagram, found["Wide"].cell_id) == (diagram, None)
    kept = Metadata.objects.filter(entity_id=found["Strange"].pk).values_list("key", "value")
    assert dict(kept) == {"element": "Kiosk", "asset": "Money"}
    assert not Metadata.objects.filter(entity_id=found["Forged"].pk).exists()
    warnings = [one for one in answer.json()["data"]["warnings"] if "exactly one" in one]
    assert len(warnings) == 2
