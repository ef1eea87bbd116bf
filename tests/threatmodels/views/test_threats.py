"""Many threats changed at once, from the table."""

from __future__ import annotations

import uuid

import pytest

from accounts.models import AuditEntry
from tests.threatmodels.views.furniture import url
from threatmodels.actions.record import create_record, delete_record
from threatmodels.actions.threat_model import create_threat_model
from threatmodels.models import Threat


@pytest.fixture
def threats(cast, threat_model):
    names = ("One", "Two", "Three")
    common = {"threat_model": threat_model, "actor": cast.owner, "severity": "low"}
    return [create_record(Threat, **common, name=name) for name in names]


def test_all_chosen_threats_are_changed_and_the_others_are_not(cast, browse, threat_model, threats):
    given = {"ids": [threats[0].pk, threats[1].pk], "severity": "high", "status": "", "mitigated": "yes"}
    back = f"{url(threat_model)}?severity=low"
    answer = browse(cast.writer).post(url(threat_model, "/threats/bulk"), {**given, "back": back})
    assert (answer.status_code, answer["Location"]) == (302, f"{back}#threats")
    rows = Threat.objects.order_by("name").values_list("name", "severity", "mitigated", "status")
    assert [row[:3] for row in rows] == [
        ("One", "high", True),
        ("Three", "low", False),
        ("Two", "high", True),
    ]
    assert len({row[3] for row in rows}) == 1
    assert AuditEntry.objects.filter(action="update", entity_type="threat").count() == 2


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda ids, _gone, _foreign: {"ids": [*ids, uuid.uuid4()], "severity": "high"},
        lambda ids, gone, _foreign: {"ids": [*ids, gone], "severity": "high"},
        lambda ids, _gone, foreign: {"ids": [*ids, foreign], "severity": "high"},
        lambda ids, _gone, _foreign: {"ids": ids, "severity": "x" * 500},
        lambda ids, _gone, _foreign: {"ids": ids},
        lambda _ids, _gone, _foreign: {"severity": "high"},
        lambda _ids, _gone, _foreign: {"ids": ["nonsense"], "severity": "high"},
        lambda ids, _gone, _foreign: {"ids": [*ids, *(uuid.uuid4() for _ in range(200))], "severity": "high"},
    ],
)
def test_all_or_none(cast, browse, threat_model, threats, spoiled):
    other = create_threat_model(actor=cast.writer, name="Other")
    foreign = create_record(Threat, threat_model=other, actor=cast.writer, name="Foreign", severity="low")
    gone = create_record(Threat, threat_model=threat_model, actor=cast.owner, name="Gone", severity="low")
    delete_record(gone, actor=cast.owner)
    client = browse(cast.writer)
    given = spoiled([one.pk for one in threats], gone.pk, foreign.pk)
    assert client.post(url(threat_model, "/threats/bulk"), given).status_code == 302
    assert "alert-danger" in client.get(url(threat_model)).content.decode()
    assert set(Threat.objects.values_list("severity", flat=True)) == {"low"}


def test_one_chosen_twice_is_changed_once(cast, browse, threat_model, threats):
    given = {"ids": [threats[0].pk] * 2, "severity": "high"}
    browse(cast.writer).post(url(threat_model, "/threats/bulk"), given)
    assert Threat.objects.filter(severity="high").count() == 1


def test_readers_and_outsiders_change_nothing(cast, browse, threat_model, threats):
    given = {"ids": [one.pk for one in threats], "severity": "high"}
    people = (cast.reader, cast.outsider, None)
    statuses = [browse(one).post(url(threat_model, "/threats/bulk"), given).status_code for one in people]
    assert statuses == [403, 404, 302]
    assert set(Threat.objects.values_list("severity", flat=True)) == {"low"}


def test_the_way_back_leads_nowhere_else(cast, browse, threat_model, threats):
    given = {"ids": [threats[0].pk], "severity": "high", "back": "https://evil.example/"}
    answer = browse(cast.writer).post(url(threat_model, "/threats/bulk"), given)
    assert answer["Location"] == f"{url(threat_model)}#threats"


def test_readers_see_no_controls_in_the_table(cast, browse, threat_model, threats):
    assert 'name="ids"' in browse(cast.writer).get(url(threat_model)).content.decode()
    shown = browse(cast.reader).get(url(threat_model)).content.decode()
    assert 'name="ids"' not in shown
    assert "data-autosave" not in shown
