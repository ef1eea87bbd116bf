"""Threat Dragon's words for severities, states and frameworks, with those of its translations."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from threatmodels.interchange.document import Metadata
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.json_file import load_json
from threatmodels.interchange.limits import Limits
from threatmodels.interchange.plain import camel_case

SEVERITIES = {
    "critical": ("critical", "kritisch", "crítica", "critique", "κρίσιμη", "kriittinen", "गंभीर", "kritis",
                 "kritikal", "致命的", "شديد الأهمية"),
    "high": ("high", "hoch", "alta", "élevé", "υψηλή", "korkea", "ऊँचा", "tinggi", "高", "عالي"),
    "medium": ("medium", "mittel", "media", "média", "moyen", "μεσαία", "keskitaso", "मध्यम", "sedang",
               "sederhana", "中", "متوسط"),
    "low": ("low", "niedrig", "baja", "baixa", "faible", "χαμηλή", "alhainen", "कम", "rendah", "低", "منخفض"),
    "informational": ("informational", "information", "info"),
    "unknown": ("unknown", "tbd", "to be determined", "por confirmar", "por definir", "a definir", "à venir",
                "未定", "待定"),
}  # fmt: skip

# Our state and whether the threat counts as mitigated, by the words for it.
STATES = {
    ("Open", False): ("open", "offen", "abierto", "ouvrir", "aberta", "ανοιχτή", "avoin", "खुला", "terbuka",
                      "buka", "未対応", "未解决", "مفتوح"),
    ("Resolved", True): ("mitigated", "eliminated", "abgeschwächt", "mitigado", "mitigé", "mitigada",
                         "καλύφθηκε", "hallittu", "शमन", "diredam", "ditangani", "解決済み", "缓解",
                         "تم التخفيف"),
    ("Not applicable", False): ("notapplicable", "not applicable", "n/a", "na", "t/a", "δεν έχει εφαρμογή",
                                "लागू नहीं", "不适用", "غير قابل للتطبيق"),
    ("Accepted", False): ("accepted",),
    ("Transferred", False): ("transferred",),
    ("Avoided", False): ("avoided",),
}  # fmt: skip

# Threat Dragon's DIE diagrams offer the categories of CIA too, hence the second name.
FRAMEWORKS = {
    "stride": "STRIDE",
    "linddun": "LINDDUN",
    "cia": "CIA",
    "die": "DIE",
    "ciadie": "DIE",
    "plot4ai": "PLOT4ai",
}

# Metadata that keeps what is unknown here begins so; the longer ones say where in a file it was.
PREFIX = "threat_dragon_"
OF_SUMMARY = f"{PREFIX}summary_"
OF_DETAIL = f"{PREFIX}detail_"
OF_TEMPLATE = f"{PREFIX}template_"

_SEVERITY_OF = {word: severity for severity, words in SEVERITIES.items() for word in words}
_STATE_OF = {word: state for state, words in STATES.items() for word in words}


def severity_of(text: str) -> str | None:
    """Our severity for a word, None for no word; a word that is not known stays as it is."""
    word = text.strip()
    return _SEVERITY_OF.get(word.casefold(), word) or None


def state_of(text: str) -> tuple[str, bool]:
    """Our status and whether it means mitigated; no word is Open, an unknown word stays as it is."""
    word = text.strip() or "open"
    return _STATE_OF.get(word.casefold(), (word, False))


def framework_of(diagram_type: object) -> str | None:
    """The framework of a `diagramType` or `modelType`, None where it is none of ours."""
    return FRAMEWORKS.get(diagram_type.strip().casefold()) if isinstance(diagram_type, str) else None


def others_in(metadata: Metadata, known: Collection[str], prefix: str = PREFIX) -> dict[str, Any]:
    """The fields that such metadata keeps; `known` are those that are written in another way."""
    keys = [key for key in metadata if key.startswith(prefix) and key.removeprefix(prefix) not in known]
    return {camel_case(key.removeprefix(prefix)): _value(metadata[key]) for key in keys}


def _value(text: str) -> Any:
    """What a reader kept as text: words, or else a value in JSON."""
    try:
        value = load_json(text, Limits())[0]
    except UnreadableFile:
        return text
    return text if value is None else value
