"""Loading the demo: once, for the demo user, everything that the document holds."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from accounts.actions.demo import DEMO_EMAIL, demo_user
from threatmodels.actions.threat_model import delete_threat_model, update_threat_model
from threatmodels.cells import validate_cells
from threatmodels.demo.loader import demo_document
from threatmodels.interchange.document import count
from threatmodels.models import Metadata, ThreatModel

pytestmark = pytest.mark.django_db


def load_demo(**options):
    """The lines that the command prints."""
    out = StringIO()
    call_command("load_demo", stdout=out, **options)
    return out.getvalue().splitlines()


def test_the_demo_user_owns_everything_that_the_document_holds():
    [line] = load_demo()
    model = ThreatModel.objects.get()
    assert (str(model.pk) in line, DEMO_EMAIL in line) == (True, True)
    assert model.owner == demo_user()
    expected, document = count(demo_document()), demo_document()
    for kind in ("diagrams", "threats", "assets", "documents", "notes", "repositories"):
        assert getattr(model, kind).count() == expected[kind]
    assert [len(d.cells) for d in model.diagrams.order_by("id")] == [len(d.cells) for d in document.diagrams]
    assert (model.name, model.description, model.status) == (
        document.name,
        document.description,
        document.status,
    )
    entries = Metadata.objects.filter(entity_type="threat_model", entity_id=model.pk)
    assert dict(entries.values_list("key", "value")) == document.metadata


def test_threats_are_on_the_elements_that_the_document_names():
    load_demo()
    model, document = ThreatModel.objects.get(), demo_document()
    for diagram in model.diagrams.all():
        assert validate_cells(diagram.cells, asset_ids={str(a.pk) for a in model.assets.all()}) == []
    labels = {c["id"]: c["properties"]["label"] for d in model.diagrams.all() for c in d.cells}
    given = {c["id"]: c["properties"]["label"] for d in document.diagrams for c in d.cells}
    assert {t.name: t.cell_id and labels[str(t.cell_id)] for t in model.threats.all()} == {
        t.name: t.cell_id and given[t.cell_id] for t in document.threats
    }
    assert [t.score for t in model.threats.all() if t.cvss_vector].count(None) == 0


def test_the_demo_user_can_open_it(api):
    load_demo()
    answer = api(demo_user()).get("/api/v1/threat_models").json()["data"]
    assert [model["name"] for model in answer] == [demo_document().name]


def test_a_second_call_makes_nothing_new():
    load_demo()
    [line] = load_demo()
    assert "before" in line
    assert ThreatModel.objects.count() == 1


def test_a_renamed_demo_is_not_made_again():
    load_demo()
    model = ThreatModel.objects.get()
    update_threat_model(model, actor=model.owner, changes={"name": "Mine"})
    load_demo()
    assert [m.name for m in ThreatModel.objects.all()] == ["Mine"]


def test_a_deleted_demo_stays_deleted():
    load_demo()
    model = ThreatModel.objects.get()
    delete_threat_model(model, actor=model.owner)
    load_demo()
    assert not ThreatModel.objects.live().exists()


def test_again_adds_a_fresh_copy():
    load_demo()
    [line] = load_demo(again=True)
    assert "loaded for" in line
    assert ThreatModel.objects.count() == 2
    load_demo()
    assert ThreatModel.objects.count() == 2


def test_an_imported_model_of_the_demo_user_does_not_count_as_the_demo(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text('{"summary": {"title": "Mine"}, "detail": {"diagrams": []}}')
    demo_user()
    call_command("import_model", str(file), owner=DEMO_EMAIL, stdout=StringIO())
    load_demo()
    assert set(ThreatModel.objects.values_list("name", flat=True)) == {"Mine", demo_document().name}


def test_prepare_loads_it_and_prints_the_link():
    out, err = StringIO(), StringIO()
    call_command("prepare", demo=True, stdout=out, stderr=err)
    assert ThreatModel.objects.get().owner == demo_user()
    assert "/demo/" in out.getvalue()
    assert "loaded for" in err.getvalue()
