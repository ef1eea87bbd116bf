"""Importing from the command line: all that the files hold, and a clear word about the broken ones."""

from __future__ import annotations

import json
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry, User
from tests.conftest import make_user
from tests.threatmodels.interchange.samples import COUNTS, files
from threatmodels.models import Diagram, Metadata, ThreatModel

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"
MODELS = sorted(p for p in SAMPLES.glob("threat-dragon-v*/*.json") if not p.name.endswith(".schema.json"))
needs_samples = pytest.mark.skipif(not MODELS, reason=f"the sample files are not at {SAMPLES}")

OWNER = "owner@example.org"
TYPE_OF_SHAPE = {
    "tm.Process": "process",
    "process": "process",
    "tm.Store": "datastore",
    "store": "datastore",
    "tm.Actor": "external_entity",
    "actor": "external_entity",
    "tm.Boundary": "trust_boundary",
    "trust-boundary-box": "trust_boundary",
    "trust-boundary-curve": "trust_boundary",
    "tm.Flow": "data_flow",
    "flow": "data_flow",
    "td-text-block": "text",
}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def owner(db):
    return make_user("owner")


def import_model(*files, owner=OWNER):
    """Exit code, and the lines of both outputs."""
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command("import_model", *(str(file) for file in files), owner=owner, stdout=out, stderr=err)
    except SystemExit as end:
        code = end.code
    return code, out.getvalue().splitlines(), err.getvalue().splitlines()


def written(path, value):
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def a_model(title="Shop", **more):
    cell = {
        "id": "7d9e1c8e-1111-4111-8111-000000000001",
        "shape": "process",
        "position": {"x": 1, "y": 2},
        "size": {"width": 90, "height": 60},
        "data": {"type": "tm.Process", "name": "Till"},
    }
    diagram = {"id": 0, "title": "Main", "diagramType": "STRIDE", "cells": [cell], **more}
    return {
        "version": "2.6.0",
        "summary": {"title": title, "owner": "Ada", "description": "", "id": 1},
        "detail": {"contributors": [], "reviewer": "", "diagrams": [diagram]},
    }


def raw_diagrams(path):
    """The cells of each diagram as the file itself has them."""
    value = json.loads(path.read_text(encoding="utf-8"))
    diagrams = value.get("model", value)["detail"]["diagrams"]
    return [d["cells"] if "cells" in d else d.get("diagramJson", {}).get("cells", []) for d in diagrams]


def raw_threats(cell):
    return cell.get("data", cell).get("threats", [])


@needs_samples
@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.name)
def test_every_sample_is_stored_with_all_that_it_holds(owner, path):
    code, [first, *warnings], wrong = import_model(path)
    assert (code, wrong) == (0, [])
    model = ThreatModel.objects.get()
    assert model.owner == owner
    assert first.startswith(f"{path}: threat-dragon, threat model {model.pk}: ")
    assert all(line.startswith("  ") for line in warnings)
    diagrams = raw_diagrams(path)
    cells = [cell for diagram in diagrams for cell in diagram]
    expected = Counter(TYPE_OF_SHAPE[cell.get("shape") or cell["type"]] for cell in cells)
    stored = [diagram.cells for diagram in model.diagrams.order_by("id")]
    assert Counter(cell["type"] for diagram in stored for cell in diagram) == expected
    assert [len(diagram) for diagram in stored] == [len(diagram) for diagram in diagrams]
    threats = [threat["title"] for cell in cells for threat in raw_threats(cell)]
    assert sorted(threat.name for threat in model.threats.all()) == sorted(threats)
    assert (f"{len(threats)} threats" in first) == bool(threats)
    assert (f"{expected['data_flow']} data_flows" in first) == bool(expected["data_flow"])


@needs_samples
def test_all_samples_at_once_make_a_model_each():
    code, lines, wrong = import_model(*MODELS)
    assert (code, wrong) == (0, [])
    assert len([line for line in lines if not line.startswith("  ")]) == len(MODELS)
    assert ThreatModel.objects.count() == len(MODELS)


