"""Deciding about suggestions: they become threats, or somebody says why they do not apply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.models import User
from threatmodels.actions import record
from threatmodels.advice import Advice
from threatmodels.choices import Verdict
from threatmodels.knowledge.engine import Suggestion
from threatmodels.knowledge.facts import ELEMENTS
from threatmodels.knowledge.packs import categories
from threatmodels.models import Diagram, SuggestionDecision, Threat
from tmi.lib.errors import FieldError, ValidationFailed
from tmi.lib.events import Event, publish_on_commit

PRIORITIES = {"critical": "Immediate", "high": "High", "low": "Low", "informational": "Deferred"}
GONE = "There is no such suggestion: it was decided, or the diagram has changed."


@transaction.atomic
def accept_suggestions(diagram: Diagram, *, actor: User, wanted: Sequence[Mapping[str, Any]]) -> list[Threat]:
    """Makes a threat of each; an entry is `rule_id`, `cell_id` and whatever a person changed.

    All or none. Raises ValidationFailed, which names entries by position.
    """
    locked = record.lock(diagram)
    offered = _offered(locked)
    found = [_find(offered, entry, index) for index, entry in enumerate(wanted)]
    _refuse_twice([(one.rule_id, one.cell_id) for one in found])
    rows = [_threat(locked, one, entry) for one, entry in zip(found, wanted, strict=True)]
    made = record.create_records(Threat, threat_model=locked.threat_model, actor=actor, rows=rows)
    decisions = [
        _decision(locked, actor, one.cell_id, one.category, rule_id=one.rule_id, threat=threat)
        for one, threat in zip(found, made, strict=True)
    ]
    _replace(locked, decisions)
    return made


@transaction.atomic
def dismiss_suggestions(
    diagram: Diagram, *, actor: User, wanted: Sequence[Mapping[str, Any]], reason: str
) -> list[SuggestionDecision]:
    """Says why suggestions, or whole categories at elements, do not apply.

    An entry is `cell_id` with `rule_id` or with `category`. Raises ValidationFailed.
    """
    if not reason.strip():
        raise ValidationFailed.of("reason", "Say why this does not apply.")
    locked = record.lock(diagram)
    offered = _offered(locked)
    decisions = [
        _dismissal(locked, actor, offered, entry, index=index, reason=reason.strip())
        for index, entry in enumerate(wanted)
    ]
    _refuse_twice([(d.rule_id or d.category, str(d.cell_id)) for d in decisions])
    _replace(locked, decisions)
    _audit(locked, actor, "dismiss_suggestions", [d.rule_id or d.category for d in decisions], reason.strip())
    _finish(locked, actor)
    return decisions


@transaction.atomic
def withdraw_decision(decision: SuggestionDecision, *, actor: User) -> None:
    """What was dismissed is offered again."""
    diagram = record.lock(decision.diagram)
    _audit(diagram, actor, "withdraw_dismissal", [decision.rule_id or decision.category], decision.reason)
    decision.delete()
    _finish(diagram, actor)


def _finish(diagram: Diagram, actor: User) -> None:
    record.touch(diagram.threat_model_id)
    publish_on_commit(Event("suggestion.decided", diagram.pk, diagram.threat_model_id, actor.pk))


Offered = dict[tuple[str, str], Suggestion]


def _offered(diagram: Diagram) -> Offered:
    found = Advice(diagram.threat_model).suggestions(diagram)
    return {(one.rule_id, one.cell_id): one for one in found}


def _find(offered: Offered, entry: Mapping[str, Any], index: int) -> Suggestion:
    found = offered.get((str(entry["rule_id"]), str(entry["cell_id"])))
    if found is None:
        raise ValidationFailed.of(f"/{index}/rule_id", GONE)
    return found


def _refuse_twice(keys: list[tuple[str, str]]) -> None:
    for index, key in enumerate(keys):
        if key in keys[:index]:
            raise ValidationFailed([FieldError(f"/{index}", "This stands in the list twice.")])


def _threat(diagram: Diagram, one: Suggestion, entry: Mapping[str, Any]) -> dict[str, Any]:
    changed = {name: value for name, value in entry.items() if name not in {"rule_id", "cell_id"}}
    severity = changed.get("severity") or one.severity
    return {
        "diagram_id": diagram.pk,
        "cell_id": UUID(one.cell_id),
        "name": one.name,
        "description": one.description,
        "mitigation": one.mitigation,
        "severity": one.severity,
        "priority": PRIORITIES.get(severity, "Medium"),
        "status": "Open",
        "threat_type": one.category,
        "cwe_ids": one.cwe_ids,
        **changed,
    }


def _dismissal(
    diagram: Diagram, actor: User, offered: Offered, entry: Mapping[str, Any], *, index: int, reason: str
) -> SuggestionDecision:
    if entry.get("rule_id"):
        one = _find(offered, entry, index)
        return _decision(diagram, actor, one.cell_id, one.category, rule_id=one.rule_id, reason=reason)
    known = categories(diagram.threat_model.threat_model_framework)
    category = next((c for c in known if c.lower() == str(entry.get("category", "")).lower()), None)
    if category is None:
        raise ValidationFailed.of(f"/{index}/category", f"One of: {', '.join(known)}.")
    cell_id = str(entry["cell_id"])
    if not any(cell["id"] == cell_id and cell["type"] in ELEMENTS for cell in diagram.current_cells):
        raise ValidationFailed.of(f"/{index}/cell_id", "There is no such element in this diagram.")
    return _decision(diagram, actor, cell_id, category, reason=reason)


def _decision(
    diagram: Diagram,
    actor: User,
    cell_id: str,
    category: str,
    *,
    rule_id: str = "",
    reason: str = "",
    threat: Threat | None = None,
) -> SuggestionDecision:
    return SuggestionDecision(
        threat_model_id=diagram.threat_model_id,
        diagram=diagram,
        cell_id=UUID(cell_id),
        rule_id=rule_id,
        category=category,
        verdict=Verdict.NOT_APPLICABLE if threat is None else Verdict.ACCEPTED,
        reason=reason,
        threat=threat,
        actor=actor,
    )


def _replace(diagram: Diagram, decisions: Sequence[SuggestionDecision]) -> None:
    """A decision takes the place of an earlier one about the same, such as one whose threat was deleted."""
    for decision in decisions:
        SuggestionDecision.objects.filter(
            diagram=diagram, cell_id=decision.cell_id, rule_id=decision.rule_id, category=decision.category
        ).delete()
    SuggestionDecision.objects.bulk_create(decisions)


def _audit(diagram: Diagram, actor: User, action: str, what: list[str], reason: str) -> None:
    audit.write(
        entity_type=Diagram.kind,
        entity_id=diagram.pk,
        threat_model_id=diagram.threat_model_id,
        action=action,
        actor=actor,
        changes={"suggestions": (None, what), "reason": (None, reason)},
    )
