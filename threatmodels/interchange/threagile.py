"""Threagile: YAML of technical assets with links between them, in boundaries that list what is inside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from threatmodels.interchange.assembly import Assembly
from threatmodels.interchange.canvas import Canvas
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.html_text import html_text
from threatmodels.interchange.intake import quoted
from threatmodels.interchange.plain import mapping, sequence
from threatmodels.interchange.report import Reading
from threatmodels.interchange.source import Source

KIND = "threagile"
Json = dict[str, Any]
TYPES = {"external-entity": "external_entity", "process": "process", "datastore": "datastore"}
SEVERITIES = {"elevated": "high"}
LIKELIHOODS = {"unlikely": "low", "likely": "medium", "very-likely": "high", "frequent": "very_high"}
# Sections of texts by heading, each of which becomes a note.
TEXTS = ("questions", "abuse_cases", "security_requirements", "risk_tracking")
KNOWN = frozenset(
    "id description type out_of_scope justification_out_of_scope communication_links data_assets_processed"
    " data_assets_stored data_assets_sent data_assets_received target encryption protocol"
    " technical_assets_inside trust_boundaries_nested".split()
)
TOP = frozenset(
    "title data_assets technical_assets trust_boundaries individual_risk_categories tags_available"
    " business_overview technical_overview management_summary_comment author".split()
) | frozenset(TEXTS)
# Protocols that encrypt what they carry.
ENCRYPTED = re.compile(r"https|wss|ssh|sftp|ftps|-encrypted|ldaps|smtp-encrypted|binary-encrypted")


def read(source: Source) -> Reading:
    """The model in YAML with `threagile_version`."""
    value = source.tree
    if not isinstance(value, dict) or "threagile_version" not in value:
        raise UnreadableFile("The file is no Threagile model: it has no threagile_version.")
    return Reader(source, value).reading()


class Reader:
    """One file. Things are named by the keys they stand under, and referred to by their ids."""

    def __init__(self, source: Source, value: Json) -> None:
        self._file = Assembly(source, KIND)
        self._value = value
        self._canvas: Canvas | None = None

    def reading(self) -> Reading:
        for name, asset in self._section("data_assets"):
            self._asset(name, asset)
        canvas = self._file.canvas(self._value.get("title") or "Architecture")
        self._boundaries(canvas)
        for name, asset in self._section("technical_assets"):
            self._element(canvas, name, asset)
        for name, asset in self._section("technical_assets"):
            for title, link in self._entries(asset, "communication_links", name):
                self._link(canvas, str(asset.get("id")), title, link)
        for name, category in self._section("individual_risk_categories"):
            self._risks(canvas, name, category)
        self._notes()
        author = mapping(self._value.get("author"))
        return self._file.reading(
            name=self._value.get("title"),
            description=_prose(mapping(self._value.get("business_overview")).get("description")),
            owner=author.get("name"),
            metadata=[
                ("owner", author.get("name")),
                ("author", author),
                *((f"threagile_{k}", v) for k, v in self._value.items() if k not in TOP),
            ],
        )

    def _section(self, key: str) -> Iterator[tuple[str, Json]]:
        return self._entries(self._value, key, "threat model")

    def _entries(self, holder: Json, key: str, where: str) -> Iterator[tuple[str, Json]]:
        """The entries of a mapping by name; what is none is reported."""
        given = holder.get(key)
        if given is not None and not isinstance(given, dict):
            self._file.report.leave_out(where, f"Its {key.replace('_', ' ')} are not entries by name.")
        for name, entry in mapping(given).items():
            if isinstance(entry, dict):
                yield name, entry
            else:
                self._file.report.leave_out(key, f"The entry {quoted(name)} says nothing.")

    def _asset(self, name: str, asset: Json) -> None:
        known = {"id", "description", "confidentiality", "tags"}
        self._file.asset(
            str(asset.get("id")),
            name,
            description=_prose(asset.get("description")),
            criticality=asset.get("availability"),
            sensitivity=asset.get("confidentiality"),
            classification=_texts(asset.get("tags")),
            metadata=[
                ("threagile_id", asset.get("id")),
                *((f"threagile_{key}", _prose(item)) for key, item in asset.items() if key not in known),
            ],
        )

    def _boundaries(self, canvas: Canvas) -> None:
        """Boundaries list what is in them; an element is in the first that lists it."""
        self._holders: dict[str, str] = {}
        boundaries = list(self._section("trust_boundaries"))
        for _name, boundary in boundaries:
            own = f"boundary {boundary.get('id')}"
            for ref in _texts(boundary.get("technical_assets_inside")):
                self._holders.setdefault(ref, own)
            for ref in _texts(boundary.get("trust_boundaries_nested")):
                self._holders.setdefault(f"boundary {ref}", own)
        for name, boundary in boundaries:
            ref = f"boundary {boundary.get('id')}"
            canvas.add(
                ref,
                "trust_boundary",
                label=name,
                description=_prose(boundary.get("description")),
                own=_own(boundary),
                parent=self._holders.get(ref),
            )

    def _element(self, canvas: Canvas, name: str, asset: Json) -> None:
        given, ref = str(asset.get("type")), str(asset.get("id"))
        if given not in TYPES:
            where = f"{canvas.where}, {quoted(name)}"
            self._file.report.change(where, f"Its type {quoted(given)} is not known; it is a process.")
        encryption = asset.get("encryption")
        draft = canvas.add(
            ref,
            TYPES.get(given, "process"),
            label=name,
            description=_prose(asset.get("description")),
            reason=_prose(asset.get("justification_out_of_scope")),
            properties={"is_encrypted": encryption != "none"} if isinstance(encryption, str) else {},
            own={**_own(asset), "encryption": encryption},
            parent=self._holders.get(ref),
            more={"out_of_scope": True} if asset.get("out_of_scope") is True else {},
        )
        used = [*_texts(asset.get("data_assets_processed")), *_texts(asset.get("data_assets_stored"))]
        if keys := self._file.asset_keys(used, element=draft.title):
            draft.more["data_asset_ids"] = keys

    def _link(self, canvas: Canvas, source: str, title: str, link: Json) -> None:
        protocol = str(link.get("protocol") or "")
        draft = canvas.add(
            f"{source}>{_slug(title)}",
            "data_flow",
            label=title,
            description=_prose(link.get("description")),
            properties={"protocol": protocol, "is_encrypted": bool(ENCRYPTED.search(protocol))},
            own=_own(link),
            source=source,
            target=str(link.get("target")),
        )
        used = [*_texts(link.get("data_assets_sent")), *_texts(link.get("data_assets_received"))]
        if keys := self._file.asset_keys(used, element=draft.title):
            draft.more["data_asset_ids"] = keys

    def _risks(self, canvas: Canvas, name: str, category: Json) -> None:
        known = {"description", "mitigation", "stride", "cwe", "risks_identified", "id"}
        shared = [(f"threagile_{k}", _prose(v)) for k, v in category.items() if k not in known]
        for title, risk in self._entries(category, "risks_identified", name):
            severity = str(risk.get("severity") or "")
            likelihood = str(risk.get("exploitation_likelihood") or "")
            self._file.threat(
                html_text(title),
                on=canvas,
                ref=self._place(canvas, risk),
                asset=self._file.asset_key(risk.get("most_relevant_data_asset")),
                type=str(category.get("stride") or "").replace("-", " "),
                framework="STRIDE",
                description=_prose(category.get("description")),
                mitigation=_prose(category.get("mitigation")),
                severity=SEVERITIES.get(severity, severity),
                likelihood=LIKELIHOODS.get(likelihood, likelihood),
                cwes=[category["cwe"]] if category.get("cwe") else [],
                metadata=[
                    ("threagile_category", name),
                    *shared,
                    *((f"threagile_{key}", item) for key, item in risk.items()),
                ],
            )

    def _place(self, canvas: Canvas, risk: Json) -> str | None:
        """The name of the element that a risk is about, the most exact first."""
        link, asset = risk.get("most_relevant_communication_link"), risk.get("most_relevant_technical_asset")
        boundary = risk.get("most_relevant_trust_boundary")
        refs = [link, asset, f"boundary {boundary}" if boundary else None]
        return next((ref for ref in refs if canvas.draft_of(ref) is not None), None)

    def _notes(self) -> None:
        for key in TEXTS:
            entries = mapping(self._value.get(key)).items()
            lines = [f"## {name}\n\n{_prose(_line(entry)) or '(no answer)'}" for name, entry in entries]
            self._file.note(key.replace("_", " ").capitalize(), "\n\n".join(lines))
        overview = mapping(self._value.get("technical_overview")).get("description")
        self._file.note("Technical overview", _prose(overview))
        self._file.note("Management summary", _prose(self._value.get("management_summary_comment")))


def _own(entry: Json) -> Json:
    found = {key: item for key, item in entry.items() if key not in KNOWN}
    return {"id": entry.get("id"), "type": entry.get("type"), **found}


def _line(entry: object) -> object:
    """An entry of several values as lines, a text as it is."""
    if isinstance(entry, dict):
        return "\n".join(
            f"{key.replace('_', ' ')}: {item}" for key, item in entry.items() if item is not None
        )
    return entry


def _prose(value: object) -> object:
    return html_text(value).strip() if isinstance(value, str) else value


def _texts(items: object) -> list[str]:
    return [item for item in sequence(items) if isinstance(item, str)]


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
