"""Reports in every form: whole, in the order that is asked for, and whatever people typed stays text."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from itertools import pairwise
from uuid import uuid4

import pypdfium2
import pytest
from django.conf import settings
from django.utils import translation
from openpyxl import load_workbook

from accounts import audit
from tests.threatmodels.knowledge.test_engine import A, B, box, flow, shop
from threatmodels.actions.access import Grant, grant_access
from threatmodels.actions.diagram import create_diagram, create_diagrams
from threatmodels.actions.importing import store_document
from threatmodels.actions.record import create_record, create_records
from threatmodels.actions.threat import update_threat
from threatmodels.demo.loader import demo_document
from threatmodels.models import Asset, Note, Threat
from threatmodels.pictures.badges import severity_shape
from threatmodels.pictures.geometry import Point
from threatmodels.reporting import report_of
from threatmodels.reports.contents import SEVERITIES, Choices
from threatmodels.reports.formats import FORMATS
from tmi.lib.spreadsheet import defused

NASTY = {
    "script": "<script>alert(1)</script>",
    "rtl": "سلام دنیا",
    "hebrew": "שלום עולם",
    "emoji": "🔥😀",
    "formula": "=HYPERLINK(1)",
    "markdown": "# [x](javascript:alert(1)) | *y*",
}


@pytest.fixture
def model(threat_model, cast):
    """A diagram, an open and a mitigated threat, and all that is awkward in names and texts."""
    cells = shop()
    cells[1] |= {"out_of_scope": True}
    cells[1]["properties"]["out_of_scope_reason"] = "Not ours"
    diagram = create_diagram(threat_model=threat_model, actor=cast.owner, name="Shop", cells=cells)
    place = {"diagram_id": diagram.pk, "cell_id": B}
    rows = [
        {"name": "Orders are read", "severity": "high", "status": "Open", **place},
        {"name": "Cards are stolen", "severity": "critical", "status": "Resolved", "mitigated": True},
        {"name": "Pages are slow", "severity": "low", "status": "Open", "diagram_id": diagram.pk},
        *({"name": text, "description": text * 20, "mitigation": text} for text in NASTY.values()),
    ]
    create_records(Threat, threat_model=threat_model, actor=cast.owner, rows=rows)
    create_record(Asset, threat_model=threat_model, actor=cast.owner, name="Orders", type="data")
    create_record(Note, threat_model=threat_model, actor=cast.owner, name="Long", content="x" * 10_000)
    return threat_model


def written(model, form, **choices):
    return FORMATS[form].write(report_of(model, Choices(**choices)), settings.NODE_MODULES)


def text_of(pdf):
    document = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def test_every_form_says_what_the_model_holds(model):
    assert "Orders are read" in text_of(written(model, "pdf"))
    assert b"Orders are read" in written(model, "markdown")
    rows = list(csv.DictReader(io.StringIO(written(model, "csv").decode("utf-8-sig"))))
    assert {"Orders are read", "Cards are stolen"} < {row["Name"] for row in rows}
    assert rows[0]["State"] == "mitigated"
    told = json.loads(written(model, "json"))
    assert told["summary"]["by_severity"]["high"] == {"open": 1, "mitigated": 0, "closed": 0}
    assert told["diagrams"][0]["elements"][0]["reason"] == "Not ours"
    sheet = load_workbook(io.BytesIO(written(model, "xlsx")))["Threats"]
    assert any("Orders are read" in str(row) for row in sheet.iter_rows(values_only=True))


def test_the_report_of_every_form_tells_scope_ratings_issues_and_how_far_back_it_goes(model, browse, cast):
    fields = {"name": "Parcels are lost", "priority": "Immediate", "likelihood": "very_high", "score": "7.5"}
    issue = "https://issues.example.org/7"
    create_record(Threat, threat_model=model, actor=cast.owner, issue_uri=issue, **fields)
    for number in range(60):
        create_record(Note, threat_model=model, actor=cast.owner, name=f"N{number}", content="x")
    page = browse(cast.reader).get(f"/threat-models/{model.pk}/report").content.decode()
    forms = [written(model, form).decode() for form in ("markdown", "html")]
    plain = [text.replace("\\", "") for text in (page, *forms, text_of(written(model, "pdf")))]
    for said in plain:
        about = said[said.index("Scope") :]
        assert "Out of scope" in about
        assert "Not ours" in about
        assert "score 7.5 · priority Immediate · likelihood Very high" in said
        assert f"Issue: {issue}" in said
        assert "earlier changes are not listed" in said
        assert "External entity" in said


NOTE = """# Decisions

