"""Places for what has none: layers from left to right, and boundaries around what they hold.

Each boundary is laid out by itself, the innermost first; for what is around it, it is one box. So nothing
overlaps, and everything is inside what it belongs to, whatever the links are.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from threatmodels.interchange.geometry import Box, Point

# Room between columns is where the labels of flows stand.
ACROSS, DOWN = 170, 60
# The same where layers are rows.
BELOW, BESIDE = 110, 90
SCREEN = 1.6
PADDING, HEADING = 40, 56
SWEEPS = 6
# Beyond so many pairs of a link and a box no way around is looked for.
MOST_PAIRS = 20_000
# How far from a box a bend around it may be, the nearest first.
CLEARANCES = (36, 80, 140)

Link = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Item:
    """A thing to place; `inside` is the key of what holds it. What holds others gets the size they need."""

    key: str
    width: float
    height: float
    inside: str | None = None


def arrange(items: Sequence[Item], links: Iterable[Link]) -> dict[str, Box]:
    """A box for each item, all at or beyond 0, 0. `inside` must not go in circles; keys are unique."""
    by_key = {item.key: item for item in items}
    members: dict[str | None, list[Item]] = defaultdict(list)
    for item in items:
        members[item.inside if item.inside in by_key else None].append(item)
    together = _links_by_holder(by_key, links)
    offsets: dict[str, Point] = {}
    sizes: dict[str | None, tuple[float, float]] = {}
    holders = {key for key in members if key is not None}
    for holder in _innermost_first(by_key, members):
        sized = [_sized(item, sizes.get(item.key)) for item in members[holder]]
        offsets |= _places(sized, together[holder], holders)
        sizes[holder] = _extent(sized, offsets)
    return _absolute(by_key, members, offsets, sizes)


def detours(boxes: Mapping[str, Box], links: Sequence[Link]) -> dict[int, Point]:
    """A bend for each link, by its position, that would run through a box which it has nothing to do with.

    `boxes` are only what can be in the way: no boundaries.
    """
    if len(boxes) * len(links) > MOST_PAIRS:
        return {}
    bends: dict[int, Point] = {}
    taken: set[tuple[frozenset[str], Point]] = set()
    for index, (source, target) in enumerate(links):
        if source == target or source not in boxes or target not in boxes:
            continue
        others = [box for key, box in boxes.items() if key not in {source, target}]
        ends = boxes[source].centre, boxes[target].centre
        blocking = [box for box in others if _crosses(box, *ends)]
        free = [
            (_way(ends, point), point)
            for box in blocking[:6]
            for point in _corners(box)
            if (frozenset((source, target)), point) not in taken
            and not any(_crosses(b, ends[0], point) or _crosses(b, point, ends[1]) for b in others)
        ]
        if free:
            bends[index] = min(free, key=lambda found: found[0])[1]
            taken.add((frozenset((source, target)), bends[index]))
    return bends


def _sized(item: Item, size: tuple[float, float] | None) -> Item:
    if size is None or size == (0, 0):
        return item
    width, height = size[0] + 2 * PADDING, size[1] + PADDING + HEADING
    return replace(item, width=max(item.width, width), height=max(item.height, height))


def _innermost_first(
    by_key: Mapping[str, Item], members: Mapping[str | None, list[Item]]
) -> list[str | None]:
    depths: dict[str | None, int] = {None: 0}
    order: list[str | None] = [None]
    for holder in order:
        for item in members.get(holder, ()):
            if item.key in members:
                depths[item.key] = depths[holder] + 1
                order.append(item.key)
    return sorted(order, key=lambda holder: -depths[holder])


def _links_by_holder(by_key: Mapping[str, Item], links: Iterable[Link]) -> dict[str | None, list[Link]]:
    """Each link where both its ends, or what holds them, stand side by side."""
    found: dict[str | None, list[Link]] = defaultdict(list)
    chains = {key: _chain(by_key, key) for link in links for key in link if key in by_key}
    for source, target in links:
        if source not in chains or target not in chains:
            continue
        above, beside = chains[source], chains[target]
        common = 0
        while common < min(len(above), len(beside)) and above[common] == beside[common]:
            common += 1
        if common < min(len(above), len(beside)):
            found[above[common - 1] if common else None].append((above[common], beside[common]))
    return found


def _chain(by_key: Mapping[str, Item], key: str) -> list[str]:
    """What holds an item, the outermost first, and the item itself."""
    chain = [key]
    while (inside := by_key[chain[-1]].inside) in by_key:
        chain.append(str(inside))
    return chain[::-1]


def _places(items: list[Item], links: list[Link], holders: Collection[str]) -> dict[str, Point]:
    """The upper left corners of items side by side, from 0, 0.

    Layers are columns; where the items hold others, whichever of columns and rows gives the better shape.
    """
    linked = {key for link in links for key in link}
    layers = _layers([item for item in items if item.key in linked], links)
    found = _columns(layers, across=ACROSS, down=DOWN)
    if any(item.key in holders for item in items):
        turned = [[replace(i, width=i.height, height=i.width) for i in layer] for layer in layers]
        rows = {k: Point(p.y, p.x) for k, p in _columns(turned, across=BELOW, down=BESIDE).items()}
        found = min(found, rows, key=lambda places: _awkwardness(_extent(items, places)))
    wide, tall = _extent(items, found)
    loose = [item for item in items if item.key not in linked]
    return found | _rows(loose, below=tall + DOWN if layers else 0, wide=wide)


def _columns(layers: list[list[Item]], *, across: float, down: float) -> dict[str, Point]:
    """Layers as columns, each in the middle of the height of the tallest."""
    heights = [sum(item.height for item in layer) + down * (len(layer) - 1) for layer in layers]
    found: dict[str, Point] = {}
    x = 0.0
    for layer, height in zip(layers, heights, strict=True):
        widest = max(item.width for item in layer)
        y = (max(heights) - height) / 2
        for item in layer:
            found[item.key] = Point(round(x + (widest - item.width) / 2), round(y))
            y += item.height + down
        x += widest + across
    return found


def _awkwardness(size: tuple[float, float]) -> float:
    """How far the shape of a drawing is from that of a page on a screen."""
    return abs(math.log(max(size[0], 1) / max(size[1], 1) / SCREEN))


def _rows(items: list[Item], *, below: float, wide: float) -> dict[str, Point]:
    """What nothing is linked to, in rows about as wide as the rest or as they are tall."""
    area = sum((item.width + DOWN) * (item.height + DOWN) for item in items)
    most = max(wide, math.sqrt(area) * 1.3)
    found: dict[str, Point] = {}
    x, y, tallest = 0.0, below, 0.0
    for item in items:
        if x and x + item.width > most:
            x, y, tallest = 0.0, y + tallest + DOWN, 0.0
        found[item.key] = Point(round(x), round(y))
        x += item.width + DOWN
        tallest = max(tallest, item.height)
    return found


def _layers(items: list[Item], links: list[Link]) -> list[list[Item]]:
    """Layers in which links go to the right as far as there are no circles, with few crossings."""
    ranks = _ranks([item.key for item in items], links)
    layers: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        layers[ranks[item.key]].append(item)
    ordered = [layers[rank] for rank in sorted(layers)]
    _untangle(ordered, links)
    most = max(5, math.ceil(math.sqrt(len(items) * 1.6)))
    return [column for layer in ordered for column in _halved(layer, most)]


def _halved(layer: list[Item], most: int) -> list[list[Item]]:
    """A layer of too many as columns of about the same length."""
    number = math.ceil(len(layer) / most)
    length = math.ceil(len(layer) / number)
    return [layer[at : at + length] for at in range(0, len(layer), length)]


def _ranks(keys: list[str], links: list[Link]) -> dict[str, int]:
    """The length of the longest way to each key, after links that close a circle were turned around."""
    forward = _without_circles(keys, links)
    before: dict[str, int] = dict.fromkeys(keys, 0)
    for targets in forward.values():
        for target in targets:
            before[target] += 1
    ranks = dict.fromkeys(keys, 0)
    ready = [key for key in keys if not before[key]]
    for key in ready:
        for target in forward[key]:
            ranks[target] = max(ranks[target], ranks[key] + 1)
            before[target] -= 1
            if not before[target]:
                ready.append(target)
    return ranks


def _without_circles(keys: list[str], links: list[Link]) -> dict[str, set[str]]:
    """The targets of each key; a depth-first walk, as a loop, turns around what leads back on its way."""
    targets: dict[str, list[str]] = defaultdict(list)
    entered: set[str] = {target for _, target in links}
    for source, target in links:
        targets[source].append(target)
    forward: dict[str, set[str]] = defaultdict(set)
    seen: set[str] = set()
    for start in sorted(keys, key=lambda key: key in entered):
        if start in seen:
            continue
        seen.add(start)
        on_way = {start: iter(targets[start])}
        while on_way:
            key = next(reversed(on_way))
            following = next(on_way[key], None)
            if following is None:
                del on_way[key]
                continue
            target = following
            if target in on_way:
                if key not in forward[target] and target != key:
                    forward[target].add(key)
            else:
                forward[key].add(target)
                if target not in seen:
                    seen.add(target)
                    on_way[target] = iter(targets[target])
    return forward


def _untangle(layers: list[list[Item]], links: list[Link]) -> None:
    """Sorts each layer by where the neighbours of its items stand, back and forth."""
    near: dict[str, list[str]] = defaultdict(list)
    for source, target in links:
        near[source].append(target)
        near[target].append(source)
    places = {item.key: at / len(layer) for layer in layers for at, item in enumerate(layer)}
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = {item.key: _middle(near[item.key], places) for item in layer}
            layer.sort(key=lambda item: wanted[item.key])
            places |= {item.key: (at + 0.5) / len(layer) for at, item in enumerate(layer)}


def _middle(keys: list[str], places: Mapping[str, float]) -> float:
    return sum(places[key] for key in keys) / len(keys) if keys else 0.5


def _extent(items: list[Item], offsets: Mapping[str, Point]) -> tuple[float, float]:
    """How far the items reach that have a place."""
    placed = [(offsets[item.key], item) for item in items if item.key in offsets]
    return (
        max((at.x + item.width for at, item in placed), default=0),
        max((at.y + item.height for at, item in placed), default=0),
    )


def _absolute(
    by_key: Mapping[str, Item],
    members: Mapping[str | None, list[Item]],
    offsets: Mapping[str, Point],
    sizes: Mapping[str | None, tuple[float, float]],
) -> dict[str, Box]:
    corners: dict[str | None, Point] = {None: Point(0, 0)}
    boxes: dict[str, Box] = {}
    for holder in reversed(_innermost_first(by_key, members)):
        for item in members.get(holder, ()):
            sized, at = _sized(item, sizes.get(item.key)), offsets[item.key]
            corner = Point(corners[holder].x + at.x, corners[holder].y + at.y)
            boxes[item.key] = Box(corner.x, corner.y, sized.width, sized.height)
            corners[item.key] = Point(corner.x + PADDING, corner.y + HEADING)
    return boxes


def _corners(box: Box) -> list[Point]:
    middle = box.centre
    found: list[Point] = []
    for clearance in CLEARANCES:
        left, top = box.x - clearance, box.y - clearance
        right, bottom = box.right + clearance, box.bottom + clearance
        found += [Point(x, y) for y in (top, bottom) for x in (middle.x, left, right)]
        found += [Point(left, middle.y), Point(right, middle.y)]
    return found


def _way(ends: tuple[Point, Point], bend: Point) -> float:
    return sum(math.dist((end.x, end.y), (bend.x, bend.y)) for end in ends)


def _crosses(box: Box, start: Point, end: Point) -> bool:
    """Whether a line goes through a box (Liang and Barsky's clipping)."""
    low, high = 0.0, 1.0
    dx, dy = end.x - start.x, end.y - start.y
    for move, room in (
        (-dx, start.x - box.x), (dx, box.right - start.x), (-dy, start.y - box.y), (dy, box.bottom - start.y),
    ):  # fmt: skip
        if move == 0:
            if room < 0:
                return False
        elif move < 0:
            low = max(low, room / move)
        else:
            high = min(high, room / move)
    return low < high
