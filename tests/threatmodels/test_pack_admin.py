"""Rule packs in the admin site: uploads are checked, and packs and rules are switched off."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import AuditEntry
from tests.threatmodels.knowledge.test_engine import B, shop
from threatmodels.actions.diagram import create_diagram
from threatmodels.advice import Advice
from threatmodels.models import RulePack

ADD = "admin:threatmodels_rulepack_add"
LIST = "admin:threatmodels_rulepack_changelist"
CHANGE = "admin:threatmodels_rulepack_change"
PACK = """key: our-bank
title: Rules of our bank
framework: STRIDE
rules:
  - id: a-rule
    title: "Ours at {element}"
    category: Tampering
    applies_to: [process]
    description: Something of ours.
    mitigation: Do something.
    severity: critical
  - id: another
    title: "Another at {element}"
    category: Spoofing
    applies_to: [process]
    when: "web"
    description: Something else.
    mitigation: Do something else.
    severity: low
"""


@pytest.fixture
def client(browse, cast):
    return browse(cast.admin)


@pytest.fixture
def suggested(threat_model, cast):
    """`suggested()` are the names of what is suggested for the shop."""
    diagram = create_diagram(threat_model=threat_model, actor=cast.owner, name="Shop", cells=shop())
    return lambda: {one.name for one in Advice(threat_model).suggestions(diagram) if one.cell_id == B}


def upload(client, text, address=None, **more):
    given = {"file": SimpleUploadedFile("pack.yaml", text.encode()), "is_enabled": "on", **more}
    return client.post(address or reverse(ADD), given)


def test_a_pack_that_is_uploaded_suggests_until_it_or_its_rule_is_switched_off(client, suggested):
    assert upload(client, PACK).status_code == 302
    assert {"Ours at Shop", "Another at Shop"} <= suggested()
    row = RulePack.objects.get(key="our-bank")
    address = reverse(CHANGE, args=[row.pk])
    assert client.post(address, {"is_enabled": "on", "off": ["a-rule"]}).status_code == 302
    assert suggested() & {"Ours at Shop", "Another at Shop"} == {"Another at Shop"}
    assert client.post(address, {"off": ["a-rule"]}).status_code == 302
    assert not suggested() & {"Ours at Shop", "Another at Shop"}
    entries = AuditEntry.objects.filter(entity_id=row.pk).order_by("created_at")
    assert [entry.action for entry in entries] == ["admin_create", "admin_update", "admin_update"]


def test_a_new_version_replaces_the_old_one_and_forgets_rules_that_are_gone(client, suggested):
    upload(client, PACK)
    row = RulePack.objects.get(key="our-bank")
    address = reverse(CHANGE, args=[row.pk])
    client.post(address, {"is_enabled": "on", "off": ["another"]})
    newer = PACK.split("  - id: another", maxsplit=1)[0].replace("Ours at", "Ours, newer, at")
    assert upload(client, newer, address, off=["another"]).status_code == 302
    assert "Ours, newer, at Shop" in suggested()
    row.refresh_from_db()
    assert row.off == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("severity: low", "severity: lowest", "/rules/1/severity: Line 19"),
        ('when: "web"', 'when: "wob"', "/rules/1/when: Line 16: There is no fact called wob"),
        ("    description: Something of ours.\n", "", "/rules/0/description: Line 5"),
        ("title: Rules", "colour: red\ntitle: Rules", "/colour: Line 2"),
        ("category: Spoofing", "category: Spoof", "STRIDE has no category Spoof"),
        ("id: another", "id: a-rule", "Two rules are called a-rule"),
        ("key: our-bank", "key: stride", "/key: stride is a pack of TMI"),
        ("rules:", "rules: [", "This is no YAML or JSON"),
    ],
)
def test_a_file_that_is_no_pack_is_refused_with_the_place_and_nothing_is_stored(client, old, new, told):
    assert old in PACK
    answer = upload(client, PACK.replace(old, new))
    assert answer.status_code == 200
    assert told in answer.content.decode()
    assert not RulePack.objects.filter(key__in=["our-bank", "stride"]).exists()


def test_a_pack_cannot_be_uploaded_twice_nor_in_place_of_another(client):
    upload(client, PACK)
    assert "open it to upload a new version" in upload(client, PACK).content.decode()
    address = reverse(CHANGE, args=[RulePack.objects.get(key="our-bank").pk])
    other = PACK.replace("key: our-bank", "key: their-bank")
    assert "the file is their-bank" in upload(client, other, address).content.decode()
    assert RulePack.objects.count() == 1


def test_packs_of_tmi_are_listed_and_their_rules_switched_off_but_they_stay(client, suggested):
    name = "A stranger's script runs in pages of Shop"
    assert name in suggested()
    listed = client.get(reverse(LIST)).content.decode()
    assert all(key in listed for key in ("stride", "linddun", "cia", "die", "plot4ai"))
    row = RulePack.objects.get(key="stride")
    address = reverse(CHANGE, args=[row.pk])
    assert 'type="file"' not in client.get(address).content.decode()
    client.post(address, {"is_enabled": "on", "off": ["script-in-page"]})
    assert name not in suggested()
    client.post(address, {})
    assert suggested() == set()
    gone = client.post(reverse("admin:threatmodels_rulepack_delete", args=[row.pk]), {"post": "yes"})
    assert gone.status_code == 403


def test_only_administrators_get_there(browse, cast):
    assert browse(cast.owner).get(reverse(ADD)).status_code == 302
    upload(browse(cast.owner), PACK)
    assert not RulePack.objects.exists()
