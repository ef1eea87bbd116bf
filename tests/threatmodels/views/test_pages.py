"""Every page by every role, and what its forms do with good and bad input."""

from __future__ import annotations

import re
import uuid

import pytest

from accounts import audit
from accounts.models import AuditEntry
from tests.threatmodels.views.furniture import CELL, url
from threatmodels.actions.access import Grant, grant_access
from threatmodels.actions.diagram import create_diagram
from threatmodels.actions.record import create_record, delete_record, update_record
from threatmodels.actions.threat_model import create_threat_model, delete_threat_model
from threatmodels.models import Asset, Threat, ThreatModel

KINDS = ["threats", "assets", "documents", "notes", "repositories", "diagrams"]


# page: the statuses of owner, writer, reader, outsider and anonymous
READ = (200, 200, 200, 404, 302)
WRITE = (200, 200, 403, 404, 302)
OWN = (200, 403, 403, 404, 302)
PAGES = {
    "": READ,
    "/history": READ,
    "/sharing": READ,
    "/edit": WRITE,
    "/import": WRITE,
    "/deleted": WRITE,
    "/delete": OWN,
    **{f"/{kind}/new": WRITE for kind in KINDS},
    **{f"/{kind}/ID": READ for kind in KINDS},
    **{f"/{kind}/ID/edit": WRITE for kind in KINDS},
    **{f"/{kind}/ID/delete": WRITE for kind in KINDS},
    "/diagrams/ID/details": READ,
    "/diagrams/ID/timeline": READ,
    "/diagrams/ID/picture.svg": READ,
}


@pytest.mark.parametrize("path", PAGES)
def test_each_role_sees_its_pages(cast, browse, threat_model, parts, path):
    kind = path.split("/")[1] if "ID" in path else ""
    address = url(threat_model, path.replace("ID", str(parts[kind].pk) if kind else ""))
    people = [cast.owner, cast.writer, cast.reader, cast.outsider, None]
    answers = [browse(person).get(address) for person in people]
    assert tuple(answer.status_code for answer in answers) == PAGES[path]
    for refused in answers[3:]:
        assert "Web shop" not in refused.content.decode()
    assert answers[4]["Location"].startswith("/accounts/login/?next=/threat-models/")


@pytest.mark.asvs("v5.0.0-2.2.2")
@pytest.mark.parametrize("path", [p for p, who in PAGES.items() if who in (WRITE, OWN) and p != "/deleted"])
def test_what_a_person_may_not_do_is_not_done_by_posting(cast, browse, threat_model, parts, path):
    kind = path.split("/")[1] if "ID" in path else ""
    address = url(threat_model, path.replace("ID", str(parts[kind].pk) if kind else ""))
    before = AuditEntry.objects.count()
    for person, status in ((cast.reader, 403), (cast.outsider, 404), (None, 302)):
        posted = browse(person).post(address, {"name": "Taken over", "content": "x", "uri": "https://e.org"})
        assert posted.status_code == status
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize(
    "path", ["/x", f"/threat-models/{uuid.UUID(int=7)}", "/threat-models/1", "/accounts/nope/"]
)
def test_an_address_that_is_not_there_is_a_page_that_says_so(cast, browse, path):
    page = browse(cast.owner).get(path)
    assert page.status_code == 404
    assert "<!doctype html>" in page.content.decode()


def test_a_part_of_another_model_is_not_found_under_this_one(cast, browse, threat_model, parts):
    other = create_threat_model(actor=cast.owner, name="Other")
    for kind, record in parts.items():
        assert browse(cast.owner).get(url(other, f"/{kind}/{record.pk}")).status_code == 404


@pytest.mark.asvs("v5.0.0-3.2.2", "v5.0.0-1.1.2")
def test_text_of_people_is_never_markup(cast, browse, threat_model, parts):
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    update_record(
        parts["threats"], actor=cast.owner, changes={"name": evil, "description": evil, "status": evil[:50]}
    )
    update_record(parts["documents"], actor=cast.owner, changes={"name": evil})
    for path in ("", f"/threats/{parts['threats'].pk}", f"/documents/{parts['documents'].pk}", "/history"):
        text = browse(cast.owner).get(url(threat_model, path)).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text
    picture = browse(cast.owner).get(url(threat_model, f"/diagrams/{parts['diagrams'].pk}/picture.svg"))
    assert "<b>" not in picture.content.decode()
    assert "default-src 'none'" in picture["Content-Security-Policy"]


# -- dashboard


