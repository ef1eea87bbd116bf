"""Diagrams and operations for property tests, and the plain cells of all the others."""

from __future__ import annotations

import uuid

from hypothesis import Phase, settings
from hypothesis import strategies as st

from threatmodels.operations import State, patch

# Few ids, so that steps meet each other.
IDS = [str(uuid.UUID(int=(0xA << 124) + number)) for number in range(8)]
STRANGER = str(uuid.UUID(int=0xB << 124))
BOXES = ("process", "datastore", "external_entity", "trust_boundary", "text")
CONTAINERS = ("process", "datastore", "external_entity", "trust_boundary")


# No time limit for one example: the machine may be busy. To make what fails smaller takes minutes.
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
some = settings(deadline=None, max_examples=40, phases=PHASES)
many = settings(some, max_examples=100)


def box(cell_id, kind="process", **more):
    geometry = {"position": {"x": 0, "y": 0}, "size": {"width": 100, "height": 60}}
    return {"id": cell_id, "type": kind, "properties": {"label": "x"}, **geometry, **more}


def flow(cell_id, source, target, **more):
    ends = {"source": end(source), "target": end(target)}
    return {"id": cell_id, "type": "data_flow", "properties": {}, **ends, **more}


def end(place):
    return {"cell": place} if isinstance(place, str) else place


# -- whole diagrams

# Sampled and not invented: what matters is how steps meet, and a diagram has to be drawn quickly.
numbers = st.sampled_from([0, 1, 1.0, -7, 12.5, 1e6])
points = st.fixed_dictionaries({"x": numbers, "y": numbers})
sizes = st.sampled_from([{"width": 40, "height": 30}, {"width": 400, "height": 300.5}])
words = st.sampled_from(["", "a", "b", "\u65e5\u672c", "two\nlines"])
values = st.sampled_from(
    [
        True,
        False,
        0,
        1,
        1.0,
        0.5,
        "",
        "a",
        [],
        [1],
        [[True], {"x": 1}],
        {},
        {"x": 1},
        {"x": {"y": [2]}},
        {"y": "b"},
    ]
)
properties = st.fixed_dictionaries({}, optional={"label": words, "k": values, "l": values})
styles = st.sampled_from([{}, {"fill": "#fff"}, {"fill": "red", "dash": "4 2"}])


@st.composite
def boxes(draw, cell_id, parents=(), kinds=BOXES):
    cell = box(
        cell_id,
        draw(st.sampled_from(kinds)),
        properties=draw(properties),
        position=draw(points),
        size=draw(sizes),
    )
    if parents and draw(st.booleans()):
        cell["parent"] = draw(st.sampled_from(parents))
    if draw(st.booleans()):
        cell |= {"z": draw(st.integers(0, 5)), "style": draw(styles)}
    return cell


@st.composite
def flows(draw, cell_id, ends=()):
    places = points | (st.sampled_from(ends).map(end) if ends else points)
    cell = flow(cell_id, draw(places), draw(places), properties=draw(properties))
    if draw(st.booleans()):
        cell |= {"vertices": [draw(points)], "bidirectional": draw(st.booleans())}
    return cell


@st.composite
def diagrams(draw):
    """The cells of a sound diagram: all types, parents, flows between cells and into the open."""
    made = []
    for cell_id in draw(st.lists(st.sampled_from(IDS), unique=True, max_size=len(IDS))):
        ends = [cell["id"] for cell in made if cell["type"] != "data_flow"]
        if draw(st.integers(0, 2)):
            parents = [cell["id"] for cell in made if cell["type"] in CONTAINERS]
            made.append(draw(boxes(cell_id, parents)))
        else:
            made.append(draw(flows(cell_id, ends)))
    return made


# -- operations, many of which do not fit the diagram

nothing = st.none()
changes = st.fixed_dictionaries(
    {},
    optional={
        "properties": st.dictionaries(st.sampled_from(["label", "k", "l"]), values | nothing, max_size=2)
        | st.just({"deep": {"gone": None}})
        | nothing
        | st.just("no object"),
        "position": st.fixed_dictionaries({}, optional={"x": numbers, "y": numbers | nothing}),
        "parent": st.sampled_from([*IDS, STRANGER]) | nothing,
        "z": st.integers(0, 3) | nothing,
        "style": styles | nothing,
        "source": points | st.sampled_from(IDS).map(end),
        "type": st.sampled_from([*BOXES, "data_flow", "cloud"]),
        "id": st.sampled_from(IDS),
    },
)


@st.composite
def steps(draw):
    cell_id = draw(st.sampled_from([*IDS, IDS[0].upper(), IDS[1].upper()]))
    kind = draw(st.sampled_from(["add", "add", "update", "update", "remove"]))
    if kind == "remove":
        return {"id": cell_id, "operation": "remove", "data": None}
    if kind == "update":
        return {"id": cell_id, "operation": "update", "data": draw(changes)}
    cell = draw(boxes(cell_id, IDS) | flows(cell_id, IDS))
    if draw(st.integers(0, 9)) == 0:
        del cell["properties"]
    return {"id": cell_id, "operation": "add", "data": cell}


operations = st.lists(steps(), min_size=1, max_size=4).map(patch)


def picture(state: State):
    """All that a state says of itself: the cells in order, and who refers to whom."""
    everywhere = [*IDS, STRANGER]
    return (
        state.listed(),
        {pk: state.attached(pk) for pk in everywhere},
        {pk: state.children(pk) for pk in everywhere},
    )