@pytest.mark.parametrize("path", files(*COUNTS), ids=lambda path: path.name)
def test_a_file_of_any_kind_is_stored_and_counted(owner, path):
    code, [first, *_warnings], wrong = import_model(path)
    assert (code, wrong) == (0, [])
    model = ThreatModel.objects.get()
    expected = COUNTS[path.parent.name](path)
    assert first.startswith(f"{path}: {path.parent.name}, threat model {model.pk}: ")
    assert model.threats.count() == expected["threats"]
    assert model.diagrams.count() == expected["diagrams"]
    assert model.owner == owner


def test_a_broken_file_does_not_keep_the_others_out(tmp_path):
    files = [
        written(tmp_path / "first.json", a_model("First")),
        written(tmp_path / "broken.json", '{"summary": {'),
        written(tmp_path / "last.json", a_model("Last")),
    ]
    code, lines, wrong = import_model(*files)
    assert code == 1
    assert len(lines) == 2
    [line] = wrong
    assert line.startswith(f"{files[1]}: ")
    assert len(line) > len(f"{files[1]}: ") + 10
    assert sorted(model.name for model in ThreatModel.objects.all()) == ["First", "Last"]


def test_nothing_is_stored_of_a_file_that_ends_too_early(tmp_path):
    whole = json.dumps(a_model())
    file = written(tmp_path / "cut.json", whole[:-2])
    code, lines, [line] = import_model(file)
    assert (code, lines) == (1, [])
    assert line.startswith(f"{file}: ")
    for kind in (ThreatModel, Diagram, Metadata):
        assert not kind.objects.exists()
    assert not AuditEntry.objects.filter(action="import").exists()


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_opened_is_named(tmp_path, name):
    code, lines, [line] = import_model(tmp_path / name)
    assert (code, lines) == (1, [])
    assert line.startswith(f"{tmp_path / name}: ")


def test_an_unknown_kind_is_told_with_the_kinds_that_can_be_read(tmp_path):
    code, _, [line] = import_model(written(tmp_path / "any.json", {"a": 1}))
    assert code == 1
    assert "OWASP Threat Dragon" in line


def test_a_file_over_the_limit_is_refused(tmp_path, settings):
    imports = settings.CONFIG.imports.model_copy(update={"max_bytes": 100})
    settings.CONFIG = settings.CONFIG.model_copy(update={"imports": imports})
    code, _, [line] = import_model(written(tmp_path / "large.json", a_model()))
    assert code == 1
    assert "100 bytes" in line
    assert not ThreatModel.objects.exists()


def test_what_was_changed_on_the_way_is_told(tmp_path):
    value = a_model()
    value["detail"]["diagrams"][0]["cells"][0]["size"] = {"width": 5, "height": 5}
    code, [_, *warnings], wrong = import_model(written(tmp_path / "small.json", value))
    assert (code, wrong) == (0, [])
    assert any("Till" in line for line in warnings)


@pytest.mark.parametrize("email", ["nobody@example.org", "gone@example.org"])
def test_an_unknown_or_inactive_owner_is_refused_before_anything_is_read(tmp_path, email):
    make_user("gone", is_active=False)
    with pytest.raises(CommandError) as refusal:
        import_model(written(tmp_path / "model.json", a_model()), owner=email)
    assert str(refusal.value).startswith("--owner: ")
    assert email in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not ThreatModel.objects.exists()


def test_the_local_account_is_meant_where_others_share_the_address(tmp_path, owner):
    User.objects.create(email=OWNER, name="Else", provider="google", provider_user_id="7")
    import_model(written(tmp_path / "model.json", a_model()), owner=OWNER.upper())
    assert ThreatModel.objects.get().owner == owner


def test_an_address_of_several_foreign_accounts_is_refused(tmp_path):
    for provider in ("google", "github"):
        User.objects.create(email="two@example.org", name="Two", provider=provider, provider_user_id="7")
    with pytest.raises(CommandError, match="--owner: several"):
        import_model(written(tmp_path / "model.json", a_model()), owner="two@example.org")
