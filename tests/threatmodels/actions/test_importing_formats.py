"""Files of every kind through the API: stored whole, or refused with a sentence and nothing stored."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import AuditEntry
from tests.threatmodels.interchange.samples import COUNTS, SAMPLES, content, files, json_of, name_of
from threatmodels.models import Asset, Diagram, Note, Threat, ThreatModel

NASTY = "a\x00b\x1b\u202eevil\ud800\ufffe\r\n<script>=1+1</script>" + "y" * 3_000
KINDS = (ThreatModel, Diagram, Threat, Asset, Note, AuditEntry)
JSON_FILES = [path for path in files(*COUNTS, "threat-dragon-v2") if content(path).lstrip()[:1] == b"{"]


def send(client, data, name="model"):
    return client.post("/api/v1/import", {"file": SimpleUploadedFile(name, data)}, format="multipart")


def stored():
    return [kind.objects.count() for kind in KINDS]


def with_texts(value, text):
    """Every text of a JSON value but ids and references, which hold it together, is another."""
    if isinstance(value, dict):
        kept = {"id", "type", "symbolic_name", "otmVersion", "shape", "cell", "object", "threat", "state"}
        return {k: v if k in kept else with_texts(v, text) for k, v in value.items()}
    if isinstance(value, list):
        return [with_texts(item, text) for item in value]
    return text if isinstance(value, str) else value


@pytest.mark.parametrize("text", [NASTY, "", " "], ids=["nasty", "empty", "blank"])
@pytest.mark.parametrize("path", JSON_FILES, ids=name_of)
def test_a_model_whose_texts_are_nasty_is_stored_with_other_texts(cast, api, path, text):
    answer = send(api(cast.owner), json.dumps(with_texts(json_of(path), text)).encode(), path.name)
    assert answer.status_code in {201, 400}, answer.content
    if answer.status_code == 400:
        assert stored() == [0] * len(KINDS)
        return
    model = ThreatModel.objects.get()
    assert model.threats.count() == answer.json()["data"]["counts"]["threats"]
    for name in [model.name, *model.threats.values_list("name", flat=True)]:
        assert name.strip()
        assert "\x00" not in name
        assert "\n" not in name


@pytest.mark.parametrize("path", files(*COUNTS), ids=name_of)
def test_nothing_is_stored_of_a_file_that_ends_too_early(cast, api, path):
    whole = content(path).rstrip()
    client = api(cast.owner)
    for part in range(1, 20):
        before = stored()
        answer = send(client, whole[: len(whole) * part // 20], path.name)
        assert answer.status_code in {201, 400}, answer.content
        if answer.status_code == 400:
            assert answer.json()["error"]["details"]["field"].startswith("file")
            assert answer.json()["error"]["message"].endswith(".")
            assert stored() == before


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"the sample files are not at {SAMPLES}")
def test_what_is_broken_on_purpose_is_refused_with_the_reason(cast, api):
    for path in [*SAMPLES.glob("*/*schema*.json"), SAMPLES / "drawio/not_xml.drawio"]:
        answer = send(api(cast.owner), path.read_bytes(), path.name)
        assert answer.status_code == 400
        reason = answer.json()["error"]["details"]["reason"]
        assert "JSON Schema" in reason if "schema" in path.name else "Kinds that can be read" in reason
    assert stored() == [0] * len(KINDS)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"the sample files are not at {SAMPLES}")
def test_a_large_file_of_the_microsoft_tool_is_stored(cast, api):
    """The largest sample, its knowledge base made longer until the file has 1.5 MB."""
    [path] = SAMPLES.glob("tm7/MTMT_example.tm7.gz")
    text = content(path)
    entry = text[text.index(b"<KnowledgeBase") :].split(b">", 1)[0]
    more = b"<x>" + b"<y>unused</y>" * ((1_500_000 - len(text)) // 13 + 1) + b"</x>"
    text = text.replace(entry + b">", entry + b">" + more, 1)
    assert len(text) >= 1_500_000
    answer = send(api(cast.owner), text, "large.tm7")
    assert answer.status_code == 201, answer.content
    assert answer.json()["data"]["counts"]["threats"] == 43


def test_an_import_of_another_tool_is_one_entry_of_the_history_and_can_be_added_to_a_model(
    cast, api, threat_model
):
    path = next(p for p in files("otm") if p.name == "EXAMPLE.yaml")
    url = f"/api/v1/threat_models/{threat_model.pk}/import"
    file = {"file": SimpleUploadedFile("x.bin", path.read_bytes())}
    answer = api(cast.writer).post(url, file, format="multipart")
    assert answer.status_code == 201
    assert answer.json()["data"]["kind"] == "otm"
    assert threat_model.diagrams.count() == 1
    assert threat_model.threats.exclude(cell_id=None).count() == 2
    entry = AuditEntry.objects.get(action="import")
    assert entry.changes["kind"] == [None, "otm"]
