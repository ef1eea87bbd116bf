"""Lists: filters, sorting, cursors, sparse fields."""

from __future__ import annotations

import pytest

from threatmodels.actions.record import create_records
from threatmodels.actions.threat_model import create_threat_model
from threatmodels.models import Threat


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


def names(response):
    assert response.status_code == 200, response.content
    return [item["name"][-1] for item in response.json()["data"]]


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


@pytest.mark.asvs("v5.0.0-1.2.3")
def test_an_error_repeats_no_control_characters(cast, api, threat_model):
    answer = api(cast.owner).get(f"/api/v1/threat_models?a%00b%1b{'c' * 200}=1")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == ("ab" + "c" * 200)[:100]