- Keys are **turned** yearly
  1. first the old
  2. then the new

| What | Who |
|---|---|
| Test | Bo |

See [the wiki](https://wiki.example.org/).
"""


def test_notes_are_read_as_markdown_and_changes_in_words(threat_model, cast, browse):
    create_record(Note, threat_model=threat_model, actor=cast.owner, name="Review", content=NOTE)
    made = create_record(Threat, threat_model=threat_model, actor=cast.owner, name="Orders are read")
    update_threat(made, actor=cast.owner, changes={"severity": "high", "description": "Line one\nLine two"})
    pdf = text_of(written(threat_model, "pdf"))
    for said in ("• Keys are turned yearly", "2. then the new", "the wiki (https://wiki.example.org/)"):
        assert said in pdf
    assert not {"**", "|---", "# Decisions"} & set(pdf.split())
    page = browse(cast.reader).get(f"/threat-models/{threat_model.pk}/report").content.decode()
    assert "<h4>Decisions</h4>" in page
    assert "<td>Bo</td>" in page
    markdown = written(threat_model, "markdown").decode()
    assert f"~~~markdown\n{NOTE.strip()}\n~~~" in markdown
    assert "Line one\\\nLine two" in markdown
    for said in (page, pdf):
        assert "changed the threat “Orders are read”: severity: High" in " ".join(said.split())
        assert "created the note “Review”" in said


def test_the_history_of_a_report_tells_no_address_of_people_or_webhooks(threat_model, cast, browse):
    grant_access(threat_model, actor=cast.owner, grant=Grant(role="reader", email=cast.outsider.email))
    audit.write(
        entity_type="webhook",
        entity_id=uuid4(),
        threat_model_id=threat_model.pk,
        action="create",
        actor=cast.owner,
        changes={"url": (None, "https://hooks.example.org/inside")},
    )
    page = browse(cast.owner).get(f"/threat-models/{threat_model.pk}/report").content.decode()
    assert "created the webhook" in page
    assert "gave access to the threat model" in page
    for secret in ("hooks.example.org", cast.outsider.email):
        assert secret not in page


@pytest.mark.parametrize(
    "content",
    [
        ">" * 90 + " so deep that no room is left for words",
        "\n".join("  " * depth + "- word " * 30 for depth in range(45)),
        "|" + "a|" * 80 + "\n|" + "-|" * 80 + "\n|" + "1|" * 80,
        "|" + "a|" * 8 + "\n|" + "-|" * 8 + "\n|" + f"{'w' * 400}|" * 8,
        f"| a | b |\n|---|---|\n| {'word ' * 10_000} | c |",
        "| a |\n|---|\n",
        "# \n\n- \n\n```\n```\n\n---\n",
    ],
    ids=["quotes", "lists", "columns", "full", "long", "no-rows", "empty"],
)
def test_a_note_of_any_form_has_room_on_paper(threat_model, cast, content):
    create_record(Note, threat_model=threat_model, actor=cast.owner, name="Odd", content=content)
    assert "Odd" in text_of(written(threat_model, "pdf"))


def test_a_fence_in_a_note_does_not_end_its_fence(threat_model, cast):
    create_record(Note, threat_model=threat_model, actor=cast.owner, name="Code", content="~~~~\n<b>\n~~~~")
    assert "~~~~~~~markdown\n~~~~\n<b>\n~~~~\n~~~~~~~" in written(threat_model, "markdown").decode()


def test_what_people_typed_stays_text(model):
    markdown = written(model, "markdown").decode()
    assert "<script>" not in markdown
    assert "\\<script\\>alert\\(1\\)\\</script\\>" in markdown
    assert "](javascript" not in markdown
    rows = list(csv.DictReader(io.StringIO(written(model, "csv").decode("utf-8-sig"))))
    names = {row["Name"] for row in rows}
    assert "'=HYPERLINK(1)" in names
    assert {NASTY["script"], NASTY["rtl"], NASTY["emoji"]} < names
    book = zipfile.ZipFile(io.BytesIO(written(model, "xlsx")))
    assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()
    pdf = text_of(written(model, "pdf"))
    assert NASTY["script"] in pdf
    assert NASTY["formula"] in pdf
    assert pdf.count("x") >= 10_000


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1", "' =1"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1", "'＝1"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_formulas_are_defused(text, safe):
    assert defused(text) == safe


def test_choices_narrow_the_report(model):
    whole, open_only = report_of(model), report_of(model, Choices(mitigated=False))
    assert open_only.hidden_threats == 1
    assert len(open_only.threats) == len(whole.threats) - 1
    # The numbers are of all, whatever is left out of the lists.
    assert (open_only.numbers, open_only.top_risks) == (whole.numbers, whole.top_risks)
    for form in ("pdf", "markdown"):
        said = written(model, form, mitigated=False)
        assert "8 of 9 threats are open" in (text_of(said) if form == "pdf" else said.decode())
    told = json.loads(written(model, "json", mitigated=False))
    assert told["summary"]["by_severity"]["critical"] == {"open": 0, "mitigated": 1, "closed": 0}
    assert ("all_threats" in told, len(told["threats"])) == (False, 8)
    assert [e.name for d in report_of(model, Choices(empty=False)).diagrams for e in d.elements] == ["Shop"]
    inside = report_of(model, Choices(out_of_scope=False))
    assert "Customer" not in [e.name for d in inside.diagrams for e in d.elements]
    markdown = written(model, "markdown", summary=False, diagrams=False).decode()
    assert "## Summary" not in markdown
    assert "## Diagram" not in markdown
    assert report_of(model, Choices(order="status")).threats[-1].state == "mitigated"
    assert whole.threats[0].name == "Cards are stolen"


def test_the_page_shows_the_report_and_offers_files(model, browse, cast):
    client = browse(cast.reader)
    page = client.get(f"/threat-models/{model.pk}/report")
    assert page.status_code == 200
    html = page.content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>alert(1)" not in html
    assert "Orders are read" in html
    narrowed = client.get(f"/threat-models/{model.pk}/report?show=1&summary=on").content.decode()
    assert "Cards are stolen" not in narrowed
    for name, form in FORMATS.items():
        answer = client.get(f"/threat-models/{model.pk}/report/{name}")
        assert answer.status_code == 200
        assert answer["Content-Type"] == form.media_type
        assert answer["Content-Disposition"].endswith(f'-report.{form.ending}"')
    assert client.get(f"/threat-models/{model.pk}/report/exe").status_code == 404
    assert browse(cast.outsider).get(f"/threat-models/{model.pk}/report/pdf").status_code == 404


def test_the_report_over_rest(model, api, cast):
    base = f"/api/v1/threat_models/{model.pk}/report"
    assert api(cast.reader).get(base).content.startswith(b"%PDF")
    told = api(cast.reader).get(f"{base}?as=json&mitigated=false&order=element")
    assert json.loads(told.content)["hidden_threats"] == 1
    for query, field in (("as=exe", "as"), ("order=x", "order"), ("empty=1", "empty"), ("x=1", "x")):
        refused = api(cast.reader).get(f"{base}?{query}")
        assert (refused.status_code, refused.json()["error"]["details"]["field"]) == (400, field)
    assert api(cast.outsider).get(base).status_code == 404


def test_codes_are_told_in_words(model):
    for said in (written(model, "markdown").decode(), text_of(written(model, "pdf"))):
        assert "⬣ High" in said
        assert "⬟ Unknown" in said
        assert "⬣ high" not in said.split("☐ open")[-1]
    # Programs read the codes.
    rows = csv.DictReader(io.StringIO(written(model, "csv").decode("utf-8-sig")))
    assert {"high", "critical"} < {row["Severity"] for row in rows}


def test_shapes_of_severities_are_those_of_the_badges_and_explained_before_the_first_diagram(
    model, browse, cast
):
    page = browse(cast.reader).get(f"/threat-models/{model.pk}/report").content.decode()
    for said in (page, written(model, "html").decode()):
        key = said[said.index(">Key<") : said.index("<figure>")]
        shapes = [severity_shape(Point(0, 0), name) for name in SEVERITIES]
        places = [key.index(f">{shape}<") for shape in shapes]
        assert places == sorted(places)
        listed = said[said.index("report-threats") :]
        assert f">{severity_shape(Point(0, 0), 'critical')}</svg>Critical" in listed
    pdf = text_of(written(model, "pdf"))
    key = "Severity: ◆ Critical ⬣ High ■ Medium ● Low ▼ Informational ⬟ Unknown"
    assert 0 < pdf.index(key) < pdf.index("Diagram: Shop")


def test_the_report_and_the_page_of_a_diagram_say_what_flows_where(threat_model, browse, cast):
    cells = shop()
    around = {"position": {"x": -50, "y": -50}, "size": {"width": 900, "height": 900}}
    zone = {"id": str(uuid4()), "type": "trust_boundary", "properties": {"label": "Inside"}, **around}
    names = {cell["id"]: cell["properties"]["label"] for cell in cells}
    lines = [cell for cell in cells if cell["type"] == "data_flow"]
    lines[0] |= {"bidirectional": True}
    made = create_diagram(threat_model=threat_model, actor=cast.owner, name="Shop", cells=[*cells, zone])
    base, reader = f"/threat-models/{threat_model.pk}", browse(cast.reader)
    pages = [reader.get(base + rest).content.decode() for rest in ("/report", f"/diagrams/{made.pk}/details")]
    files = [written(threat_model, "markdown").decode(), text_of(written(threat_model, "pdf"))]
    for said in (" ".join(text.split()) for text in (*pages, *files)):
        assert "in Inside" in said
        for flow_ in lines:
            ends = [names[flow_[end]["cell"]] for end in ("source", "target")]
            ways = "both ways between {} and {}" if flow_.get("bidirectional") else "from {} to {}"
            assert ways.format(*ends) in said


def test_a_report_is_in_the_language_that_is_active(model, monkeypatch):
    german = {"Threats": "Bedrohungen", "mitigated": "gemindert", "Critical": "Kritisch", "Type": "Art"}
    with translation.override("de"):
        catalogue = translation.trans_real.translation("de")
        for word, told in german.items():
            monkeypatch.setitem(catalogue._catalog._catalogs[0], word, told)
            monkeypatch.setitem(catalogue._catalog._catalogs[0], f"severity\x04{word}", told)
        markdown, pdf = written(model, "markdown").decode(), text_of(written(model, "pdf"))
    for said in (markdown, pdf):
        assert "Bedrohungen" in said
        assert "◆ Kritisch" in said
        assert "☑ gemindert" in said
        assert "Art: Data" in said


# -- large ones


def wide(columns):
    cells = [
        box(f"00000000-0000-4000-8000-{n:012x}", "process", {"label": f"P{n}"}, (n * 300, 0))
        for n in range(columns)
    ]
    ids = [cell["id"] for cell in cells]
    return cells + [
        flow(f"00000000-0000-4000-9000-{n:012x}", one, two, {"label": "Data"})
        for n, (one, two) in enumerate(pairwise(ids))
    ]


@pytest.mark.parametrize(("cells", "lies"), [(wide(12), True), (shop(), True), (None, False)])
def test_each_diagram_is_whole_on_a_page_that_fits_it(threat_model, cast, cells, lies):
    tall = [box(A, "process", {"label": "Top"}), box(B, "process", {"label": "Bottom"}, (0, 2000))]
    create_diagram(threat_model=threat_model, actor=cast.owner, name="Only one", cells=cells or tall)
    document = pypdfium2.PdfDocument(written(threat_model, "pdf"))
    pages = [page for page in document if "Diagram: Only one" in page.get_textpage().get_text_bounded()]
    (page,) = pages
    width, height = page.get_size()
    assert (width > height) is lies
    (picture,) = [one for one in page.get_objects() if one.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]
    left, bottom, right, top = picture.get_bounds()
    assert left >= 40
    assert bottom >= 40
    assert right <= width - 40
    assert top <= height - 40


def test_ten_diagrams_and_five_hundred_threats(threat_model, cast):
    rows = [{"name": f"Diagram {n}", "cells": _renamed(shop(), n)} for n in range(10)]
    diagrams = create_diagrams(threat_model=threat_model, actor=cast.owner, rows=rows)
    threats = [
        {
            "name": f"Threat number {n}",
            "description": "What can go wrong here, in a sentence or two. " * 6,
            "mitigation": "What is done about it, by whom and until when. " * 5,
            "severity": ("critical", "high", "medium", "low")[n % 4],
            "diagram_id": diagrams[n % 10].pk,
            "cell_id": diagrams[n % 10].cells[2]["id"],
        }
        for n in range(500)
    ]
    create_records(Threat, threat_model=threat_model, actor=cast.owner, rows=threats)
    pdf = written(threat_model, "pdf")
    said = text_of(pdf)
    assert all(f"Threat number {n}" in said for n in (0, 250, 499))
    assert all(f"Diagram: Diagram {n}" in said for n in range(10))


def test_lines_after_one_with_other_signs_are_readable(cast):
    made = store_document(demo_document(), actor=cast.owner, kind="demo")
    said = text_of(written(made, "pdf"))
    addresses = [threat.issue_uri for threat in made.threats.all() if threat.issue_uri]
    assert len(addresses) > 5
    assert [address for address in addresses if address not in said] == []


def _renamed(cells, number):
    return json.loads(json.dumps(cells).replace("-8000-", f"-8{number:03x}-"))
