"""The cells of a diagram: what one may look like, and what they may say of each other. Pure.

Source of the rules: the cell format of the API (docs/api.md, "Cells").
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from threatmodels.colours import COLOUR_NAMES
from tmi.lib.text import CONTROL_BUT_TAB_AND_NEWLINE, unify_newlines

CELL_TYPES = ("process", "datastore", "external_entity", "trust_boundary", "data_flow", "text")
MOST_CELLS = 10_000
LARGEST_CELL = 32 * 1024
LEAST_WIDTH, LEAST_HEIGHT = 40, 30
# Coordinates beyond this are a mistake, and break the arithmetic of browsers.
FARTHEST = 1_000_000
MOST_NESTED = 32
MOST_VERTICES = 1_000

# Properties that people write, and that every reader knows; all others are kept byte for byte.
TEXTS = ("label", "description", "out_of_scope_reason")
NO_CELL = "There is no such cell in the diagram."

BOXED = {"position", "size", "parent", "z"}
LINKED = {"source", "target", "vertices", "bidirectional", "z"}
COMMON = {"id", "type", "properties", "style", "data_asset_ids", "out_of_scope"}
# In small letters alone: ids are compared as text in many places. Whatever takes cells in writes them so.
UUID_FORM = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
HEX_COLOUR = re.compile(r"^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})\Z")

Cell = Mapping[str, Any]


class Problem(NamedTuple):
    """What is wrong, and where: a JSON Pointer below the value that was checked."""

    pointer: str
    reason: str


Problems = Iterator[Problem]


def is_cell_id(value: object) -> bool:
    return isinstance(value, str) and bool(UUID_FORM.match(value))


def as_kept(cell: Any) -> Any:
    """A cell, or a change of one, as it is kept: ids in small letters, and CR LF of its texts as LF."""
    if not isinstance(cell, dict):
        return cell
    new = {name: cell[name].lower() for name in ("id", "parent") if isinstance(cell.get(name), str)}
    for name in ("source", "target"):
        end = cell.get(name)
        if isinstance(end, dict) and isinstance(end.get("cell"), str):
            new[name] = {**end, "cell": end["cell"].lower()}
    assets = cell.get("data_asset_ids")
    if isinstance(assets, list):
        new["data_asset_ids"] = [one.lower() if isinstance(one, str) else one for one in assets]
    properties = cell.get("properties")
    if isinstance(properties, dict):
        texts = {name: properties[name] for name in TEXTS if isinstance(properties.get(name), str)}
        new["properties"] = {**properties, **{name: unify_newlines(text) for name, text in texts.items()}}
    return {**cell, **new}


def validate_cell(cell: object) -> list[Problem]:
    """What is wrong with one cell by itself; references are not looked up."""
    return list(_cell(cell, ""))


def validate_cells(cells: object, *, asset_ids: Collection[str] | None = None) -> list[Problem]:
    """What is wrong with a whole diagram; `asset_ids`, where given, are the assets that cells may name."""
    if not isinstance(cells, list):
        return [Problem("", "A list of cells is expected.")]
    if len(cells) > MOST_CELLS:
        return [Problem("", f"A diagram has at most {MOST_CELLS} cells.")]
    problems = [problem for index, cell in enumerate(cells) for problem in _cell(cell, f"/{index}")]
    return problems or list(_references(cells, asset_ids))


def label(cell: Cell) -> str:
    """What the cell is called; may be empty."""
    properties = cell.get("properties")
    text = properties.get("label") if isinstance(properties, Mapping) else None
    return text if isinstance(text, str) else ""


def flow_ends(cell: Cell) -> list[str]:
    """The ids of the cells that a flow connects."""
    ends = (cell.get("source"), cell.get("target"))
    return [end["cell"] for end in ends if isinstance(end, Mapping) and "cell" in end]


# -- one cell


def _cell(cell: object, at: str) -> Problems:
    if not isinstance(cell, dict):
        yield Problem(at, "A cell is an object.")
        return
    kind = cell.get("type")
    if not isinstance(cell.get("id"), str) or not UUID_FORM.match(cell["id"]):
        yield Problem(f"{at}/id", "A UUID is expected.")
    if kind not in CELL_TYPES:
        yield Problem(f"{at}/type", f"One of {', '.join(CELL_TYPES)}.")
        return
    own = LINKED if kind == "data_flow" else BOXED
    yield from (Problem(f"{at}/{_escaped(k)}", "Unknown field.") for k in cell if k not in COMMON | own)
    if kind == "data_flow":
        yield from (p for end in ("source", "target") for p in _end(cell.get(end), f"{at}/{end}"))
    else:
        yield from _point(cell.get("position"), f"{at}/position")
        yield from _size(cell.get("size"), f"{at}/size")
    yield from _properties(cell.get("properties"), f"{at}/properties")
    for name, check in OPTIONAL.items():
        if name in cell:
            yield from check(cell[name], f"{at}/{name}")
    yield from _weight(cell, at)


def _weight(cell: dict[str, Any], at: str) -> Problems:
    try:
        weight = len(orjson.dumps(cell))
    except (TypeError, RecursionError):
        return  # what is no JSON has been named above
    if weight > LARGEST_CELL:
        yield Problem(at, f"A cell has at most {LARGEST_CELL} bytes; this one has {weight}.")


def _number(value: object, at: str) -> Problems:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield Problem(at, "A number is expected.")
    elif not abs(value) <= FARTHEST:  # said this way round it is true of NaN as well
        yield Problem(at, f"A number from {-FARTHEST} to {FARTHEST} is expected.")


def _exactly(value: object, names: tuple[str, ...], at: str) -> Problems:
    if not isinstance(value, dict):
        yield Problem(at, f"An object with {' and '.join(names)} is expected.")
        return
    yield from (Problem(f"{at}/{n}", "This field is required.") for n in names if n not in value)
    yield from (Problem(f"{at}/{_escaped(n)}", "Unknown field.") for n in value if n not in names)


def _point(value: object, at: str) -> Problems:
    wrong = list(_exactly(value, ("x", "y"), at))
    yield from wrong
    if not wrong and isinstance(value, dict):
        yield from (p for n in ("x", "y") for p in _number(value[n], f"{at}/{n}"))


def _size(value: object, at: str) -> Problems:
    wrong = list(_exactly(value, ("width", "height"), at))
    yield from wrong
    if wrong or not isinstance(value, dict):
        return
    for name, least in (("width", LEAST_WIDTH), ("height", LEAST_HEIGHT)):
        bad = list(_number(value[name], f"{at}/{name}"))
        yield from bad
        if not bad and value[name] < least:
            yield Problem(f"{at}/{name}", f"At least {least}.")


def _end(value: object, at: str) -> Problems:
    if not isinstance(value, dict) or "cell" not in value:
        yield from _point(value, at)
        return
    yield from _uuid(value["cell"], f"{at}/cell")
    if "port" in value:
        yield from _text(value["port"], f"{at}/port")
    yield from (Problem(f"{at}/{_escaped(n)}", "Unknown field.") for n in value if n not in {"cell", "port"})


def _vertices(value: object, at: str) -> Problems:
    if not isinstance(value, list) or len(value) > MOST_VERTICES:
        yield Problem(at, f"A list of at most {MOST_VERTICES} points is expected.")
        return
    for index, point in enumerate(value):
        yield from _point(point, f"{at}/{index}")


def _flag(value: object, at: str) -> Problems:
    if not isinstance(value, bool):
        yield Problem(at, "true or false.")


def _whole(value: object, at: str) -> Problems:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > FARTHEST:
        yield Problem(at, "A whole number is expected.")


def _uuid(value: object, at: str) -> Problems:
    if not isinstance(value, str) or not UUID_FORM.match(value):
        yield Problem(at, "A UUID is expected.")


def _text(value: object, at: str) -> Problems:
    if not isinstance(value, str):
        yield Problem(at, "Text is expected.")
    elif CONTROL_BUT_TAB_AND_NEWLINE.search(value):
        yield Problem(at, "Control characters other than tab and newline are not allowed.")


def _assets(value: object, at: str) -> Problems:
    if not isinstance(value, list):
        yield Problem(at, "A list of ids is expected.")
        return
    for index, item in enumerate(value):
        yield from _uuid(item, f"{at}/{index}")


def _properties(value: object, at: str) -> Problems:
    if not isinstance(value, dict):
        yield Problem(at, "An object is expected.")
        return
    for name in TEXTS:
        if name in value and not isinstance(value[name], str):
            yield Problem(f"{at}/{name}", "Text is expected.")
    yield from _safe(value, at)


def _safe(value: Any, at: str) -> Problems:
    """JSON without null, without control characters, and not nested too deeply; a loop, not a recursion."""
    level: list[tuple[Any, str]] = [(value, at)]
    for _depth in range(MOST_NESTED):
        inner: list[tuple[Any, str]] = []
        for item, where in level:
            if isinstance(item, dict):
                for key, child in item.items():
                    yield from _text(key, where)
                    inner.append((child, f"{where}/{_escaped(key)}"))
            elif isinstance(item, list):
                inner += [(child, f"{where}/{index}") for index, child in enumerate(item)]
            else:
                yield from _leaf(item, where)
        if not inner:
            return
        level = inner
    yield Problem(at, f"Nested more than {MOST_NESTED} levels deep.")


def _leaf(item: Any, where: str) -> Problems:
    if item is None:
        yield Problem(where, "null is not allowed in a cell; leave the field out.")
    elif isinstance(item, str):
        yield from _text(item, where)
    elif isinstance(item, float) and not math.isfinite(item):
        yield Problem(where, "A finite number is expected.")
    elif isinstance(item, int | float) and abs(item) >= 2**63:
        yield Problem(where, "The number is too large.")
    elif not isinstance(item, int | float):
        yield Problem(where, "A JSON value is expected.")


def _style(value: object, at: str) -> Problems:
    if not isinstance(value, dict):
        yield Problem(at, "An object is expected.")
        return
    for name, item in value.items():
        if name not in STYLES:
            yield Problem(f"{at}/{_escaped(name)}", "Unknown field.")
        else:
            yield from STYLES[name](item, f"{at}/{name}")


def _colour(value: object, at: str) -> Problems:
    if not isinstance(value, str) or not (HEX_COLOUR.match(value) or value.lower() in COLOUR_NAMES):
        yield Problem(at, "A colour like #rgb, #rrggbb or a CSS colour name is expected.")


def _between(least: float, most: float) -> Callable[[object, str], Problems]:
    def check(value: object, at: str) -> Problems:
        bad = list(_number(value, at))
        yield from bad
        if not bad and not least <= value <= most:  # type: ignore[operator]  # _number has seen to it
            yield Problem(at, f"A number from {least:g} to {most:g} is expected.")

    return check


def _dash(value: object, at: str) -> Problems:
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,3}([ ,]+\d{1,3}){0,7}|", value):
        yield Problem(at, "Lengths like 4 2 are expected.")


def _escaped(key: object) -> str:
    """A key as a part of a JSON Pointer (RFC 6901)."""
    return str(key)[:100].replace("~", "~0").replace("/", "~1")


Check = Callable[[object, str], Problems]
STYLES: dict[str, Check] = {
    "fill": _colour,
    "stroke": _colour,
    "text_color": _colour,
    "stroke_width": _between(0, 50),
    "font_size": _between(4, 200),
    "dash": _dash,
}
OPTIONAL: dict[str, Check] = {
    "parent": _uuid,
    "z": _whole,
    "vertices": _vertices,
    "bidirectional": _flag,
    "out_of_scope": _flag,
    "data_asset_ids": _assets,
    "style": _style,
}


# -- cells among each other


def _references(cells: Sequence[Cell], asset_ids: Collection[str] | None) -> Problems:
    kinds = {cell["id"]: cell["type"] for cell in cells}
    seen: set[str] = set()
    for index, cell in enumerate(cells):
        if cell["id"] in seen:
            yield Problem(f"/{index}/id", "Another cell has this id.")
        seen.add(cell["id"])
    for index, cell in enumerate(cells):
        yield from reference_problems(cell, kinds, f"/{index}")
        if asset_ids is not None:
            yield from asset_problems(cell, asset_ids, f"/{index}")
    yield from _cycles(cells)


def reference_problems(cell: Cell, kinds: Mapping[str, str], at: str = "") -> Problems:
    """What is wrong with the cells to which a sound cell refers; `kinds` are the types of all by id."""
    yield from _parent(cell, kinds, f"{at}/parent")
    for end in ("source", "target"):
        wanted = cell.get(end, {}).get("cell")
        if wanted is not None and wanted not in kinds:
            yield Problem(f"{at}/{end}/cell", NO_CELL)
        elif wanted is not None and kinds[wanted] == "data_flow":
            yield Problem(f"{at}/{end}/cell", "A data flow cannot end on a data flow.")


def asset_problems(cell: Cell, asset_ids: Collection[str], at: str = "") -> Problems:
    """The assets of a sound cell that are not among these."""
    for position, asset in enumerate(cell.get("data_asset_ids", ())):
        if asset not in asset_ids:
            yield Problem(f"{at}/data_asset_ids/{position}", "There is no such asset here.")


def _parent(cell: Cell, kinds: Mapping[str, str], at: str) -> Problems:
    parent = cell.get("parent")
    if parent is None:
        return
    if parent not in kinds:
        yield Problem(at, NO_CELL)
    elif kinds[parent] in {"text", "data_flow"}:
        yield Problem(at, "Nothing can lie inside a text or a data flow.")


def _cycles(cells: Sequence[Cell]) -> Problems:
    """Each cell is walked once: a chain that meets itself again is a cycle."""
    parents = {cell["id"]: cell.get("parent") for cell in cells}
    sound: set[str] = set()
    for index, cell in enumerate(cells):
        chain: dict[str, None] = {}
        at: str | None = cell["id"]
        while at is not None and at not in sound and at not in chain:
            chain[at] = None
            at = parents.get(at)
        if at is not None and at in chain:
            yield Problem(f"/{index}/parent", "A cell cannot lie inside itself.")
            return
        sound.update(chain)
