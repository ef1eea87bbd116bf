"""Which kind of file this is, told by what is in it; the name counts for nothing."""

from __future__ import annotations

import re
from typing import Any

from threatmodels.interchange import csv_threats, threat_dragon, tmi
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.limits import Limits
from threatmodels.interchange.plain import mapping
from threatmodels.interchange.source import Source

# Each kind by the name that exports use, with what a person calls it.
TITLES = {
    "threat-dragon": "OWASP Threat Dragon (JSON)",
    "tm7": "Microsoft Threat Modeling Tool (.tm7)",
    "otm": "Open Threat Model (JSON or YAML)",
    "tm-bom": "OWASP TM-BOM (JSON)",
    "drawio": "draw.io (XML)",
    "pytm": "pytm (JSON)",
    "threagile": "Threagile (YAML)",
    "threat-composer": "AWS Threat Composer (JSON)",
    "tmi": "TMI (JSON)",
    "csv": "Table of threats (CSV)",
    "xlsx": "Table of threats (Excel)",
}
XML_ROOTS = {"mxfile": "drawio", "mxGraphModel": "drawio", "ThreatModel": "tm7"}
YAML_KEYS = {"otmVersion": "otm", "threagile_version": "threagile"}

# What may stand before the first element, bounded because it is looked for in anything.
PROLOGUE = 65_536
XML_NAME = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
# Of the outermost mapping: keys begin where its first one does.
YAML_KEY = rf"""["']?({"|".join(YAML_KEYS)})["']?\s*:"""
YAML_FLOW_KEY = re.compile(rf"[{{,]\s*{YAML_KEY}")
YAML_START = re.compile(r"^([ \t]*)(?![ \t]|\r?$|#|%|---)", re.MULTILINE)


def recognise(data: bytes, filename: str = "", limits: Limits | None = None) -> str:
    """The kind of the file, a key of TITLES; "" for a sound file of no kind that is known here.

    Raises UnreadableFile for what is empty, too large, no text, or broken JSON.
    """
    return recognise_source(Source(data, filename, limits or Limits()))


def recognise_source(source: Source) -> str:
    """As `recognise`, for a file that is open already."""
    if source.data.startswith(b"PK\x03\x04"):
        return "xlsx" if b"xl/workbook" in source.data else ""
    try:
        start = source.text.lstrip()[:PROLOGUE]
    except UnreadableFile:
        if csv_threats.is_windows(source):
            return csv_threats.KIND
        raise
    if start.startswith(("{", "[")):
        return _json_kind(source.json) if not _is_flow(source) else _yaml_kind(source.tree)
    if start.startswith("<"):
        return _xml_kind(start)
    begin = YAML_START.search(source.text)
    key = re.search(f"^{begin[1]}{YAML_KEY}", source.text, re.MULTILINE) if begin else None
    if key:
        return YAML_KEYS[key[1]]
    return csv_threats.KIND if csv_threats.matches(source.text) else ""


def _is_flow(source: Source) -> bool:
    """Whether a file that begins like JSON is YAML of a kind that is known here."""
    try:
        return not isinstance(source.json, dict | list)
    except UnreadableFile:
        if YAML_FLOW_KEY.search(source.text):
            return True
        raise


def _yaml_kind(value: Any) -> str:
    return next((kind for key, kind in YAML_KEYS.items() if key in mapping(value)), "")


def _xml_kind(start: str) -> str:
    root = XML_NAME.match(start, _first_element(start))
    return XML_ROOTS.get(root[1], "") if root else ""


def _first_element(start: str) -> int:
    """Where the first tag begins that is no declaration, instruction or comment; else the end of the text."""
    at = 0
    while start.startswith(("<!", "<?"), at):
        closing = start.find("-->" if start.startswith("<!--", at) else ">", at)
        following = start.find("<", closing)
        if closing < 0 or following < 0:
            return len(start)
        at = following
    return at


def _json_kind(value: Any) -> str:
    found = mapping(value)
    if _is_schema(found):
        raise UnreadableFile("The file is a JSON Schema, which describes models but is none.")
    if found.get("format") == tmi.FORMAT:
        return tmi.KIND
    if threat_dragon.matches(found):
        return "threat-dragon"
    if "otmVersion" in found:
        return "otm"
    if "applicationInfo" in found or {"assumptionLinks", "mitigationLinks"} <= found.keys():
        return "threat-composer"
    if "scope" in found and {"trust_zones", "data_flows", "components", "threats"} & found.keys():
        return "tm-bom"
    if "threagile_version" in found:
        return "threagile"
    return "pytm" if "flows" in found and {"elements", "boundaries"} & found.keys() else ""


def _is_schema(found: dict[str, Any]) -> bool:
    named = str(found.get("$schema", "")) + str(found.get("$id", ""))
    return isinstance(found.get("properties"), dict) and (
        "json-schema.org" in named or found.get("type") == "object"
    )
