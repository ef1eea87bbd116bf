"""Lists: filters, sorting, cursors, sparse fields."""

from __future__ import annotations

import base64
import json
from uuid import UUID

import pytest
from django.utils import timezone

from threatmodels.actions.diagram import create_diagram
from threatmodels.actions.record import create_record, create_records, delete_record, restore_record
from threatmodels.actions.threat_model import create_threat_model, update_threat_model
from threatmodels.models import Asset, Threat

CELL = UUID("00000000-0000-4000-8000-000000000001")


@pytest.fixture
def reader(api, cast):
    return api(cast.reader)


@pytest.fixture
def threats(cast, threat_model):
    severities = ["high", "low", None, "high", "medium"]
    rows = [
        {"name": f"Threat {n}", "severity": severity, "score": n * 2, "mitigated": n % 2 == 0}
        for n, severity in enumerate(severities)
    ]
    create_records(Threat, threat_model=threat_model, actor=cast.owner, rows=rows)
    return f"/api/v1/threat_models/{threat_model.pk}/threats"


def data(response):
    assert response.status_code == 200, response.content
    return response.json()["data"]


def names(response):
    return [item["name"][-1] for item in data(response)]


@pytest.mark.asvs("v5.0.0-1.2.4")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("severity=high", "03"),
        ("severity=high&severity=low", "013"),
        ("severity=high&mitigated=false", "3"),
        ("mitigated=true", "024"),
        ("score_min=3&score_max=6", "23"),
        ("search=thr", "01234"),
        ("search=threat+3", "3"),
        ("search=hreat", ""),
        ("search=3&search=threat+1", "13"),
        ("search=3&search=%25", "3"),
        ("search=3&search=", "01234"),
        ("search=%25", ""),
        ("sort=severity", "03142"),
        ("sort=-severity,name", "24103"),
        ("sort=-score&limit=2", "43"),
    ],
)
def test_filters_and_sorts(reader, threats, query, expected):
    assert names(reader.get(f"{threats}?{query}")) == list(expected)


@pytest.mark.parametrize("sort", ["created_at", "-name", "severity", "-severity", "score", "-severity,score"])
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_cursor_walks_the_whole_list_in_the_order_of_its_pages(reader, threats, sort, limit):
    whole = names(reader.get(f"{threats}?sort={sort}"))
    walked, cursor = [], ""
    for _ in range(10):
        page = reader.get(f"{threats}?sort={sort}&limit={limit}&cursor={cursor}")
        walked += names(page)
        pagination = page.json()["meta"]["pagination"]
        assert (pagination["total"], pagination["pages"]) == (None, None)
        cursor = pagination["next_cursor"]
        if cursor is None:
            break
        assert 'rel="next"' in page.headers["Link"]
        assert f'?sort={sort.replace(",", "%2C")}&limit={limit}&cursor=>; rel="first"' in page.headers["Link"]
    assert walked == whole


