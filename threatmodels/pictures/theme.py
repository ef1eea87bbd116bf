"""The colours of pictures."""

from __future__ import annotations

from dataclasses import dataclass

# Of one width all three, which is what `text.py` reckons with.
FONT = "Arial, 'Liberation Sans', Arimo, 'Noto Sans', sans-serif"
FONT_SIZE = 13


@dataclass(frozen=True, slots=True)
class Theme:
    """Paper, ink and the fill of each kind of shape."""

    paper: str
    ink: str
    muted: str
    boundary: str
    boundary_fill: str
    process: str
    datastore: str
    external_entity: str
    badge: dict[str, str]


LIGHT = Theme(
    paper="#ffffff",
    ink="#1f2933",
    muted="#7b8794",
    boundary="#b4452c",
    boundary_fill="#b4452c",
    process="#e8f1fb",
    datastore="#f3f0fa",
    external_entity="#f4f5f7",
    badge={
        "critical": "#9b1c1c",
        "high": "#c2410c",
        "medium": "#a16207",
        "low": "#1d4ed8",
        "informational": "#52606d",
        "unknown": "#52606d",
    },
)
DARK = Theme(
    paper="#14181f",
    ink="#e4e7eb",
    muted="#8a96a3",
    boundary="#ef8a6f",
    boundary_fill="#ef8a6f",
    process="#1d3045",
    datastore="#2a2740",
    external_entity="#252b34",
    badge=LIGHT.badge,
)
THEMES = {"light": LIGHT, "dark": DARK}
