"""The pages of suggestions."""

from __future__ import annotations

import pytest

from tests.threatmodels.knowledge.test_engine import B, shop
from threatmodels.actions.diagram import create_diagram
from threatmodels.models import SuggestionDecision, Threat

SCRIPT = f"stride/script-in-page {B}"


@pytest.fixture
def address(threat_model, cast):
    diagram = create_diagram(threat_model=threat_model, actor=cast.owner, name="Shop <b>", cells=shop())
    return f"/threat-models/{threat_model.pk}/diagrams/{diagram.pk}/suggestions"


def test_the_page_lists_what_is_open_and_leads_from_the_overview(browse, cast, address, threat_model):
    overview = browse(cast.reader).get(f"/threat-models/{threat_model.pk}/suggestions").content.decode()
    assert address in overview
    assert "Shop &lt;b&gt;" in overview
    html = browse(cast.reader).get(address).content.decode()
    assert "A stranger&#x27;s script runs in pages of Shop" in html
    assert "Nothing leaves it" in html
    assert 'name="pick"' not in html


def test_selected_suggestions_become_threats(browse, cast, address):
    client = browse(cast.writer)
    answer = client.post(address, {"pick": [SCRIPT], "accept": "1"}, follow=True)
    assert "1 threat was added." in answer.content.decode()
    assert Threat.objects.get().name == "A stranger's script runs in pages of Shop"
    assert SCRIPT not in answer.content.decode()


def test_one_is_changed_before_it_is_added(browse, cast, address):
    given = {"one": SCRIPT, "name": "Script in comments", "severity": "low", "accept_one": "1"}
    browse(cast.writer).post(address, given)
    threat = Threat.objects.get()
    assert (threat.name, threat.severity, threat.priority) == ("Script in comments", "low", "Low")


def test_dismissing_asks_for_a_reason_and_can_be_taken_back(browse, cast, address):
    client = browse(cast.writer)
    refused = client.post(address, {"pick": [SCRIPT], "dismiss": "1", "reason": " "})
    assert refused.status_code == 400
    assert "Say why this does not apply." in refused.content.decode()
    html = client.post(
        address, {"pick": [SCRIPT], "dismiss": "1", "reason": "No <i>pages</i>"}, follow=True
    ).content.decode()
    assert "No &lt;i&gt;pages&lt;/i&gt;" in html
    client.post(address, {"withdraw": str(SuggestionDecision.objects.get().pk)})
    assert not SuggestionDecision.objects.exists()


def test_readers_decide_nothing(browse, cast, address):
    assert browse(cast.reader).post(address, {"pick": [SCRIPT], "accept": "1"}).status_code == 403
    assert browse(cast.outsider).get(address).status_code == 404
    assert browse(cast.writer).post(address, {"accept": "1"}).status_code == 400
    assert not Threat.objects.exists()


def test_the_page_of_the_model_has_a_part_for_it_with_a_matrix_for_each_diagram(
    browse, cast, address, threat_model
):
    client = browse(cast.reader)
    assert (
        f'hx-get="/threat-models/{threat_model.pk}/suggestions"'
        in client.get(f"/threat-models/{threat_model.pk}").content.decode()
    )
    part = client.get(
        f"/threat-models/{threat_model.pk}/suggestions", headers={"HX-Request": "true"}
    ).content.decode()
    assert "<html" not in part
    assert "Coverage of Shop &lt;b&gt;: 0 of" in part
    assert part.count("<table") == 2