def test_a_cursor_is_not_disturbed_by_what_is_added_before_it(reader, cast, threat_model, threats):
    first = reader.get(f"{threats}?sort=-created_at&limit=2&cursor=")
    create_records(Threat, threat_model=threat_model, actor=cast.owner, rows=[{"name": "New 9"}])
    cursor = first.json()["meta"]["pagination"]["next_cursor"]
    second = reader.get(f"{threats}?sort=-created_at&limit=2&cursor={cursor}")
    assert names(first) + names(second) == ["4", "3", "2", "1"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("cursor=x", "cursor"),
        ("cursor=%FF", "cursor"),
        ("cursor=&page=1", "page"),
        ("cursor=&cursor=", "cursor"),
        ("cursor=W10", "cursor"),
        ("score_min=many", "score_min"),
        ("score_min=NaN", "score_min"),
        ("mitigated=yes", "mitigated"),
        ("diagram_id=x", "diagram_id"),
        ("fields=name,color", "fields"),
        ("severity=%00", "severity"),
        ("search=%00", "search"),
        ("deleted=maybe", "deleted"),
        ("expand=threats", "expand"),
    ],
)
def test_a_bad_parameter_is_named(reader, threats, query, field):
    refused = reader.get(f"{threats}?{query}")
    assert refused.status_code == 400, refused.content
    assert refused.json()["error"]["details"]["field"] == field


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("score", "1e999999"),
        ("score", "1e-999999"),
        ("score", "NaN"),
        ("score", "0." + "1" * 20_000),
        ("score", "1e999999999999999999999"),
        ("created_at", "0001-01-01T00:00:00+23:59"),
        ("created_at", "9999-12-31T23:59:59-23:59"),
        ("created_at", 5),
        ("name", "a\x00"),
        ("name", "\ud800"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_cursor_made_by_hand_is_refused_by_name(reader, threats, sort, value):
    made = json.dumps([[sort, "id"], [value, str(CELL)]]).encode()
    cursor = base64.urlsafe_b64encode(made).decode().rstrip("=")
    refused = reader.get(f"{threats}?sort={sort}&cursor={cursor}")
    assert refused.status_code == 400, refused.content
    assert refused.json()["error"]["details"]["field"] == "cursor"


def test_a_cursor_of_another_order_is_refused(reader, threats):
    page = reader.get(f"{threats}?sort=name&limit=1&cursor=")
    cursor = page.json()["meta"]["pagination"]["next_cursor"]
    assert reader.get(f"{threats}?sort=score&cursor={cursor}").status_code == 400


@pytest.mark.asvs("v5.0.0-15.3.1")
def test_sparse_fields_are_all_there_is(reader, threats):
    item = reader.get(f"{threats}?fields=name,score&sort=name").json()["data"][0]
    assert item == {"name": "Threat 0", "score": 0.0}
    threat = reader.get(f"{threats}?limit=1").json()["data"][0]["id"]
    assert set(reader.get(f"{threats}/{threat}?fields=id").json()["data"]) == {"id"}


def test_models_are_filtered_by_what_is_known_of_them(api, cast, threat_model):
    client = api(cast.reader)
    create_threat_model(actor=cast.reader, name="My own", threat_model_framework="CIA", status="Approved")

    def found(query):
        return sorted(item["name"] for item in client.get(f"/api/v1/threat_models?{query}").json()["data"])

    assert found("") == ["My own", "Web shop"]
    assert found("name=SHO") == ["Web shop"]
    assert found("search=sell") == ["Web shop"]
    assert found("framework=CIA") == ["My own"]
    assert found("framework=CIA&framework=STRIDE") == ["My own", "Web shop"]
    assert found("status=Approved") == ["My own"]
    assert found("role=owner") == ["My own"]
    assert found("role=reader") == ["Web shop"]
    assert found(f"owner={cast.owner.pk}") == ["Web shop"]
    assert found("owner=OWNER@example.org") == ["Web shop"]
    assert found("created_after=2099-01-01T00:00:00Z") == []
    assert found("created_before=2099-01-01T00:00:00Z") == ["My own", "Web shop"]
    assert found("status_updated_after=2020-01-01T00:00:00Z") == ["My own"]
    for bad in ("framework=X", "role=king", "created_after=yesterday", "created_after=2020-01-01T00:00:00"):
        assert client.get(f"/api/v1/threat_models?{bad}").status_code == 400


def test_threats_are_filtered_by_where_they_are_and_how_they_stand(api, cast, threat_model):
    client, url = api(cast.reader), f"/api/v1/threat_models/{threat_model.pk}/threats"
    label = {"id": str(CELL), "type": "text", "properties": {"label": "Note"}}
    cell = label | {"position": {"x": 0, "y": 0}, "size": {"width": 80, "height": 40}}
    diagram = create_diagram(threat_model=threat_model, actor=cast.owner, name="Overview", cells=[cell])
    asset = create_record(Asset, threat_model=threat_model, actor=cast.owner, name="Cards", type="data")
    rows = [
        {"name": "at the diagram", "diagram_id": diagram.pk, "priority": "High", "status": "Open"},
        {"name": "at the cell", "diagram_id": diagram.pk, "cell_id": CELL, "threat_type": "Spoofing"},
        {"name": "at the asset", "asset_id": asset.pk, "priority": "Low", "status": "Resolved"},
    ]
    create_records(Threat, threat_model=threat_model, actor=cast.owner, rows=rows)

    def found(query):
        return [item["name"].split()[-1] for item in data(client.get(f"{url}?{query}"))]

    assert found(f"diagram_id={diagram.pk}") == ["diagram", "cell"]
    assert found(f"cell_id={CELL}") == ["cell"]
    assert found(f"asset_id={asset.pk}") == ["asset"]
    assert found(f"asset_id={asset.pk}&asset_id={CELL}") == ["asset"]
    assert found(f"asset_id={CELL}") == []
    assert found("priority=High") == ["diagram"]
    assert found("priority=High&priority=Low") == ["diagram", "asset"]
    assert found("status=Open") == ["diagram"]
    assert found("status=Open&status=Resolved&priority=Low") == ["asset"]
    assert found("threat_type=Spoofing") == ["cell"]
    # What is deleted shows as null, and nothing is found by it.
    for part in (diagram, asset):
        delete_record(part, actor=cast.owner)
    for query in (f"diagram_id={diagram.pk}", f"cell_id={CELL}", f"asset_id={asset.pk}"):
        assert found(query) == []
    assert len(found("priority=Medium&priority=High&priority=Low")) == 3
    restore_record(asset, actor=cast.owner)
    assert found(f"asset_id={asset.pk}&diagram_id={diagram.pk}") == []
    assert found(f"asset_id={asset.pk}") == ["asset"]


def test_models_are_filtered_by_issue_time_and_deletion(api, cast, threat_model):
    client = api(cast.owner)
    issue = "https://issues.example.org/7"
    other = create_threat_model(actor=cast.owner, name="Bank", issue_uri=issue, status="Approved")
    between = timezone.now()
    update_threat_model(threat_model, actor=cast.owner, changes={"description": "Sells shoes"})

    def found(query):
        return sorted(item["name"] for item in data(client.get("/api/v1/threat_models", query)))

    assert found({"issue_uri": issue}) == ["Bank"]
    assert found({"issue_uri": [issue, "https://issues.example.org/8"]}) == ["Bank"]
    assert found({"updated_after": between.isoformat()}) == ["Web shop"]
    assert found({"updated_before": between.isoformat()}) == ["Bank"]
    assert found({"status_updated_before": between.isoformat()}) == ["Bank"]
    assert found({"status_updated_after": between.isoformat()}) == []
    client.delete(f"/api/v1/threat_models/{other.pk}")
    assert found({"deleted": "true"}) == ["Bank"]
    assert found({"deleted": "false"}) == ["Web shop"]


@pytest.mark.asvs("v5.0.0-1.2.3")
def test_an_error_repeats_no_control_characters(cast, api, threat_model):
    answer = api(cast.owner).get(f"/api/v1/threat_models?a%00b%1b{'c' * 200}=1")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == ("ab" + "c" * 200)[:100]
