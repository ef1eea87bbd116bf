"""Every sample file is read whole, counted by another hand, and drawn so that people can read it."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.threatmodels.interchange.samples import (
    COUNTS,
    PICTURES,
    content,
    counted,
    files,
    json_of,
    name_of,
    sound_reading,
)
from threatmodels.interchange.document import Diagram
from threatmodels.interchange.registry import read
from threatmodels.pictures.svg import diagram_svg

FILES = files(*COUNTS)
Box = tuple[float, float, float, float]

pytestmark = pytest.mark.skipif(not FILES, reason="the sample files are not beside the project")


def box_of(cell: dict[str, Any]) -> Box:
    x, y = cell["position"]["x"], cell["position"]["y"]
    return x, y, x + cell["size"]["width"], y + cell["size"]["height"]


def meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def holds(outer: Box, inner: Box) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def boxed(diagram: Diagram) -> list[dict[str, Any]]:
    return [c for c in diagram.cells if "position" in c and "line" not in c["properties"]]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_element_of_every_sample_is_read(path: Path) -> None:
    reading = sound_reading(path.read_bytes(), path.name)
    expected = COUNTS[path.parent.name](path)
    found = counted(reading)
    assert {name: found[name] for name in expected} == expected
    assert [f for f in reading.report.left_out if not f.message.startswith(PICTURES)] == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_reading_a_sample_twice_gives_the_same(path: Path) -> None:
    assert read(path.read_bytes(), filename="a") == read(path.read_bytes(), filename="a")


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_boundary_holds_what_belongs_to_it(path: Path) -> None:
    for diagram in read(path.read_bytes()).document.diagrams:
        cells = {cell["id"]: cell for cell in boxed(diagram)}
        for cell in cells.values():
            if "parent" in cell:
                assert holds(box_of(cells[cell["parent"]]), box_of(cell)), cell["properties"]["label"]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_elements_beside_each_other_do_not_overlap(path: Path) -> None:
    """In none of the samples do they in the file, so that they must not here."""
    for diagram in read(path.read_bytes()).document.diagrams:
        nodes = [cell for cell in boxed(diagram) if cell["type"] not in {"trust_boundary", "text"}]
        for one, other in combinations(nodes, 2):
            if other["id"] != one.get("parent") and one["id"] != other.get("parent"):
                assert not meet(box_of(one), box_of(other)), (one["properties"], other["properties"])


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_diagram_of_a_sample_is_drawn_with_its_labels(path: Path) -> None:
    for diagram in read(path.read_bytes()).document.diagrams:
        svg = diagram_svg(diagram.cells, title=diagram.name)
        assert svg.count("data-cell") >= len(diagram.cells)


def test_what_a_mitigation_assumes_is_said_with_it() -> None:
    [path] = [path for path in FILES if path.name == "GenAIChatbot.tc.json"]
    value = json_of(path)
    document = read(path.read_bytes()).document
    unused = next((n.content for n in document.notes if n.name == "Mitigations without a threat"), "")
    texts = "\n".join([*(threat.mitigation for threat in document.threats), unused])
    contents = {one["id"]: " ".join(one["content"].split()) for one in value["assumptions"]}
    linked = {one["assumptionId"] for one in value["assumptionLinks"] if one["type"] == "Mitigation"}
    assert linked
    assert all(f"  Assumption: {contents[ref]}" in texts for ref in linked)


def test_threats_of_the_microsoft_tool_keep_what_a_template_added() -> None:
    [path] = [path for path in FILES if path.name == "MTMT_example.tm7.gz"]
    pair = b"<a:KeyValueOfstringstring><a:Key>%s</a:Key><a:Value>%s</a:Value></a:KeyValueOfstringstring>"
    text = content(path).replace(b"<b:Properties>", b"<b:Properties>" + pair % (b"Team Owner", b"Red"), 1)
    text = text.replace(b'<b:ChangedBy i:nil="true"/>', b"<b:ChangedBy>Ada</b:ChangedBy>", 1)
    assert b"<b:ChangedBy>Ada" in text
    [threat] = [t for t in read(text).document.threats if "tm7_team_owner" in t.metadata]
    assert threat.metadata["tm7_team_owner"] == "Red"
    assert threat.metadata["tm7_changed_by"] == "Ada"


def test_a_packed_sample_is_the_same_as_the_file_in_it() -> None:
    [path] = [path for path in FILES if path.name == "MTMT_example.tm7.gz"]
    assert read(path.read_bytes()) == read(content(path))
