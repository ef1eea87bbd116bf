"""Every rule: a model where it applies, and one that differs in a single point where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.threatmodels.knowledge.scene import SUBJECT, laid_over, scene
from threatmodels.choices import THREAT_TYPES
from threatmodels.knowledge.engine import suggestions
from threatmodels.knowledge.packs import builtin_packs

CASES = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text(encoding="utf-8"))
RULES = {f"{pack.key}/{rule.id}": (pack, rule) for pack in builtin_packs().values() for rule in pack.rules}


def found_at(case, rule_id):
    pack, rule = RULES[rule_id]
    cells, assets = scene(case, case.get("as", rule.applies_to[0]))
    offered = suggestions(cells, [pack], assets=assets)
    return {one.rule_id for one in offered if one.cell_id == SUBJECT}


def test_every_rule_has_a_case():
    assert sorted(CASES) == sorted(RULES)


@pytest.mark.parametrize("rule_id", RULES)
def test_rule_applies_and_does_not(rule_id):
    applies, change = CASES[rule_id]
    assert rule_id in found_at(applies, rule_id)
    assert rule_id not in found_at(laid_over(applies, change), rule_id)


@pytest.mark.parametrize("pack", builtin_packs().values(), ids=lambda pack: pack.key)
def test_pack_has_rules_for_every_category_and_each_says_something_of_its_own(pack):
    known = [name for name, _title in THREAT_TYPES[pack.framework]]
    for category in known:
        assert sum(rule.category == category for rule in pack.rules) >= 5, category
    for part in ("title", "description", "mitigation"):
        texts = [getattr(rule, part) for rule in pack.rules]
        assert len(set(texts)) == len(texts), part
    assert all("{element}" in r.title or "{source}" in r.title or "{target}" in r.title for r in pack.rules)


def test_stride_has_sixty_rules_with_weaknesses():
    rules = builtin_packs()["stride"].rules
    assert len(rules) >= 60
    assert all(rule.cwe for rule in rules)
