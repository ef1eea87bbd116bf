"""Export: who may, what a file is called, and that what went out comes in again."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from tests.threatmodels.api.test_cell import box, cell_id, flow
from tests.threatmodels.interchange.samples import COUNTS, counted_by, files, name_of
from threatmodels.export import EXPORTS
from threatmodels.interchange.registry import WRITERS
from threatmodels.models import Diagram, Threat, ThreatModel

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def import_file(client, data, name):
    answer = client.post("/api/v1/import", {"file": SimpleUploadedFile(name, data)}, format="multipart")
    assert answer.status_code == 201, answer.content
    return answer.json()["data"]


def export(client, pk, kind, **headers):
    return client.get(f"/api/v1/threat_models/{pk}/export?format={kind}", headers=headers)


def without_ids(data: bytes) -> str:
    """Every id as the number of its first appearance."""
    numbers: dict[str, int] = {}
    return UUID.sub(lambda m: f"#{numbers.setdefault(m[0], len(numbers))}", data.decode())


@pytest.mark.parametrize("path", files(*COUNTS, "threat-dragon-v1", "threat-dragon-v2"), ids=name_of)
def test_a_sample_is_stored_and_its_export_comes_back_byte_for_byte(cast, api, path):
    client = api(cast.owner)
    first = import_file(client, path.read_bytes(), path.name)
    if path.parent.name in COUNTS:
        expected = COUNTS[path.parent.name](path)
        found = counted_by(first["counts"])
        assert {name: found[name] for name in expected} == expected
    stored = ThreatModel.objects.get(pk=first["threat_model_id"])
    assert stored.threats.count() == first["counts"]["threats"]
    assert sum(len(d.cells) for d in stored.diagrams.all()) == sum(
        first["counts"][kind]
        for kind in (
            "processes",
            "datastores",
            "external_entities",
            "trust_boundaries",
            "data_flows",
            "texts",
        )
    )
    one = export(client, first["threat_model_id"], "tmi")
    assert one.status_code == 200
    second = import_file(client, one.content, "again.json")
    assert second["counts"] == first["counts"]
    assert second["warnings"] == []
    two = export(client, second["threat_model_id"], "tmi")
    assert without_ids(two.content) == without_ids(one.content)
    for kind in set(EXPORTS) - {"tmi"}:
        assert export(client, first["threat_model_id"], kind).status_code == 200, kind


@pytest.fixture
def twins(cast, api, threat_model):
    """Two diagrams with the same ids of cells: a client copied one by GET and POST."""
    client, base = api(cast.owner), f"/api/v1/threat_models/{threat_model.pk}"
    for name in ("First", "Second"):
        cells = [box(1, f"Till of {name}"), box(2, "Shelf"), flow(3, 1, 2)]
        body = {"name": name, "diagram_data": {"cells": cells}}
        diagram = client.post(f"{base}/diagrams", body, format="json").json()["data"]
        threat = {"name": name, "diagram_id": diagram["id"], "cell_id": cell_id(1)}
        assert client.post(f"{base}/threats", threat, format="json").status_code == 201
    entry = f"{base}/diagrams/{diagram['id']}/cells/{cell_id(1)}/metadata/ticket"
    assert client.put(entry, {"value": "T-1"}, format="json").status_code == 201
    return threat_model


def test_the_same_cell_in_two_diagrams_comes_back_as_two(cast, api, twins):
    client = api(cast.owner)
    one = export(client, twins.pk, "tmi")
    made = import_file(client, one.content, "twins.json")
    assert (made["counts"]["processes"], made["counts"]["data_flows"], made["warnings"]) == (4, 2, [])
    first, second = Threat.objects.filter(threat_model=made["threat_model_id"]).order_by("name")
    assert (first.diagram.name, second.diagram.name) == ("First", "Second")
    assert first.cell_id != second.cell_id
    for threat in (first, second):
        assert str(threat.cell_id) in {cell["id"] for cell in threat.diagram.cells}
    two = export(client, made["threat_model_id"], "tmi")
    again = import_file(client, two.content, "again.json")
    three = export(client, again["threat_model_id"], "tmi")
    assert without_ids(three.content) == without_ids(two.content)


@pytest.mark.parametrize("kind", list(EXPORTS))
def test_the_same_cell_in_two_diagrams_is_written_in_every_format(cast, api, twins, kind):
    client = api(cast.owner)
    written = export(client, twins.pk, kind)
    assert written.status_code == 200
    if kind == "csv":
        rows = csv.DictReader(io.StringIO(written.content.decode("utf-8-sig"), newline=""))
        assert sorted(row["element"] for row in rows) == ["Till of First", "Till of Second"]
    if kind in WRITERS:
        counts = import_file(client, written.content, f"twins.{EXPORTS[kind].ending}")["counts"]
        assert kind in {"csv", "xlsx"} or counts["processes"] == 4


@pytest.mark.asvs("v5.0.0-3.2.1", "v5.0.0-5.4.1", "v5.0.0-5.4.2", "v5.0.0-4.1.1")
@pytest.mark.parametrize("kind", list(EXPORTS))
def test_a_file_has_a_name_and_is_saved_by_browsers(cast, api, threat_model, kind):
    answer = export(api(cast.reader), threat_model.pk, kind)
    assert answer.status_code == 200
    assert answer["Content-Type"] == EXPORTS[kind].media_type
    assert answer["Content-Disposition"] == f'attachment; filename="web-shop.{EXPORTS[kind].ending}"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.content


@pytest.mark.parametrize(("who", "status"), [("reader", 200), ("outsider", 404), (None, 401)])
def test_every_role_may_export_and_nobody_else(cast, api, threat_model, who, status):
    answer = export(api(cast.named(who) if who else None), threat_model.pk, "tmi")
    assert answer.status_code == status
    assert ("Web shop" in answer.content.decode()) == (status == 200)


@pytest.mark.parametrize("query", ["", "?format=", "?format=docx", "?format=tmi&format=csv", "?kind=tmi"])
def test_a_format_that_there_is_not_is_refused_with_its_name(cast, api, threat_model, query):
    answer = api(cast.reader).get(f"/api/v1/threat_models/{threat_model.pk}/export{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == ("kind" if "kind" in query else "format")


def test_what_a_caller_accepts_does_not_choose_the_format(cast, api, threat_model):
    assert export(api(cast.reader), threat_model.pk, "csv", accept="text/html").status_code == 200
    refused = export(api(cast.reader), threat_model.pk, "x", accept="text/html")
    assert refused.json()["error"]["code"] == "VALIDATION_ERROR"


@pytest.mark.asvs("v5.0.0-1.2.10")
def test_no_cell_of_a_table_is_a_formula(cast, api, threat_model):
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "'=1", "plain", "|calc", "%x"]
    client = api(cast.writer)
    for text in texts:
        body = {"name": f"{text}".strip() or "x", "description": text, "mitigation": text}
        made = client.post(f"/api/v1/threat_models/{threat_model.pk}/threats", body, format="json")
        assert made.status_code == 201, made.content
    table = export(client, threat_model.pk, "csv").content.decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(table, newline="")) for cell in row]
    assert not [cell for cell in cells if re.match(r"[=+\-@\t\r|%]", cell)]
    book = load_workbook(io.BytesIO(export(client, threat_model.pk, "xlsx").content))
    values = [cell for row in book.active.iter_rows() for cell in row if cell.value is not None]
    assert not [
        cell for cell in values if cell.data_type == "f" or re.match(r"[=+\-@\t\r|%]", str(cell.value))
    ]
    for kind in ("csv", "xlsx"):
        again = import_file(client, export(client, threat_model.pk, kind).content, f"a.{kind}")
        found = Threat.objects.filter(threat_model=again["threat_model_id"])
        assert sorted(found.values_list("description", flat=True)) == sorted(texts)


def test_reports_and_findings_are_exports_too(cast, api, threat_model):
    client, base = api(cast.writer), f"/api/v1/threat_models/{threat_model.pk}"
    body = {"name": "<b>Theft</b> & more", "severity": "high", "description": "<script>alert(1)</script>"}
    client.post(f"{base}/threats", body, format="json")
    client.post(f"{base}/diagrams", {"name": "Overview"}, format="json")
    assert export(client, threat_model.pk, "pdf").content.startswith(b"%PDF-")
    assert "# Web shop" in export(client, threat_model.pk, "markdown").content.decode()
    log = json.loads(export(client, threat_model.pk, "sarif").content)
    assert log["version"] == "2.1.0"
    assert any("Theft" in json.dumps(one) for one in log["runs"][0]["results"])
    asked = client.get(f"{base}/report?as=html")
    assert asked["Content-Type"].startswith("text/html")
    assert "Theft" in asked.content.decode()


def test_an_html_report_needs_nothing_beside_it_and_runs_nothing(cast, api, threat_model):
    client, base = api(cast.writer), f"/api/v1/threat_models/{threat_model.pk}"
    text = '<script>alert(1)</script><img src="https://example.org/x.png">'
    client.post(
        f"{base}/threats", {"name": "<b>Theft</b>", "severity": "high", "description": text}, format="json"
    )
    client.post(f"{base}/diagrams", {"name": "Overview"}, format="json")
    page = export(client, threat_model.pk, "html").content.decode()
    assert page.startswith("<!doctype html>")
    assert "&lt;b&gt;Theft&lt;/b&gt;" in page
    assert "data:image/svg+xml;base64," in page
    assert "<script" not in page
    assert "<link" not in page
    addresses = re.findall(r"""<[^>]*(?:src|href)=["']([^"']*)""", page)
    assert addresses
    assert all(one.startswith(("data:image/svg+xml", "#")) for one in addresses)


def test_ids_of_cells_in_capitals_are_read_as_what_they_are(cast, api, threat_model):
    client, base = api(cast.owner), f"/api/v1/threat_models/{threat_model.pk}"
    pk = "0190abcd-0000-7000-8000-00000000abcd"
    place = {"position": {"x": 0, "y": 0}, "size": {"width": 80, "height": 60}}
    cell = {"id": pk, "type": "process", "properties": {"label": "Till"}, **place}
    body = {"name": "Main", "diagram_data": {"cells": [cell]}}
    diagram = client.post(f"{base}/diagrams", body, format="json").json()["data"]["id"]
    at = {"name": "Theft", "diagram_id": diagram, "cell_id": pk}
    assert client.post(f"{base}/threats", at, format="json").status_code == 201
    written = export(client, threat_model.pk, "tmi").content.decode().replace(pk, pk.upper())
    again = import_file(client, written.encode(), "again.json")
    threat = Threat.objects.get(threat_model=again["threat_model_id"])
    assert [cell["id"] for cell in threat.diagram.current_cells] == [str(threat.cell_id)]


def test_deleted_parts_are_not_exported(cast, api, threat_model):
    client = api(cast.owner)
    made = client.post(f"/api/v1/threat_models/{threat_model.pk}/threats", {"name": "Gone"}, format="json")
    client.delete(f"/api/v1/threat_models/{threat_model.pk}/threats/{made.json()['data']['id']}")
    assert json.loads(export(client, threat_model.pk, "tmi").content)["threat_model"]["threats"] == []


def test_the_page_offers_every_format_to_a_reader(cast, browse, threat_model):
    page = browse(cast.reader).get(f"/threat-models/{threat_model.pk}/export")
    assert page.status_code == 200
    for kind in EXPORTS:
        assert f'href="?format={kind}"' in page.content.decode()
    file = browse(cast.reader).get(f"/threat-models/{threat_model.pk}/export?format=csv")
    assert file["Content-Disposition"].startswith("attachment")
    wrong = browse(cast.reader).get(f"/threat-models/{threat_model.pk}/export?format=docx")
    assert wrong.status_code == 400
    assert 'role="alert"' in wrong.content.decode()
    assert browse(cast.outsider).get(f"/threat-models/{threat_model.pk}/export").status_code == 404


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda m: m.update(threats=[{"name": "x"}]), "/threat_model/threats/0/key"),
        (lambda m: m.update(unknown=1), "/threat_model/unknown"),
        (lambda m: m.update(name=5), "/threat_model/name"),
        (lambda m: m.update(metadata={"bad key": "x"}), "/threat_model/metadata"),
        (lambda m: m.update(metadata={"key\n": "x"}), "/threat_model/metadata"),
        (lambda m: m.update(extensions={"otm": ["\x00"]}), "/threat_model/extensions"),
        (lambda m: m.update(name=""), "name"),
        (lambda m: m.update(framework="ABC"), "framework"),
        (lambda m: m["threats"].append({"key": "a", "name": "x", "diagram_key": "?"}), "diagram_key"),
        (lambda m: m["threats"].append({"key": "a", "name": "x", "score": "11"}), "score"),
        (lambda m: m["threats"].append({"key": "a", "name": "x", "issue_uri": "javascript:1"}), "issue_uri"),
        (lambda m: m["assets"].append({"key": "a", "name": "x"}), "assets/0/key"),
        (lambda m: m["diagrams"].append({"key": "a", "name": "x", "cells": [5]}), "cells/0"),
        (lambda m: m["documents"].append({"name": "x", "uri": "file:///etc/passwd"}), "uri"),
    ],
)
def test_our_own_json_that_was_changed_by_hand_is_refused_at_its_place(
    cast, api, threat_model, change, place
):
    client = api(cast.owner)
    value = json.loads(export(client, threat_model.pk, "tmi").content)
    change(value["threat_model"])
    before = ThreatModel.objects.count()
    file = SimpleUploadedFile("m.json", json.dumps(value).encode())
    answer = client.post("/api/v1/import", {"file": file}, format="multipart")
    assert answer.status_code == 400, answer.content
    assert place in json.dumps(answer.json()["error"]["details"])
    assert ThreatModel.objects.count() == before
    assert not Diagram.objects.filter(name="x").exists()
