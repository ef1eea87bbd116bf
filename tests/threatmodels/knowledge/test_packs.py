"""Packs of one's own: what is taken, and one clear error for what is not."""

from __future__ import annotations

import copy
import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from threatmodels.knowledge.packs import FILES, FOLDER, read_pack, schema
from tmi.lib.errors import ValidationFailed

PACK = {
    "key": "bank",
    "title": "Rules of the bank",
    "framework": "STRIDE",
    "rules": [
        {
            "id": "branch-line",
            "title": "{element} leaves the branch in the clear",
            "category": "Information disclosure",
            "applies_to": ["data_flow"],
            "when": "mentions('branch') and not encrypted",
            "description": "Lines to branches are rented.",
            "mitigation": "Use the encrypting router.",
            "severity": "high",
            "cwe": [319],
        }
    ],
}


def changed(change):
    pack = copy.deepcopy(PACK)
    change(pack)
    return json.dumps(pack).encode()


def test_a_sound_pack_is_read():
    pack = read_pack(yaml.safe_dump(PACK).encode())
    assert pack.rules[0].cwe_ids == ["CWE-319"]


def test_categories_by_their_earlier_names_are_those_of_today():
    earlier = changed(
        lambda p: p.update(
            framework="PLOT4ai",
            applicable={"process": ["Accessibility", "Unawareness", "Security"]},
            rules=[dict(p["rules"][0], category="Non-compliance")],
        )
    )
    pack = read_pack(earlier)
    assert pack.rules[0].category == "Accountability and human oversight"
    assert pack.applicable == {"process": ["Transparency and accessibility", "Cybersecurity"]}


@pytest.mark.parametrize("name", FILES)
def test_the_packs_of_tmi_keep_to_the_json_schema(name):
    Draft202012Validator.check_schema(schema())
    found = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    assert [e.message for e in Draft202012Validator(schema()).iter_errors(found)] == []


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        (lambda p: p.pop("rules"), "/rules", "required"),
        (lambda p: p.update(rules=[]), "/rules", "at least 1"),
        (lambda p: p.update(framework="DREAD"), "/framework", "STRIDE"),
        (lambda p: p.update(key="../etc"), "/key", "pattern"),
        (lambda p: p.update(extra=1), "/extra", "not permitted"),
        (lambda p: p["rules"][0].update(category="Spying"), "/", "no category Spying"),
        (lambda p: p["rules"][0].update(when="open('/etc/passwd')"), "/rules/0/when", "mentions"),
        (lambda p: p["rules"][0].update(when="encryptd"), "/rules/0/when", "no fact called encryptd"),
        (lambda p: p["rules"][0].update(severity="dire"), "/rules/0/severity", "critical"),
        (lambda p: p["rules"][0].update(cwe=["CWE-319"]), "/rules/0/cwe/0", "integer"),
        (lambda p: p["rules"][0].update(reference="javascript:alert(1)"), "/rules/0/reference", "pattern"),
        (lambda p: p["rules"][0].update(applies_to=["cloud"]), "/rules/0/applies_to/0", "process"),
        (
            lambda p: p["rules"].append(dict(p["rules"][0], applies_to=["process"])),
            "/",
            "Two rules are called branch-line",
        ),
    ],
)
def test_a_broken_pack_is_refused_and_the_place_named(change, field, said):
    with pytest.raises(ValidationFailed) as refused:
        read_pack(changed(change))
    assert refused.value.errors[0].field == field
    assert said in refused.value.errors[0].reason


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00",
        b"a: [",
        b"!!python/object/apply:os.system ['id']",
        b"a: &a [1]\nb: *a",
        b"[" * 5000,
        b"",
        b"- 1",
        b"x" * (2 * 1024 * 1024 + 1),
        b"2026-13-45",
    ],
)
def test_what_is_no_pack_is_refused_without_harm(data):
    with pytest.raises(ValidationFailed):
        read_pack(data)
