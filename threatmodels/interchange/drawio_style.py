"""What the style of a draw.io shape says it is, and which style draws what."""

from __future__ import annotations

import re
from collections.abc import Mapping

from threatmodels.interchange.otm_words import OUTSIDE, STORES

Style = dict[str, str]

# The type that somebody gave to a shape by hand, however it is spelled.
TYPES = {
    "process": "process",
    "datastore": "datastore",
    "store": "datastore",
    "database": "datastore",
    "entity": "external_entity",
    "externalentity": "external_entity",
    "external": "external_entity",
    "actor": "external_entity",
    "trustboundary": "trust_boundary",
    "boundary": "trust_boundary",
    "trustzone": "trust_boundary",
    "dataflow": "data_flow",
    "flow": "data_flow",
    "text": "text",
}
SHAPES = {
    "ellipse": "process",
    "doubleEllipse": "process",
    "cylinder": "datastore",
    "cylinder2": "datastore",
    "cylinder3": "datastore",
    "datastore": "datastore",
    "partialRectangle": "datastore",
    "dataStorage": "datastore",
    "internalStorage": "datastore",
    "umlActor": "external_entity",
    "actor": "external_entity",
    "text": "text",
    "edgeLabel": "text",
    "label": "external_entity",
    "rectangle": "external_entity",
    "": "external_entity",
    "swimlane": "trust_boundary",
}
# Bare words in a style that are no shapes.
PLAIN = frozenset(["html", "group", "rounded", "dashed"])
WORD = re.compile(r"[a-z]+[0-9]?(?![a-z])", re.IGNORECASE)
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
# Ours by theirs.
COLOURS = {"fill": "fillColor", "stroke": "strokeColor", "text_color": "fontColor"}
SIDES = {("0.5", "0"): "top", ("1", "0.5"): "right", ("0.5", "1"): "bottom", ("0", "0.5"): "left"}
SIDE_OF = {side: place for place, side in SIDES.items()}

DRAWN = {
    "process": "ellipse;whiteSpace=wrap;html=0;",
    "datastore": "shape=partialRectangle;whiteSpace=wrap;html=0;left=0;right=0;fillColor=none;",
    "external_entity": "rounded=0;whiteSpace=wrap;html=0;",
    "trust_boundary": "rounded=0;whiteSpace=wrap;html=0;dashed=1;fillColor=none;strokeColor=#b85450;"
    "verticalAlign=top;align=left;spacingLeft=6;container=1;collapsible=0;",
    "text": "text;html=0;whiteSpace=wrap;align=left;verticalAlign=top;",
    "data_flow": "html=0;rounded=1;endArrow=classic;",
}
CURVE = "html=0;dashed=1;curved=1;endArrow=none;startArrow=none;strokeColor=#b85450;"


def parsed(text: str) -> Style:
    """The settings of a style by name; a bare word, the name of a shape, is a key that ends with ";"."""
    pairs = (part.strip().partition("=") for part in text.split(";") if part.strip())
    return {key if equals else f"{key};": value for key, equals, value in pairs}


def written(style: Mapping[str, str]) -> str:
    return "".join(key if key.endswith(";") else f"{key}={value};" for key, value in style.items())


def shape_of(style: Style) -> str:
    bare = (key.removesuffix(";") for key in style if key.endswith(";"))
    return style.get("shape") or next((word for word in bare if word not in PLAIN), "")


def given_type(name: str) -> str | None:
    return TYPES.get(re.sub(r"[^a-z]", "", name.lower()))


def kind_of(style: Style, *, holds_others: bool) -> str:
    """Our type of cell for the style of a shape that is no edge."""
    shape = shape_of(style)
    if holds_others or style.get("container") == "1" or shape.endswith(".group") or shape == "swimlane":
        return "trust_boundary"
    if shape in {"text", "edgeLabel"}:
        return "text"
    if style.get("dashed") == "1" and style.get("fillColor", "none") == "none":
        return "trust_boundary"
    if shape in SHAPES:
        return "process" if shape in {"", "rectangle"} and style.get("rounded") == "1" else SHAPES[shape]
    return _kind_of_icon(" ".join([shape, style.get("resIcon", ""), style.get("image", "")]))


def _kind_of_icon(name: str) -> str:
    words = {word.lower() for word in WORD.findall(HUMP.sub(" ", name.replace("_", " ")))}
    if words & STORES:
        return "datastore"
    return "external_entity" if words & OUTSIDE else "process"


def is_group(style: Style) -> bool:
    """Whether a shape only keeps others together and is not seen itself."""
    return "group;" in style


def is_curve(style: Style) -> bool:
    """Whether an edge that connects nothing is a boundary: a dashed line without arrows."""
    arrows = {style.get("endArrow", "classic"), style.get("startArrow", "none")}
    return style.get("dashed") == "1" and arrows == {"none"}


def colours(style: Style) -> dict[str, str]:
    """The colours that were chosen for a shape, by our names; those of an icon are the icon's."""
    shape = shape_of(style)
    if shape == "image" or (shape.startswith("mxgraph.") and not shape.endswith(".group")):
        return {}
    return {
        ours: style[theirs] for ours, theirs in COLOURS.items() if COLOUR.fullmatch(style.get(theirs, ""))
    }


def port(style: Style, end: str) -> str:
    """The side at which an edge leaves ("exit") or enters ("entry"), where it is the middle of one."""
    return SIDES.get((_trimmed(style.get(f"{end}X", "")), _trimmed(style.get(f"{end}Y", ""))), "")


def _trimmed(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number