def test_the_dashboard_shows_what_one_may_see_and_nothing_else(cast, browse, threat_model):
    create_threat_model(actor=cast.outsider, name="Secret of somebody else")
    shown = browse(cast.reader).get("/").content.decode()
    assert "Web shop" in shown
    assert "Secret" not in shown
    assert "No threat models yet" in browse(cast.admin).get("/").content.decode()


def test_the_dashboard_runs_a_fixed_number_of_queries(cast, browse, django_assert_num_queries):
    def count(number):
        for index in range(number):
            create_threat_model(actor=cast.owner, name=f"Model {index}")
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as queries:
            assert browse(cast.owner).get("/").status_code == 200
        return len(queries)

    assert count(2) == count(30)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=sho", True),
        ("q=web+sells", True),
        ("q=nothing", False),
        ("framework=STRIDE", True),
        ("framework=DIE", False),
        ("framework=nonsense", False),
        ("owner=owner%40example", True),
        ("owner=reader", False),
        ("role=reader", True),
        ("role=owner", False),
        ("only=without-diagram", True),
        ("only=unmitigated", False),
        ("sort=-name&page=99", True),
        ("sort=password", True),
        ("q=%00", True),
    ],
)
def test_filters_of_the_dashboard(cast, browse, threat_model, query, found):
    page = browse(cast.reader).get(f"/?{query}")
    assert page.status_code == 200
    assert ("Web shop" in page.content.decode()) is found


def test_what_the_dashboard_is_narrowed_to_is_said_and_can_be_taken_away(cast, browse, threat_model):
    create_record(Threat, threat_model=threat_model, actor=cast.owner, name="T", severity="critical")
    client = browse(cast.owner)
    for only, said in (
        ("severity-critical", "With open threats of severity: Critical"),
        ("unmitigated", "With open threats without mitigation"),
        ("without-diagram", "Models without a diagram"),
    ):
        page = client.get(f"/?only={only}&q=a").content.decode()
        assert f'href="?q=a"><span>{said}</span>' in page
        assert ">Clear</a>" in page
    assert "remove this filter" not in client.get("/").content.decode()
    assert "remove this filter" not in client.get("/?only=severity-").content.decode()


def test_a_filtered_table_says_of_how_many(cast, browse, threat_model, parts):
    for severity in ("high", "low"):
        create_record(Threat, threat_model=threat_model, actor=cast.owner, name="T", severity=severity)
    page = browse(cast.reader).get(url(threat_model, "?severity=low")).content.decode()
    assert page.count(">1 of 3</span>") == 2


def test_htmx_gets_the_table_alone(cast, browse, threat_model):
    part = browse(cast.owner).get("/?q=web", headers={"HX-Request": "true"}).content.decode()
    assert "Web shop" in part
    assert "<html" not in part


# -- forms


def test_a_model_is_made_and_changed(cast, browse):
    client = browse(cast.owner)
    made = client.post("/threat-models/new", {"name": "  Kiosk ", "threat_model_framework": "LINDDUN"})
    model = ThreatModel.objects.get()
    assert (made.status_code, made["Location"]) == (302, f"/threat-models/{model.pk}")
    assert (model.name, model.threat_model_framework, model.owner) == ("Kiosk", "LINDDUN", cast.owner)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", "a\u202eb"),
        ("name", "a\x00b"),
        ("description", "x" * 2001),
        ("threat_model_framework", "PASTA"),
        ("issue_uri", "javascript:alert(1)"),
        ("issue_uri", "ftp://example.org"),
    ],
)
def test_a_bad_value_is_told_at_its_field_and_nothing_typed_is_lost(cast, browse, field, value):
    given = {"name": "Kiosk", "description": "typed", "threat_model_framework": "STRIDE", field: value}
    page = browse(cast.owner).post("/threat-models/new", given)
    assert page.status_code == 400
    text = page.content.decode()
    assert re.search(rf'<div class="field field-wrong" data-field="{field}">', text)
    assert text.count("field-wrong") == 1
    assert given["description"][:200] in text
    assert not ThreatModel.objects.exists()


