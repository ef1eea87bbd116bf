"""Text that must fit a shape: how wide it is, and where it breaks. No font files: widths are estimates."""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"
# Shares of the font size, measured on the common sans-serif fonts.
NARROW, USUAL, BROAD, FULL = 0.3, 0.54, 0.72, 1.0
LINE_HEIGHT = 1.25
# What is longer is cut before it is measured; nobody reads it in a picture.
LONGEST = 2_000


def width(text: str, size: float) -> float:
    """About how wide the text is in one line."""
    return sum(_share(character) for character in text) * size


def wrap(text: str, most_width: float, most_lines: int, size: float) -> list[str]:
    """The text in lines that fit; what does not fit ends in an ellipsis."""
    lines: list[str] = []
    for paragraph in text[:LONGEST].split("\n"):
        lines += _paragraph(paragraph.split(), most_width, size)
        if len(lines) > most_lines:
            break
    if lines and (len(lines) > most_lines or len(text) > LONGEST):
        lines = lines[:most_lines]
        lines[-1] = _shortened(lines[-1] + ELLIPSIS, most_width, size)
    return lines


def _paragraph(words: list[str], most: float, size: float) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in (piece for whole in words for piece in _pieces(whole, most, size)):
        longer = f"{line} {word}" if line else word
        if line and width(longer, size) > most:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line] if line else lines


def _pieces(word: str, most: float, size: float) -> list[str]:
    """A word that is too wide for a line, in parts that are not."""
    if width(word, size) <= most:
        return [word]
    pieces, piece = [], ""
    for character in word:
        if piece and width(piece + character, size) > most:
            pieces.append(piece)
            piece = ""
        piece += character
    return [*pieces, piece]


def _shortened(line: str, most: float, size: float) -> str:
    while len(line) > 2 and width(line, size) > most:
        line = line[:-2].rstrip() + ELLIPSIS
    return line


def _share(character: str) -> float:
    if character in "iljtfrI.,:;'|!()[] ":
        return NARROW
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in "WF" or ord(character) > 0x1F000:
        return FULL
    return BROAD if character.isupper() or character in "mwMW@%&" else USUAL
