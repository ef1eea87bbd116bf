"""What a diagram says about each of its elements, as the conditions of rules see it. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from threatmodels.cells import label
from threatmodels.pictures.geometry import Box, Point, box_of, curved, line_points, meet, points_of

Cell = Mapping[str, Any]
Facts = dict[str, Any]
ELEMENTS = ("process", "datastore", "external_entity", "data_flow")


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """What rules need of an asset; levels and classification as they are stored."""

    key: str
    name: str = ""
    type: str = "data"
    criticality: str = ""
    sensitivity: str = ""
    classification: tuple[str, ...] = ()


# Facts that are said in the properties of an element, by the names of the properties.
FLAGS = {
    "signed": ("is_signed",),
    "authenticated": ("provides_authentication", "is_authenticated"),
    "authorized": ("checks_authorization",),
    "validated": ("validates_input",),
    "rate_limited": ("has_rate_limit",),
    "logged": ("is_logged",),
    "backed_up": ("has_backup",),
    "redundant": ("is_redundant",),
    "log": ("is_a_log",),
    "inventory": ("stores_inventory",),
    "web": ("is_web_application",),
    "card": ("handles_card_payment",),
    "goods": ("handles_goods_or_services",),
    "public": ("is_public_network",),
    "third_party": ("is_third_party",),
    "consent": ("has_consent",),
    "expires": ("has_retention_limit",),
    "explained": ("is_explained",),
    "supervised": ("has_human_oversight",),
    "tested": ("is_tested_for_bias",),
    "versioned": ("is_versioned",),
    "rebuilt": ("is_rebuilt_from_code",),
}
# Facts that are worked out. The type says how a condition may compare them.
WORKED_OUT: dict[str, type] = {
    "type": str,
    "protocol": str,
    "encrypted": bool,
    "plain": bool,
    "privileged": bool,
    "credentials": bool,
    "sensitive": bool,
    "critical": bool,
    "personal": bool,
    "secret": bool,
    "ai": bool,
    "human": bool,
    "device": bool,
    "crosses": bool,
    "bidirectional": bool,
    "inbound": int,
    "outbound": int,
    "from_external": bool,
    "to_external": bool,
    "from_human": bool,
    "to_human": bool,
    "from_outside": bool,
    "to_outside": bool,
    "from_ai": bool,
    "to_ai": bool,
    "uses_store": bool,
    "writes_log": bool,
    "shared": bool,
}
NAMES: dict[str, type] = {**dict.fromkeys(FLAGS, bool), **WORKED_OUT}

_SAFE = frozenset("https tls ssl mtls wss ssh sftp ftps ldaps imaps smtps amqps mqtts ipsec vpn quic".split())
_PLAIN = frozenset("http ftp telnet ldap smtp imap pop3 mqtt amqp resp ws snmp tftp udp tcp".split())
_AI = frozenset(
    "ai ml llm llms gpt model models inference embedding embeddings rag chatbot assistant classifier"
    " recommender training agentic".split()
)
_HUMAN = frozenset(
    "user users customer customers person people visitor patient citizen employee employees agent agents"
    " admin administrator operator analyst analysts member members buyer client browser owner student"
    " staff".split()
)
_DEVICE = frozenset(
    "iot sensor sensors device devices firmware controller plc camera thermostat meter".split()
)
_SECRETS = frozenset("secret secrets vault credential credentials password passwords key keys".split())
_HIGH = ("high", "very_high", "very high", "critical")
_PERSONAL = re.compile(r"\b(personal|pii|gdpr|health|hipaa|special category|biometric)\b", re.IGNORECASE)
_SENSITIVE = re.compile(
    r"\b(confidential|restricted|secret|personal|pii|pci|health|hipaa|sensitive)\b", re.IGNORECASE
)
_WORD = re.compile(r"[a-z0-9]+")


class DiagramFacts:
    """The facts of all elements of one diagram.

    `cells` are sound cells of the API; `assets` those of the threat model by id. Flows with a free end
    have an empty end. Facts that nobody stated are false: a rule asks for what is known to be there.
    """

    def __init__(self, cells: Sequence[Cell], assets: Mapping[str, AssetFacts] | None = None) -> None:
        self.cells = {cell["id"]: cell for cell in cells if cell["type"] != "text"}
        self.assets = assets or {}

    @cached_property
    def facts(self) -> dict[str, Facts]:
        """By cell id, of elements and flows; boundaries have none."""
        own = {pk: self._own(cell) for pk, cell in self.cells.items() if cell["type"] in ELEMENTS}
        for flow in self.flows:
            known = own[flow["id"]]
            known["crosses"] = bool(self.crossed(flow))
            known |= {end: own[pk] for end, pk in self.ends(flow).items() if pk in own}
        for pk, known in own.items():
            if known["type"] != "data_flow":
                known.update(self._around(pk, own))
        return own

    @cached_property
    def flows(self) -> list[Cell]:
        return [cell for cell in self.cells.values() if cell["type"] == "data_flow"]

    @cached_property
    def at(self) -> dict[str, list[tuple[Cell, str, bool, bool]]]:
        """For each element its flows: the flow, the other end, whether it comes in, whether it goes out."""
        found: dict[str, list[tuple[Cell, str, bool, bool]]] = defaultdict(list)
        for flow in self.flows:
            ends, both = self.ends(flow), bool(flow.get("bidirectional"))
            source, target = ends.get("source", ""), ends.get("target", "")
            if source:
                found[source].append((flow, target, both, True))
            if target:
                found[target].append((flow, source, True, both))
        return found

    def ends(self, flow: Cell) -> dict[str, str]:
        """The cells at the ends of a flow, as far as they are there."""
        named = {end: flow.get(end, {}).get("cell", "") for end in ("source", "target")}
        return {end: pk for end, pk in named.items() if pk in self.cells}

    def crossed(self, flow: Cell) -> set[str]:
        """The boundaries that enclose one end of a flow and not the other, and those lines that it meets."""
        ends = self.ends(flow)
        if len(ends) < 2:
            return set()
        course = self._course(flow)
        met = {pk for pk, line in self._lines.items() if meet(course, line)}
        return (self.enclosing[ends["source"]] ^ self.enclosing[ends["target"]]) | met

    def _course(self, flow: Cell) -> list[Point]:
        """From the middle of one end to that of the other; empty where an end has no place."""
        source, target = (self._boxes.get(flow[end]["cell"]) for end in ("source", "target"))
        if source is None or target is None:
            return []
        return [source.centre, *points_of(flow.get("vertices")), target.centre]

    @cached_property
    def enclosing(self) -> dict[str, set[str]]:
        """For each cell the boundaries around it: those that it is put into, and those in which it lies.

        A boundary that is a line is around nothing.
        """
        found = {pk: self._parents(pk) for pk in self.cells}
        for pk, box in self._boxes.items():
            found[pk] |= {
                boundary
                for boundary, around in self._boundaries.items()
                if boundary != pk and around.holds(box.centre)
            }
        return found

    @cached_property
    def _boxes(self) -> dict[str, Box]:
        return {pk: box for pk, cell in self.cells.items() if (box := box_of(cell)) is not None}

    @cached_property
    def _boundaries(self) -> dict[str, Box]:
        return {pk: box for pk, box in self._boxes.items() if self._is_boundary(pk) and pk not in self._lines}

    @cached_property
    def _lines(self) -> dict[str, list[Point]]:
        """The boundaries that are lines, as they are drawn."""
        boxes = {pk: box for pk, box in self._boxes.items() if self._is_boundary(pk)}
        lines = {pk: line_points(self.cells[pk], box) for pk, box in boxes.items()}
        return {pk: curved(points) for pk, points in lines.items() if len(points) > 1}

    def _is_boundary(self, pk: str) -> bool:
        return self.cells[pk]["type"] == "trust_boundary"

    def _parents(self, pk: str) -> set[str]:
        found: set[str] = set()
        at = self.cells[pk].get("parent", "")
        while at in self.cells and at not in found:
            found.add(at)
            at = self.cells[at].get("parent", "")
        return {one for one in found if self._is_boundary(one) and one not in self._lines}

    # -- one element

    def _own(self, cell: Cell) -> Facts:
        properties = cell["properties"]
        known: Facts = {name: kind() for name, kind in WORKED_OUT.items()}
        known |= {fact: any(_is_true(properties.get(p)) for p in names) for fact, names in FLAGS.items()}
        words = _words_of(properties)
        known |= {
            "type": cell["type"],
            "words": words,
            "bidirectional": bool(cell.get("bidirectional")),
            "protocol": _text(properties.get("protocol")).lower(),
            "privileged": _text(properties.get("privilege_level")).lower() not in ("", "none", "low"),
            "ai": _said(properties, "is_ai", words & _AI),
            "human": _said(properties, "is_human", cell["type"] == "external_entity" and words & _HUMAN),
            "device": _said(properties, "is_device", words & _DEVICE),
            **_cipher(properties),
        }
        return known | self._worth(cell, words)

    def _worth(self, cell: Cell, words: frozenset[str]) -> Facts:
        """What the assets of an element make of it."""
        properties = cell["properties"]
        assets = [self.assets[pk] for pk in cell.get("data_asset_ids", ()) if pk in self.assets]
        data = [asset for asset in assets if asset.type == "data"]
        classes = " ; ".join(entry for asset in data for entry in asset.classification)
        credentials = _said(properties, "stores_credentials", any(_names_secret(a) for a in data))
        personal = _is_true(properties.get("has_personal_data")) or bool(_PERSONAL.search(classes))
        high = any(a.sensitivity.lower() in _HIGH or a.criticality.lower() in _HIGH for a in data)
        card = _is_true(properties.get("handles_card_payment"))
        return {
            "credentials": credentials,
            "personal": personal,
            "secret": credentials or (cell["type"] == "datastore" and bool(words & {"vault", "secrets"})),
            "sensitive": personal or credentials or card or high or bool(_SENSITIVE.search(classes)),
            "critical": any(a.criticality.lower() in _HIGH for a in assets),
        }

    def _around(self, pk: str, own: Mapping[str, Facts]) -> Facts:
        """What the flows of an element make of it. A flow out of scope still tells who is there."""
        into = [(flow, own.get(other, {})) for flow, other, comes, _ in self.at[pk] if comes]
        out = [(flow, own.get(other, {})) for flow, other, _, goes in self.at[pk] if goes]
        return {
            "inbound": len(into),
            "outbound": len(out),
            "crosses": any(own[flow["id"]]["crosses"] for flow, _ in into + out),
            "from_outside": any(own[flow["id"]]["crosses"] for flow, _ in into),
            "to_outside": any(own[flow["id"]]["crosses"] for flow, _ in out),
            "from_external": _any(into, "type", "external_entity"),
            "to_external": _any(out, "type", "external_entity"),
            "from_human": _any(into, "human", True),
            "to_human": _any(out, "human", True),
            "from_ai": _any(into, "ai", True),
            "to_ai": _any(out, "ai", True),
            "uses_store": _any(into + out, "type", "datastore"),
            "writes_log": any(own[pk]["logged"] or other.get("log") for _, other in out),
            "shared": len({other for _, other, _, _ in self.at[pk] if other}) > 1,
        }


def _any(flows: Iterable[tuple[Cell, Facts]], name: str, value: object) -> bool:
    return any(other.get(name) == value for _, other in flows)


def _is_true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in {"true", "yes"})


def _said(properties: Mapping[str, Any], name: str, guessed: object) -> bool:
    """What a property says, and where it says nothing, what was guessed."""
    return _is_true(properties[name]) if name in properties else bool(guessed)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _words_of(properties: Mapping[str, Any]) -> frozenset[str]:
    texts = (properties.get(name) for name in ("label", "technology", "protocol"))
    return frozenset(_WORD.findall(" ".join(_text(text) for text in texts).lower()))


def _cipher(properties: Mapping[str, Any]) -> Facts:
    """Whether something is known to be encrypted, or known not to be; the protocol tells where nobody did."""
    stated = properties.get("is_encrypted")
    words = frozenset(_WORD.findall(_text(properties.get("protocol")).lower()))
    safe = _is_true(stated) if stated is not None else bool(words & _SAFE)
    return {"encrypted": safe, "plain": stated is False or (not safe and bool(words & _PLAIN))}


def _names_secret(asset: AssetFacts) -> bool:
    return bool(frozenset(_WORD.findall(asset.name.lower())) & _SECRETS) or any(
        entry.lower() == "secret" for entry in asset.classification
    )


def name_of(cell: Cell, cells: Mapping[str, Cell]) -> str:
    """What an element is called in a sentence: its label in one line, or what it is."""
    text = " ".join(label(cell).split())
    if text:
        return text
    if cell["type"] == "data_flow":
        ends = [cells.get(cell.get(end, {}).get("cell", "")) for end in ("source", "target")]
        named = [" ".join(label(end).split()) for end in ends if end is not None]
        if len(named) == 2 and all(named):
            return f"{named[0]} → {named[1]}"
    return UNNAMED.get(cell["type"], "element")


UNNAMED = {
    "process": "unnamed process",
    "datastore": "unnamed data store",
    "external_entity": "unnamed external entity",
    "data_flow": "unnamed flow",
    "trust_boundary": "unnamed boundary",
}
