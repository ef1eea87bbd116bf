"""Our own JSON: the neutral document as it is, under a version; read strictly."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any

from threatmodels.cells import as_kept, validate_cells
from threatmodels.interchange.document import (
    METADATA_ENTRIES,
    METADATA_KEY_LENGTH,
    METADATA_VALUE_LENGTH,
    REASON_LENGTH,
    RULE_LENGTH,
    THREAT_TYPE_LENGTH,
    Asset,
    Decision,
    Document,
    Threat,
    count,
)
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.plain import mapping
from threatmodels.interchange.report import ImportReport, Reading
from threatmodels.interchange.source import Source
from threatmodels.rules import METADATA_KEY
from tmi.lib.ids import parse_id
from tmi.lib.text import CONTROL_BUT_TAB_AND_NEWLINE

KIND = "tmi"
FORMAT = "tmi-threat-model"
VERSION = 1
# Whose the model is does not travel: it belongs to whoever imports it.
NOT_WRITTEN = frozenset(["owner_label"])


def read(source: Source) -> Reading:
    """The model in JSON whose `format` is ours; raises UnreadableFile that names the first wrong place."""
    value = mapping(source.json)
    if value.get("version") != VERSION:
        raise UnreadableFile(
            f"This is version {VERSION}; the file says “version”: {value.get('version')!r:.40}."
        )
    document = _in_small_letters(_built(Document, value.get("threat_model"), "/threat_model"))
    _check_references(document)
    report = ImportReport(KIND, counts=count(document))
    for key in source.duplicate_keys:
        report.change("threat model", f"The key “{key[:60]}” stands twice in one place; the last one counts.")
    return Reading(document, report)


def write(document: Document) -> bytes:
    """UTF-8 JSON, indented, keys sorted: the same model always gives the same bytes, apart from its ids."""
    value = {"format": FORMAT, "version": VERSION, "threat_model": _plain(document)}
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True).encode()


def schema() -> dict[str, Any]:
    """The JSON Schema of what is written; cells have a schema of their own in the API."""
    definitions: dict[str, Any] = {}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Threat model of TMI",
        "type": "object",
        "required": ["format", "version", "threat_model"],
        "additionalProperties": False,
        "properties": {
            "format": {"const": FORMAT},
            "version": {"const": VERSION},
            "threat_model": _schema_of(Document, definitions),
        },
        "$defs": definitions,
    }


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in dataclasses.fields(value) if field.name not in NOT_WRITTEN)
        plain = {name: _plain(getattr(value, name)) for name in names}
        # Most have none, and earlier versions do not know it.
        return plain if plain.get("empty") else {n: v for n, v in plain.items() if n != "empty"}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return f"{value:f}" if isinstance(value, Decimal) else value


def _built(kind: type, value: Any, at: str) -> Any:
    """A dataclass of a JSON object: every field without a default is there, and none that is unknown."""
    if not isinstance(value, dict):
        raise UnreadableFile(f"{at}: an object is expected.")
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.name not in NOT_WRITTEN}
    for name in value:
        if name not in fields:
            raise UnreadableFile(f"{at}/{name[:60]}: this field is not known.")
    for name, field in fields.items():
        no_default = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if no_default and name not in value:
            raise UnreadableFile(f"{at}/{name}: this field is required.")
    built = kind(**{name: _typed(hints[name], item, f"{at}/{name}") for name, item in value.items()})
    for name in getattr(built, "empty", ()):
        if name not in fields:
            raise UnreadableFile(f"{at}/empty: {name[:60]!r} is no field here.")
    return built


def _typed(hint: Any, value: Any, at: str) -> Any:
    options = typing.get_args(hint) if typing.get_origin(hint) in {types.UnionType, typing.Union} else (hint,)
    if value is None and type(None) in options:
        return None
    wanted = next(option for option in options if option is not type(None))
    origin, inner = typing.get_origin(wanted) or wanted, typing.get_args(wanted)
    if dataclasses.is_dataclass(wanted):
        return _built(typing.cast(type, wanted), value, at)
    if origin is Decimal:
        return _decimal(value, at)
    if wanted is Any:
        return _clean(value, at)
    if origin is list and isinstance(value, list):
        return [_typed(inner[0], item, f"{at}/{index}") for index, item in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {_clean(k, at): _typed(inner[1], item, f"{at}/{k[:60]}") for k, item in value.items()}
    if isinstance(origin, type) and type(value) is origin:
        return _clean(value, at)
    raise UnreadableFile(f"{at}: {NAMES.get(origin, 'another value')} is expected.")


NAMES = {str: "text", bool: "true or false", list: "a list", dict: "an object"}


def _clean(value: Any, at: str) -> Any:
    """Any JSON whose texts the database takes; it is never nested deeply, for the file was not."""
    if isinstance(value, str) and CONTROL_BUT_TAB_AND_NEWLINE.search(value):
        raise UnreadableFile(f"{at}: control characters other than tab and newline are not allowed.")
    for key, item in value.items() if isinstance(value, dict) else ():
        _clean(key, at)
        _clean(item, f"{at}/{key[:60]}")
    for index, item in enumerate(value) if isinstance(value, list) else ():
        _clean(item, f"{at}/{index}")
    return value


def _decimal(value: Any, at: str) -> Decimal:
    try:
        number = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or not 0 <= number <= 10:
        raise UnreadableFile(f"{at}: a number from 0 to 10, written as text, is expected.")
    return number


def _in_small_letters(document: Document) -> Document:
    """With the ids of cells as they are kept; a file that is older than that rule may have capitals."""
    diagrams = [
        dataclasses.replace(
            diagram,
            cells=[as_kept(cell) for cell in diagram.cells],
            cell_metadata={pk.lower(): entries for pk, entries in diagram.cell_metadata.items()},
            decisions=[dataclasses.replace(one, cell_id=one.cell_id.lower()) for one in diagram.decisions],
        )
        for diagram in document.diagrams
    ]
    threats = [
        dataclasses.replace(threat, cell_id=threat.cell_id.lower()) if threat.cell_id else threat
        for threat in document.threats
    ]
    return dataclasses.replace(document, diagrams=diagrams, threats=threats)


def _check_references(document: Document) -> None:
    """Everything that is named is there, once, and cells are what a diagram takes."""
    _refuse_twice("assets", [asset.key for asset in document.assets])
    _refuse_twice("diagrams", [diagram.key for diagram in document.diagrams])
    assets = {asset.key for asset in document.assets}
    for index, asset in enumerate(document.assets):
        _check_key(asset, index)
    for index, diagram in enumerate(document.diagrams):
        at = f"/threat_model/diagrams/{index}"
        for problem in validate_cells(diagram.cells, asset_ids=assets):
            raise UnreadableFile(f"{at}/cells{problem.pointer}: {problem.reason}")
        ids = {cell["id"] for cell in diagram.cells}
        for key in diagram.cell_metadata:
            if key not in ids:
                raise UnreadableFile(f"{at}/cell_metadata: there is no cell {key[:60]}.")
    _check_metadata(document)
    cells = {diagram.key: {cell["id"] for cell in diagram.cells} for diagram in document.diagrams}
    for index, threat in enumerate(document.threats):
        _check_threat(threat, f"/threat_model/threats/{index}", cells, assets)
    _check_decisions(document, cells)


def _check_metadata(document: Document) -> None:
    """Keys, values and numbers of entries are what the table of metadata takes."""
    sections: dict[str, list[Any]] = {
        "diagrams": document.diagrams,
        "threats": document.threats,
        "assets": document.assets,
        "documents": document.documents,
        "notes": document.notes,
        "repositories": document.repositories,
    }
    places = [("/threat_model/metadata", document.metadata)]
    places += [
        (f"/threat_model/{section}/{index}/metadata", item.metadata)
        for section, items in sections.items()
        for index, item in enumerate(items)
    ]
    places += [
        (f"/threat_model/diagrams/{index}/cell_metadata/{cell}", entries)
        for index, diagram in enumerate(document.diagrams)
        for cell, entries in diagram.cell_metadata.items()
    ]
    for at, entries in places:
        if len(entries) > METADATA_ENTRIES:
            raise UnreadableFile(f"{at}: at most {METADATA_ENTRIES} entries are allowed.")
        for key, value in entries.items():
            if not METADATA_KEY.fullmatch(key) or len(key) > METADATA_KEY_LENGTH:
                raise UnreadableFile(f"{at}: {key[:60]!r} is no key of metadata.")
            if not value.strip() or len(value) > METADATA_VALUE_LENGTH:
                raise UnreadableFile(
                    f"{at}/{key}: text of 1 to {METADATA_VALUE_LENGTH} characters is expected."
                )


def _check_key(asset: Asset, index: int) -> None:
    if str(parse_id(asset.key)) != asset.key:
        raise UnreadableFile(f"/threat_model/assets/{index}/key: a UUID in small letters is expected.")


def _check_threat(threat: Threat, at: str, cells: dict[str, set[str]], assets: set[str]) -> None:
    if threat.diagram_key is not None and threat.diagram_key not in cells:
        raise UnreadableFile(f"{at}/diagram_key: there is no such diagram in the file.")
    if threat.cell_id is not None and threat.cell_id not in cells.get(threat.diagram_key or "", set()):
        raise UnreadableFile(f"{at}/cell_id: there is no such cell in the diagram.")
    if threat.asset_key is not None and threat.asset_key not in assets:
        raise UnreadableFile(f"{at}/asset_key: there is no such asset in the file.")


def _check_decisions(document: Document, cells: dict[str, set[str]]) -> None:
    threats = Counter(threat.key for threat in document.threats)
    for index, diagram in enumerate(document.diagrams):
        at = f"/threat_model/diagrams/{index}/decisions"
        known: set[tuple[str, str, str]] = set()
        for place, one in enumerate(diagram.decisions):
            _check_decision(one, f"{at}/{place}", cells[diagram.key], threats)
            about = (one.cell_id, one.rule_id, one.category)
            if about in known:
                raise UnreadableFile(f"{at}/{place}: this has been decided above.")
            known.add(about)


def _check_decision(one: Decision, at: str, cells: set[str], threats: Counter[str]) -> None:
    if one.cell_id not in cells:
        raise UnreadableFile(f"{at}/cell_id: there is no such cell in the diagram.")
    if not one.category.strip() or len(one.category) > THREAT_TYPE_LENGTH:
        raise UnreadableFile(f"{at}/category: text of 1 to {THREAT_TYPE_LENGTH} characters is expected.")
    if len(one.rule_id) > RULE_LENGTH:
        raise UnreadableFile(f"{at}/rule_id: text of at most {RULE_LENGTH} characters is expected.")
    if len(one.reason) > REASON_LENGTH:
        raise UnreadableFile(f"{at}/reason: text of at most {REASON_LENGTH} characters is expected.")
    if one.verdict == "accepted":
        if one.threat_key is None or threats[one.threat_key] != 1:
            raise UnreadableFile(f"{at}/threat_key: one threat of the file is expected.")
    elif one.verdict != "not_applicable":
        raise UnreadableFile(f"{at}/verdict: accepted or not_applicable is expected.")
    elif one.threat_key is not None or not one.reason.strip():
        raise UnreadableFile(f"{at}: what does not apply has a reason and no threat.")


def _refuse_twice(section: str, keys: list[str]) -> None:
    for key, times in Counter(keys).items():
        if times > 1:
            raise UnreadableFile(f"/threat_model/{section}: {key[:60]!r} stands there twice.")


def _schema_of(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a type; dataclasses become definitions."""
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        return {"anyOf": [_schema_of(option, definitions) for option in typing.get_args(hint)]}
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _object_of(typing.cast(type, hint), definitions)
    if origin is list:
        return {"type": "array", "items": _schema_of(inner[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema_of(inner[1], definitions)}
    if origin is Decimal:
        return {"type": "string", "pattern": r"^(10(\.0+)?|[0-9](\.[0-9]+)?)$"}
    return {str: {"type": "string"}, bool: {"type": "boolean"}, type(None): {"type": "null"}}.get(origin, {})


def _object_of(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    name = kind.__name__
    if name not in definitions:
        definitions[name] = {}
        hints = typing.get_type_hints(kind)
        fields = [field for field in dataclasses.fields(kind) if field.name not in NOT_WRITTEN]
        definitions[name] = {
            "type": "object",
            "additionalProperties": False,
            "properties": {field.name: _schema_of(hints[field.name], definitions) for field in fields},
        }
    return {"$ref": f"#/$defs/{name}"}
