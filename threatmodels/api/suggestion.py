"""What the rules suggest for a diagram, what was decided about it, and what is covered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import SignedInViewSet
from threatmodels import access
from threatmodels.actions import suggestion as actions
from threatmodels.advice import Advice
from threatmodels.api.serializers import ThreatSerializer
from threatmodels.knowledge import packs
from threatmodels.models import Diagram, SuggestionDecision, Threat
from threatmodels.roles import Role
from tmi.api import registry
from tmi.api.errors import checked
from tmi.api.fields import Id, Text
from tmi.api.parse import StrictJSONParser
from tmi.api.serializers import Reader, StrictSerializer
from tmi.lib.errors import FieldError, NotFound, ValidationFailed, nested
from tmi.lib.ids import NO_ID, parse_id

MOST_AT_ONCE = 200
T = TypeVar("T")
registry.SOURCES["file"] = lambda: {"rule_pack": packs.schema()}


class SuggestionSerializer(serializers.Serializer[Any]):
    """A threat that a rule finds at an element; `rule_id` and `cell_id` name it for good."""

    rule_id = serializers.CharField()
    cell_id = serializers.UUIDField()
    cell_name = serializers.CharField()
    cell_type = serializers.CharField()
    name = serializers.CharField()
    category = serializers.CharField()
    description = serializers.CharField()
    mitigation = serializers.CharField()
    severity = serializers.CharField()
    cwe_ids = serializers.ListField(child=serializers.CharField())
    capec_ids = serializers.ListField(child=serializers.CharField())
    reference = serializers.CharField()


class FindingSerializer(serializers.Serializer[Any]):
    """Something to put right in the diagram."""

    check = serializers.CharField()
    cell_id = serializers.UUIDField()
    cell_name = serializers.CharField()
    message = serializers.CharField()


class SuggestionsSerializer(serializers.Serializer[Any]):
    """What applies and is not dealt with yet, and apart from it what the diagram leaves unsaid."""

    suggestions = SuggestionSerializer(many=True)
    hygiene = FindingSerializer(many=True)


class DecisionSerializer(serializers.Serializer[Any]):
    """What somebody decided; `rule_id` is empty where a whole category does not apply."""

    id = serializers.UUIDField()
    cell_id = serializers.UUIDField()
    rule_id = serializers.CharField(allow_blank=True)
    category = serializers.CharField()
    verdict = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    threat_id = serializers.UUIDField(allow_null=True)
    actor_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()


class CoverageEntrySerializer(serializers.Serializer[Any]):
    """One category at one element."""

    category = serializers.CharField()
    state = serializers.ChoiceField(choices=["threat", "considered", "not_applicable", "open"])
    threats = serializers.IntegerField()
    reason = serializers.CharField(allow_blank=True)


class CoverageRowSerializer(serializers.Serializer[Any]):
    """An element with the categories that are considered for its type."""

    cell_id = serializers.UUIDField()
    name = serializers.CharField()
    type = serializers.CharField()
    entries = CoverageEntrySerializer(many=True)


class CoverageSerializer(serializers.Serializer[Any]):
    """The matrix of a diagram."""

    categories = serializers.ListField(child=serializers.CharField())
    rows = CoverageRowSerializer(many=True)
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    percentage = serializers.IntegerField()


class AcceptedSuggestionSerializer(StrictSerializer):
    """A suggestion by its name, and what is to be different in the threat."""

    rule_id = Text(max_length=140)
    cell_id = Id()
    name = Text(required=False, max_length=200)
    description = Text(required=False, max_length=2000, allow_blank=True)
    mitigation = Text(required=False, max_length=32_768, allow_blank=True)
    severity = Text(required=False, max_length=50)
    priority = Text(required=False, max_length=50)
    status = Text(required=False, max_length=50)


class AcceptSerializer(StrictSerializer):
    suggestions = serializers.ListField(
        child=AcceptedSuggestionSerializer(), min_length=1, max_length=MOST_AT_ONCE
    )


class DismissedSuggestionSerializer(StrictSerializer):
    """A suggestion by its name, or a whole category at an element."""

    cell_id = Id()
    rule_id = Text(required=False, max_length=140)
    category = Text(required=False, max_length=100)


class DismissSerializer(StrictSerializer):
    suggestions = serializers.ListField(
        child=DismissedSuggestionSerializer(), min_length=1, max_length=MOST_AT_ONCE
    )
    reason = Text(max_length=2000)


class SuggestionViewSet(SignedInViewSet):
    serializer_class = SuggestionsSerializer
    parser_classes = (StrictJSONParser,)
    schema_tags = ("suggestions",)

    def diagram(self, at_least: Role = Role.READER) -> Diagram:
        threat_model = access.get_threat_model(self.actor, self.kwargs["threat_model_id"], at_least=at_least)
        return access.record_in(threat_model, Diagram, self.kwargs["record_id"])

    @extend_schema(operation_id="suggestions_list", responses=SuggestionsSerializer)
    def look(self, request: Request, **_: Any) -> Response:
        """What applies to the diagram and is not dealt with yet; nothing is stored."""
        return self._listed()

    @extend_schema(operation_id="suggestions_ask", request=None, responses=SuggestionsSerializer)
    def ask(self, request: Request, **_: Any) -> Response:
        """The same as GET."""
        return self._listed()

    @extend_schema(
        operation_id="suggestions_accept",
        request=AcceptSerializer,
        responses={201: ThreatSerializer(many=True)},
    )
    def accept(self, request: Request, **_: Any) -> Response:
        """Makes threats of suggestions, all or none."""
        diagram = self.diagram(Role.WRITER)
        wanted = checked(AcceptSerializer(data=request.data))["suggestions"]
        made = _below(lambda: actions.accept_suggestions(diagram, actor=self.actor, wanted=wanted))
        rows = Threat.objects.filter(pk__in=[threat.pk for threat in made])
        found = {str(row["id"]): row for row in Reader(ThreatSerializer).read(rows)}
        return self.answer([found[str(threat.pk)] for threat in made], 201)

    @extend_schema(
        operation_id="suggestions_dismiss",
        request=DismissSerializer,
        responses={201: DecisionSerializer(many=True)},
    )
    def dismiss(self, request: Request, **_: Any) -> Response:
        """Stores why suggestions, or whole categories at elements, do not apply."""
        diagram = self.diagram(Role.WRITER)
        given = checked(DismissSerializer(data=request.data))
        for index, entry in enumerate(given["suggestions"]):
            if bool(entry.get("rule_id")) == bool(entry.get("category")):
                raise ValidationFailed.of(f"/suggestions/{index}", "Give rule_id or category.")
        made = _below(
            lambda: actions.dismiss_suggestions(
                diagram, actor=self.actor, wanted=given["suggestions"], reason=given["reason"]
            )
        )
        return self.answer([_decision(one) for one in made], 201)

    @extend_schema(operation_id="suggestions_decisions", responses=DecisionSerializer(many=True))
    def decisions(self, request: Request, **_: Any) -> Response:
        """What was decided about this diagram, oldest first."""
        diagram = self.diagram()
        return self.answer([_decision(one) for one in Advice(diagram.threat_model).decisions(diagram)])

    @extend_schema(operation_id="suggestions_withdraw", responses={204: None})
    def withdraw(self, request: Request, **_: Any) -> Response:
        """Takes back that something does not apply; it is offered again."""
        diagram = self.diagram(Role.WRITER)
        rows = diagram.decisions.filter(verdict="not_applicable")
        found = rows.filter(pk=parse_id(self.kwargs["decision_id"]) or NO_ID).first()
        if found is None:
            raise NotFound
        actions.withdraw_decision(found, actor=self.actor)
        return self.no_content()

    @extend_schema(operation_id="diagram_coverage", responses=CoverageSerializer)
    def coverage(self, request: Request, **_: Any) -> Response:
        """Which category has been considered for which element."""
        diagram = self.diagram()
        found = Advice(diagram.threat_model).coverage(diagram)
        rows = [
            {
                "cell_id": row.cell_id,
                "name": row.name,
                "type": row.type,
                "entries": [{"category": c, **asdict(entry)} for c, entry in row.entries.items()],
            }
            for row in found.rows
        ]
        totals = {"total": found.total, "done": found.done, "percentage": found.percentage}
        return self.answer({"categories": found.categories, "rows": rows, **totals})

    def _listed(self) -> Response:
        diagram = self.diagram()
        advice = Advice(diagram.threat_model)
        return self.answer(
            {
                "suggestions": [asdict(one) for one in advice.suggestions(diagram)],
                "hygiene": [asdict(one) for one in advice.hygiene(diagram)],
            }
        )


def _below(act: Callable[[], T]) -> T:
    """What `act` returns; its errors name entries of the list in the body."""
    try:
        return act()
    except ValidationFailed as error:
        raise ValidationFailed(
            FieldError(nested("/suggestions", e.field), e.reason) if e.field.startswith("/") else e
            for e in error.errors
        ) from None


def _decision(one: SuggestionDecision) -> dict[str, Any]:
    names = ("cell_id", "rule_id", "category", "verdict", "reason", "threat_id", "actor_id", "created_at")
    return {"id": one.pk, **{name: getattr(one, name) for name in names}}