VALUES = {
    "threats": ({"name": "New"}, {"name": ""}, "name"),
    "assets": ({"name": "New", "type": "data"}, {"name": "New", "type": "gold"}, "type"),
    "documents": ({"name": "New", "uri": "https://e.org"}, {"name": "New", "uri": "javascript:1"}, "uri"),
    "notes": ({"name": "New", "content": "text"}, {"name": "New", "content": " "}, "content"),
    "repositories": ({"name": "New", "uri": "git@e.org:a/b"}, {"name": "New", "uri": ""}, "uri"),
    "diagrams": ({"name": "New"}, {"name": " "}, "name"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_is_made_changed_deleted_and_restored_by_a_writer(cast, browse, threat_model, parts, kind):
    client, (good, bad, field) = browse(cast.writer), VALUES[kind]
    refused = client.post(url(threat_model, f"/{kind}/new"), bad)
    assert refused.status_code == 400
    assert f'field-wrong" data-field="{field}"' in refused.content.decode()

    made = client.post(url(threat_model, f"/{kind}/new"), good)
    assert made.status_code == 302, made.content.decode()
    address = made["Location"]
    shown = client.get(f"{address}/edit").content.decode()
    seen = re.search(r'name="seen" value="([^"]+)"', shown)
    changed = client.post(f"{address}/edit", {**good, "name": "Renamed", "seen": seen.group(1)})
    assert changed.status_code == 302
    assert "Renamed</h1>" in client.get(address).content.decode()

    assert client.post(f"{address}/delete")["Location"] == url(threat_model, "/deleted")
    assert client.get(address).status_code == 404
    assert "Renamed" in client.get(url(threat_model, "/deleted")).content.decode()
    assert client.post(f"{address}/restore").status_code == 302
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_who_edits_what_somebody_else_changed_meanwhile_is_told_and_loses_nothing(
    cast, browse, threat_model, parts, kind
):
    client, record = browse(cast.writer), parts[kind]
    address = url(threat_model, f"/{kind}/{record.pk}/edit")
    seen = re.search(r'name="seen" value="([^"]+)"', client.get(address).content.decode()).group(1)
    update_record(record, actor=cast.owner, changes={"name": "Theirs"})
    answer = client.post(address, {**VALUES[kind][0], "name": "Mine", "seen": seen})
    assert answer.status_code in (400, 409)
    assert "Mine" in answer.content.decode()
    record.refresh_from_db()
    assert record.name == "Theirs"


def test_a_threat_keeps_its_reference_to_what_was_deleted(cast, browse, threat_model, parts):
    threat = parts["threats"]
    delete_record(parts["asset" + "s"], actor=cast.owner)
    delete_record(parts["diagrams"], actor=cast.owner)
    client, address = browse(cast.writer), url(threat_model, f"/threats/{threat.pk}/edit")
    page = client.get(address).content.decode()
    given = {"name": "Renamed", "seen": re.search(r'name="seen" value="([^"]+)"', page).group(1)}
    for name in ("asset", "element"):
        select = page.split(f'name="{name}"')[1].split("</select>")[0]
        given[name] = re.search(r'value="([^"]+)" selected', select).group(1)
    assert client.post(address, given).status_code == 302
    threat.refresh_from_db()
    assert (threat.name, threat.asset_id) == ("Renamed", parts["assets"].pk)
    assert (threat.diagram_id, str(threat.cell_id)) == (parts["diagrams"].pk, CELL["id"])


def test_a_vector_decides_the_score(cast, browse, threat_model):
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    address = url(threat_model, "/threats/new")
    assert browse(cast.writer).post(address, {"name": "A", "cvss_vector": vector}).status_code == 302
    assert float(Threat.objects.get().score) == 9.8
    page = browse(cast.writer).post(address, {"name": "A", "cvss_vector": "CVSS:3.1/AV:N"})
    assert 'field-wrong" data-field="cvss_vector"' in page.content.decode()


def test_who_deletes_is_told_how_long_it_can_be_restored(cast, browse, threat_model, parts, settings):
    retention = settings.CONFIG.retention.model_copy(update={"deleted_days": 7})
    settings.CONFIG = settings.CONFIG.model_copy(update={"retention": retention})
    for rest in ("/delete", f"/notes/{parts['notes'].pk}/delete"):
        assert "restored for 7 days." in browse(cast.owner).get(url(threat_model, rest)).content.decode()


def test_an_owner_deletes_and_restores_a_model(cast, browse, threat_model):
    client = browse(cast.owner)
    assert client.post(url(threat_model, "/delete")).status_code == 302
    assert client.get(url(threat_model)).status_code == 404
    assert "Web shop" in client.get("/threat-models/deleted").content.decode()
    assert "Web shop" not in browse(cast.writer).get("/threat-models/deleted").content.decode()
    assert browse(cast.writer).post(url(threat_model, "/restore")).status_code == 404
    assert client.post(url(threat_model, "/restore")).status_code == 302
    assert client.get(url(threat_model)).status_code == 200


def test_a_deleted_model_is_gone_for_everybody(cast, browse, threat_model, parts):
    delete_threat_model(threat_model, actor=cast.owner)
    for path in ("", "/history", "/sharing", f"/threats/{parts['threats'].pk}"):
        assert browse(cast.owner).get(url(threat_model, path)).status_code == 404


# -- sharing and metadata


def test_an_owner_shares_changes_and_takes_back(cast, browse, threat_model):
    client, address = browse(cast.owner), url(threat_model, "/sharing")
    given = {"email": "OUTSIDER@example.org", "role": "reader"}
    assert client.post(address, given).status_code == 302
    told = client.get(address).content.decode()
    assert "outsider@example.org" in told.lower()
    assert "Outsider" not in told
    assert browse(cast.outsider).get(url(threat_model)).status_code == 200
    [entry] = [e for e in threat_model.access_entries.all() if e.user_id == cast.outsider.pk]
    assert client.post(f"{address}/{entry.pk}", {"role": "writer"}).status_code == 302
    assert browse(cast.outsider).get(url(threat_model, "/edit")).status_code == 200
    assert client.post(f"{address}/{entry.pk}/remove").status_code == 302
    assert browse(cast.outsider).get(url(threat_model)).status_code == 404


def test_everyone_is_a_switch_and_says_what_it_did(cast, browse, threat_model):
    address = url(threat_model, "/sharing/everyone")

    def switch(**given):
        return browse(cast.owner).post(address, given, follow=True).content.decode()

    assert "Everyone signed in has access now: Reader." in switch(is_on="on", role="reader")
    assert browse(cast.outsider).get(url(threat_model)).status_code == 200
    assert "Everyone signed in has access now: Writer." in switch(is_on="on", role="writer")
    assert browse(cast.outsider).get(url(threat_model, "/edit")).status_code == 200
    assert "there is no such role" in switch(is_on="on", role="king")
    assert "Only those who are named here have access now." in switch(role="writer")
    assert browse(cast.outsider).get(url(threat_model)).status_code == 404


@pytest.mark.parametrize("who", ["writer", "reader"])
def test_only_owners_share(cast, browse, threat_model, who):
    client, address = browse(cast.named(who)), url(threat_model, "/sharing")
    assert client.post(address, {"email": "a@example.org", "role": "reader"}).status_code == 403
    assert client.post(f"{address}/everyone", {"role": "reader"}).status_code == 403
    assert client.post(f"{address}/transfer", {"owner": cast.outsider.pk}).status_code == 403


def test_a_member_leaves_by_themselves(cast, browse, threat_model):
    [entry] = threat_model.access_entries.filter(user=cast.reader)
    left = browse(cast.reader).post(url(threat_model, f"/sharing/{entry.pk}/remove"))
    assert left["Location"] == "/"
    assert browse(cast.reader).get(url(threat_model)).status_code == 404


def test_a_model_is_handed_over_to_somebody_with_a_role(cast, browse, threat_model):
    client, address = browse(cast.owner), url(threat_model, "/sharing/transfer")
    client.post(address, {"owner": str(cast.outsider.pk)})
    threat_model.refresh_from_db()
    assert threat_model.owner == cast.owner
    client.post(address, {"owner": str(cast.writer.pk)})
    threat_model.refresh_from_db()
    assert threat_model.owner == cast.writer
    assert client.get(url(threat_model, "/delete")).status_code == 200


@pytest.mark.parametrize("kind", ["", *KINDS])
def test_metadata_is_set_replaced_and_removed(cast, browse, threat_model, parts, kind):
    client = browse(cast.writer)
    page = url(threat_model, f"/{kind}/{parts[kind].pk}" if kind else "")
    client.post(f"{page}/metadata", {"key": "team", "value": "one"})
    client.post(f"{page}/metadata", {"key": "team", "value": "two"})
    shown = client.get(page).content.decode()
    assert "two" in shown
    client.post(f"{page}/metadata", {"key": "not a key", "value": "three"})
    assert "three" not in client.get(page).content.decode().split("Metadata", 2)[-1]
    client.post(f"{page}/metadata", {"remove": "team"})
    assert threat_model.metadata_entries.count() == 0
    assert browse(cast.reader).post(f"{page}/metadata", {"key": "a", "value": "b"}).status_code == 403


# -- history and pictures


def test_the_history_tells_who_changed_what_from_what(cast, browse, threat_model, parts):
    update_record(parts["threats"], actor=cast.writer, changes={"severity": "critical"})
    text = re.sub(r"\s+", " ", browse(cast.reader).get(url(threat_model, "/history")).content.decode())
    assert "<strong>Writer</strong> changed the threat “Forged”" in text
    assert "<ins>critical</ins>" in text


def test_the_history_tells_of_access_and_imports_in_words(cast, browse, threat_model):
    owner, address = browse(cast.owner), url(threat_model, "/sharing")
    owner.post(address, {"email": "somebody@example.net", "role": "reader"})
    owner.post(address, {"email": "outsider@example.org", "role": "reader"})
    browse(cast.outsider).get(url(threat_model))
    [entry] = threat_model.access_entries.filter(user=cast.outsider)
    owner.post(f"{address}/{entry.pk}", {"role": "writer"})
    owner.post(f"{address}/{entry.pk}/remove")
    counts = {"diagrams": 1, "trust_boundaries": 2}
    audit.write(
        entity_type="threat_model",
        entity_id=threat_model.pk,
        threat_model_id=threat_model.pk,
        action="import",
        actor=cast.owner,
        changes={"kind": (None, "otm"), "counts": (None, counts)},
    )
    text = re.sub(r"\s+", " ", owner.get(url(threat_model, "/history")).content.decode())
    text = re.sub(r"</?strong>", "", text)
    for said in (
        "Owner gave somebody@example.net the role Reader <",
        "Outsider accepted the invitation to be here with the role Reader <",
        "Owner gave Outsider the role Writer in place of Reader <",
        "Owner took the role Writer away from Outsider <",
        "<li>kind of file: <ins>otm</ins></li>",
        "<li>contents: <ins>diagrams 1, trust boundaries 2</ins></li>",
    ):
        assert said in text
    assert "subject:" not in text


def test_a_picture_is_asked_for_again_only_when_it_changed(cast, browse, threat_model, parts):
    address = url(threat_model, f"/diagrams/{parts['diagrams'].pk}/picture.svg")
    client = browse(cast.reader)
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    update_record(parts["threats"], actor=cast.owner, changes={"severity": "critical"})
    assert client.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.asvs("v5.0.0-14.2.2", "v5.0.0-14.3.2")
def test_pages_of_a_person_are_not_kept_by_anybody_between(cast, browse, threat_model, parts):
    for rest in ("", f"/diagrams/{parts['diagrams'].pk}"):
        page = browse(cast.owner).get(url(threat_model, rest))
        assert page["Cache-Control"] == "private, no-store"
        policy = page["Content-Security-Policy"]
        assert "unsafe-inline" not in policy
        assert "frame-ancestors 'none'" in policy


@pytest.mark.asvs("v5.0.0-3.5.1")
def test_forms_want_their_token(cast, threat_model):
    from django.test import Client

    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(cast.owner)
    assert client.post(url(threat_model, "/delete")).status_code == 403
    threat_model.refresh_from_db()
    assert threat_model.deleted_at is None


def test_the_page_of_a_large_model_runs_a_fixed_number_of_queries(cast, browse, threat_model, parts):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count():
        with CaptureQueriesContext(connection) as queries:
            assert browse(cast.owner).get(url(threat_model)).status_code == 200
        return len(queries)

    def fill(number):
        for index in range(number):
            create_record(Threat, threat_model=threat_model, actor=cast.owner, name=f"T{index}")
            create_record(Asset, threat_model=threat_model, actor=cast.owner, name=f"A{index}", type="data")
            create_diagram(threat_model=threat_model, actor=cast.owner, name=f"D{index}")

    fill(4)
    before = count()
    fill(20)
    grant_access(threat_model, actor=cast.owner, grant=Grant("reader", email="a@example.org"))
    grant_access(threat_model, actor=cast.owner, grant=Grant("reader", email="b@example.org"))
    assert count() == before


def test_the_page_that_back_asks_for_is_whole(cast, browse, threat_model, parts):
    back = {"HTTP_HX_REQUEST": "true", "HTTP_HX_HISTORY_RESTORE_REQUEST": "true"}
    addresses = ("/", url(threat_model), url(threat_model, f"/diagrams/{parts['diagrams'].pk}/timeline"))
    for address in addresses:
        assert b"<html" in browse(cast.owner).get(address, **back).content
        assert b"<html" not in browse(cast.owner).get(address, HTTP_HX_REQUEST="true").content


def test_threats_are_sorted_by_what_a_priority_means(cast, browse, threat_model):
    for name in ("Deferred", "high", "Immediate", "Low", "Medium", "soon"):
        create_record(Threat, threat_model=threat_model, actor=cast.owner, name=f"T-{name}", priority=name)

    def order(sort):
        page = browse(cast.owner).get(url(threat_model, f"?sort={sort}")).content.decode()
        return list(dict.fromkeys(re.findall(r">T-(\w+)<", page)))

    first = ["Immediate", "high", "Medium", "Low", "Deferred", "soon"]
    assert (order("priority"), order("-priority")) == (first, first[::-1])
