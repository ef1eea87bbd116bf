"""AWS Threat Composer: threat statements, mitigations and assumptions; its diagrams are pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from threatmodels.interchange.assembly import Assembly
from threatmodels.interchange.document import NAME_LENGTH
from threatmodels.interchange.plain import mapping, sequence
from threatmodels.interchange.report import Reading
from threatmodels.interchange.source import Source

KIND = "threat-composer"
Json = dict[str, Any]
STATES = {
    "threatidentified": ("Open", False),
    "threatresolved": ("Resolved", True),
    "threatresolvednotuseful": ("Not applicable", False),
}
STRIDE = {
    "S": "Spoofing",
    "T": "Tampering",
    "R": "Repudiation",
    "I": "Information disclosure",
    "D": "Denial of service",
    "E": "Elevation of privilege",
}
DONE = {"mitigationIdentified": "identified", "mitigationInProgress": "in progress",
        "mitigationResolved": "done", "mitigationResolvedWillNotAction": "will not be done"}  # fmt: skip
KEPT = (
    "threatSource",
    "prerequisites",
    "threatAction",
    "threatImpact",
    "impactedGoal",
    "impactedAssets",
    "tags",
)


def read(source: Source) -> Reading:
    """The workspace in JSON with `applicationInfo` or links between its parts."""
    return Reader(source).reading()


class Reader:
    """One workspace: what threats are linked to first, then the threats."""

    def __init__(self, source: Source) -> None:
        self._value = mapping(source.json)
        self._file = Assembly(source, KIND)
        self._mitigations = {str(m.get("id")): m for m in self._list("mitigations")}
        self._assumptions = {str(a.get("id")): a for a in self._list("assumptions")}
        self._linked = self._links("mitigationLinks", "mitigationId")
        self._assumed = self._links("assumptionLinks", "assumptionId")

    def reading(self) -> Reading:
        for threat in self._list("threats"):
            self._threat(threat)
        self._notes()
        info = mapping(self._value.get("applicationInfo"))
        return self._file.reading(
            name=info.get("name"),
            description=info.get("description"),
            metadata=[("threat_composer_schema", self._value.get("schema"))],
        )

    def _list(self, key: str) -> list[Json]:
        return self._file.objects(self._value, key)

    def _links(self, key: str, end: str) -> dict[str, list[str]]:
        """The mitigations or assumptions by what they are linked to."""
        found: dict[str, list[str]] = defaultdict(list)
        for link in self._list(key):
            found[str(link.get("linkedId"))].append(str(link.get(end)))
        return found

    def _threat(self, threat: Json) -> None:
        ref = str(threat.get("id"))
        statement = threat.get("statement")
        sentence = statement.strip() if isinstance(statement, str) else ""
        pairs = _metadata(threat)
        letters = [str(letter) for letter in sequence(pairs.get("STRIDE"))]
        status, mitigated = STATES.get(str(threat.get("status")).lower(), ("Open", False))
        assets = [self._asset(name) for name in sequence(threat.get("impactedAssets")) if _is_name(name)]
        priority = pairs.get("Priority")
        self._file.threat(
            _shortened(sentence) or threat.get("threatAction"),
            asset=next(iter(assets), None),
            type=STRIDE.get(letters[0][:1].upper(), letters[0]) if letters else None,
            framework="STRIDE",
            description=_paragraphs(sentence, pairs.get("Comments")),
            mitigation=self._mitigation_text(ref),
            severity=priority.lower() if isinstance(priority, str) else None,
            priority=priority if isinstance(priority, str) else "Medium",
            status=status,
            mitigated=mitigated,
            metadata=self._kept(threat, ref, letters),
        )

    def _asset(self, name: str) -> str:
        """The key of an asset that threats name, made when the first of them does."""
        return self._file.asset_key(name) or self._file.asset(name, name)

    def _mitigation_text(self, ref: str) -> str:
        return "\n".join(self._with_assumptions(one) for one in self._linked[ref] if one in self._mitigations)

    def _with_assumptions(self, ref: str) -> str:
        """A mitigation, and below it what it assumes."""
        assumed = [self._assumptions[one] for one in self._assumed[ref] if one in self._assumptions]
        lines = [_described(self._mitigations[ref]), *(f"  Assumption: {_described(one)}" for one in assumed)]
        return "- " + "\n".join(lines)

    def _kept(self, threat: Json, ref: str, letters: list[str]) -> Iterator[tuple[str, object]]:
        yield "threat_composer_id", threat.get("id")
        yield "threat_composer_number", threat.get("numericId")
        yield "threat_composer_stride", "".join(letters)
        for key in KEPT:
            value = threat.get(key)
            yield key, "\n".join(map(str, value)) if isinstance(value, list) else value
        known = [self._assumptions[one] for one in self._assumed[ref] if one in self._assumptions]
        yield "assumptions", "\n".join(str(one.get("content") or "").strip() for one in known)
        for key, value in _metadata(threat).items():
            if key not in {"STRIDE", "Priority", "Comments"}:
                yield f"threat_composer_{key}", value

    def _notes(self) -> None:
        for key, title in (("architecture", "Architecture"), ("dataflow", "Data flow")):
            section = mapping(self._value.get(key))
            self._file.note(title, section.get("description"))
            if section.get("image"):
                self._file.report.leave_out(title.lower(), "Its diagram is a picture, which cannot be kept.")
        assumptions = [f"- {_described(one)}" for one in self._assumptions.values()]
        self._file.note("Assumptions", "\n".join(assumptions))
        used = {one for ids in self._linked.values() for one in ids}
        unused = [self._with_assumptions(ref) for ref in self._mitigations if ref not in used]
        self._file.note("Mitigations without a threat", "\n".join(unused))


def _metadata(thing: Json) -> Json:
    pairs = (mapping(pair) for pair in sequence(thing.get("metadata")))
    return {str(pair.get("key")): pair.get("value") for pair in pairs}


def _described(thing: Json) -> str:
    """A mitigation or an assumption in one line, with its state and what was remarked."""
    state = DONE.get(str(thing.get("status")), "")
    comment = _metadata(thing).get("Comments")
    text = " ".join(str(thing.get("content") or "").split())
    remark = f" — {' '.join(comment.split())}" if isinstance(comment, str) and comment.strip() else ""
    return f"{text}{f' ({state})' if state else ''}{remark}"


def _paragraphs(*texts: object) -> str:
    return "\n\n".join(text.strip() for text in texts if isinstance(text, str) and text.strip())


def _shortened(sentence: str) -> str:
    """A statement as a name: whole where it fits, for the description has it all."""
    line = " ".join(sentence.split())
    return line if len(line) <= NAME_LENGTH else f"{line[: NAME_LENGTH - 1].rsplit(' ', 1)[0]}…"


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
