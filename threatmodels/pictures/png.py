"""A picture of a diagram as PNG, drawn from its SVG without a browser."""

from __future__ import annotations

import re
from pathlib import Path

import resvg_py

# As wide as Arial, for which the SVG is measured; then one for the scripts that the first lacks.
FONTS = (
    "@expo-google-fonts/arimo/400Regular/Arimo_400Regular.ttf",
    "@expo-google-fonts/arimo/700Bold/Arimo_700Bold.ttf",
    "dejavu-fonts-ttf/ttf/DejaVuSans.ttf",
    "dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf",
    "@expo-google-fonts/noto-emoji/400Regular/NotoEmoji_400Regular.ttf",
)
FAMILY = "Arimo"
# Sharp on dense screens, and never so large that drawing it takes seconds or much memory.
ZOOM = 2.0
LONGEST_SIDE = 8192
MOST_PIXELS = 40_000_000
_SIZE = re.compile(r'<svg[^>]* width="([\d.]+)" height="([\d.]+)"')


def svg_to_png(svg: str, *, fonts: Path, most_pixels: int = MOST_PIXELS) -> bytes:
    """The PNG of one of our own SVG pictures; `fonts` is the folder in which npm keeps the font packages."""
    files = [str(fonts / name) for name in FONTS if (fonts / name).is_file()]
    drawn = resvg_py.svg_to_bytes(
        svg_string=svg,
        zoom=_zoom(svg, most_pixels),
        font_files=files,
        font_family=FAMILY,
        sans_serif_family=FAMILY,
        skip_system_fonts=bool(files),
    )
    return bytes(drawn)


def _zoom(svg: str, most_pixels: int) -> float:
    found = _SIZE.search(svg)
    if found is None:
        return 1.0
    width, height = (max(float(side), 1.0) for side in found.groups())
    return min(ZOOM, LONGEST_SIDE / max(width, height), (most_pixels / (width * height)) ** 0.5)
