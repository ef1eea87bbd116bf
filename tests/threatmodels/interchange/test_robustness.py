"""Files from strangers: whatever comes, there is one clear error or a sound reading."""

from __future__ import annotations

import copy
import gzip
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from threatmodels.cells import validate_cells
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.limits import Limits
from threatmodels.interchange.registry import WRITERS, read
from threatmodels.interchange.report import Reading

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"
MODELS = sorted(path for path in SAMPLES.glob("threat-dragon-v?/*.json") if "schema" not in path.name)
NAMES = [f"{path.parent.name}/{path.name}" for path in MODELS]

needs_samples = pytest.mark.skipif(not MODELS, reason=f"the sample files are not at {SAMPLES}")

ODD: list[Any] = [
    None, True, 0, -1, 1e308, 10**400, "", "x", "\x00\ud800", "x" * 40_000, [], {}, [[]], [None], {"": None},
    {"x": "1", "y": 2}, {"cell": 5}, {"cell": "?"}, [{"id": 1}], ["a"] * 3,
]  # fmt: skip


KEYS = [
    "id", "shape", "type", "data", "source", "target", "x", "y", "position", "size", "parent", "threats",
    "name", "title", "vertices", "labels", "attrs", "ports", "zIndex", "cell",
]  # fmt: skip
WORDS = ["process", "flow", "a", "tm.Boundary", "td-text-block"]
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS)
)


def objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(KEYS), values, max_size=6)


def tried(data: bytes, limits: Limits | None = None) -> Reading | None:
    """The reading, checked for soundness, or None for a file that is refused with a sentence."""
    try:
        reading = read(data, filename="x.json", limits=limits)
    except UnreadableFile as error:
        refused = error
    else:
        return sound(reading)
    assert refused.message.endswith(".")
    assert refused.message != "The file could not be read.", refused.__cause__
    return None


def sound(reading: Reading) -> Reading:
    for diagram in reading.document.diagrams:
        assert validate_cells(diagram.cells) == []
        assert 1 <= len(diagram.name) <= 200
        assert len(diagram.description) <= 65_536
    ids = [cell["id"] for diagram in reading.document.diagrams for cell in diagram.cells]
    assert len(set(ids)) == len(ids)
    for threat in reading.document.threats:
        assert 1 <= len(threat.name) <= 200
        assert len(threat.description) <= 2000
        assert len(threat.mitigation) <= 32_768
        assert threat.cell_id in ids
        assert all(value.strip() for value in threat.metadata.values())
    assert all(note.content.strip() and 1 <= len(note.name) <= 200 for note in reading.document.notes)
    return reading


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in pairs:
        yield from places(child, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = copy.copy(value)
    changed[path[0]] = replaced(value[path[0]], path[1:], new)
    return changed


@needs_samples
@pytest.mark.parametrize("path", MODELS, ids=NAMES)
def test_truncated_file_is_refused(path: Path) -> None:
    data = path.read_bytes().rstrip()
    for at in range(0, len(data), max(1, len(data) // 40)):
        assert tried(data[:at]) is None
    assert tried(data[:-1]) is None
    assert tried(data) is not None


@needs_samples
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
def test_any_value_may_be_anything(odd: Any) -> None:
    value = json.loads((SAMPLES / "threat-dragon-v2/v2-model.json").read_bytes())
    for path in places(value):
        tried(json.dumps(replaced(value, path, odd)).encode())


@needs_samples
@pytest.mark.parametrize("path", MODELS, ids=NAMES)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_several_values_may_be_anything(path: Path, data: st.DataObject) -> None:
    value = json.loads(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.sampled_from(list(places(value))))
        value = replaced(value, place, data.draw(st.sampled_from(ODD)))
    tried(json.dumps(value).encode())


@settings(max_examples=200, deadline=None)
@given(st.recursive(VALUES, lambda inner: st.lists(inner, max_size=4) | objects(inner), max_leaves=40))
def test_cells_may_be_anything(cell: Any) -> None:
    diagram = {"title": "x", "diagramType": "STRIDE", "cells": [cell, {"id": "a", "shape": "process"}]}
    tried(json.dumps({"summary": {"title": "x"}, "detail": {"diagrams": [diagram]}}).encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_sentence(data: bytes) -> None:
    tried(data)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b" \n ", "is empty"),
        (b"{", "not valid JSON .at line 1, column 2."),
        (b'{"a": NaN}', "holds NaN"),
        (b'{"a": -Infinity}', "holds -Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too long"),
        (b'{"a": "\xff"}', "not valid UTF-8 text .at byte 7."),
        (b"\x89PNG\r\n\x1a\n", "not valid UTF-8"),
        (b"[1, 2]", "not known"),
        (b"hello", "not known. Kinds that can be read: OWASP Threat Dragon"),
        (b"<html></html>", "not known"),
        (b"PK\x03\x04 and no more", "not known"),
        (b"[" * 100_000, "nested too deeply|not valid JSON"),
        (b"[" * 101 + b"]" * 101, "more than 100 levels"),
        (b"[" * 100 + b"1" + b"]" * 100, "not known"),
        (b"\x1f\x8b\x08 broken", "gzip and damaged"),
        (gzip.compress(b'{"summary": 1}', mtime=0)[:-6], "gzip and damaged"),
        (gzip.compress(b'{"summary": 1}', mtime=0) + b"more", "gzip and damaged"),
        (gzip.compress(b"", mtime=0) * 501, "more than 500 parts"),
        (b'{"summary": {"title": 1}, "detail": 2} x', "not valid JSON"),
    ],
)
def test_unreadable_file_gets_one_clear_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableFile, match=sentence) as caught:
        read(data)
    assert caught.value.details["field"] == "file"
    assert caught.value.status == 400


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_file_may_be_in_any_unicode_encoding(encoding: str, model: Any, node: Any) -> None:
    data = json.dumps(model(node(None, "Señal 信号 🛰")), ensure_ascii=False).encode(encoding)
    [cell] = read(data).document.diagrams[0].cells
    assert cell["properties"]["label"] == "Señal 信号 🛰"


@pytest.mark.parametrize(
    "text",
    [
        '"otmVersion": 0.2.0\n"project": {"name": Shop}\n',
        "  otmVersion: 0.2.0\n  project:\n    name: Shop\n",
        "{otmVersion: 0.2.0, project: {name: Shop}}",
    ],
    ids=["quoted", "indented", "flow"],
)
def test_yaml_may_be_written_in_any_way(text: str) -> None:
    assert read(text.encode()).document.name == "Shop"


def test_documents_of_yaml_beyond_the_first_are_reported() -> None:
    first = "otmVersion: 0.2.0\nproject: {name: Shop}\n"
    assert read(first.encode()).report.left_out == []
    reading = read(f"{first}---\n{first}".encode())
    assert reading.document.name == "Shop"
    assert [f.message for f in reading.report.left_out] == [
        "The file has more than one document of YAML; the first was read."
    ]


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252", "utf-8"])
def test_xml_may_be_in_the_encoding_that_it_names(encoding: str) -> None:
    cell = (
        '<mxCell id="a" value="Señal" vertex="1"><mxGeometry width="90" height="60" as="geometry"/></mxCell>'
    )
    text = f'<?xml version="1.0" encoding="{encoding}"?><mxGraphModel><root>{cell}</root></mxGraphModel>'
    [found] = read(text.encode(encoding)).document.diagrams[0].cells
    assert found["properties"]["label"] == "Señal"


def test_a_table_in_the_encoding_of_windows_is_read_with_a_warning() -> None:
    reading = read("name;severity\nSeñal – “x”;high\n".encode("cp1252"))
    assert [threat.name for threat in reading.document.threats] == ["Señal – “x”"]
    assert any("windows-1252" in warning for warning in reading.report.warnings)
    assert tried("name;severity\n\x81é;high\n".encode("latin-1")) is None


@pytest.mark.parametrize("first", ["sep=;\r\n", '\ufeff"sep=;"\r\n', "SEP=;\n"])
def test_the_line_that_names_the_separator_is_no_header(first: str) -> None:
    [threat] = read(f"{first}name;severity\r\nx, y;high\r\n".encode()).document.threats
    assert (threat.name, threat.severity) == ("x, y", "high")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_columns_that_became_metadata_are_columns_again(kind: str) -> None:
    table = "name,severity,Owner,Due date\nx,high,Ada,=1\ny,low,,\n"
    document = read(table.encode()).document
    tool = replace(document.threats[0], metadata={**document.threats[0].metadata, "tm7_id": "5", "risk": "z"})
    data = WRITERS[kind](replace(document, threats=[tool, document.threats[1]]))
    again = read(data).document
    assert [threat.metadata for threat in again.threats] == [{"due_date": "=1", "owner": "Ada"}, {}]
    assert [threat.severity for threat in again.threats] == ["high", "low"]


def test_gzipped_file_is_unpacked(model: Any) -> None:
    data = json.dumps(model()).encode()
    assert read(gzip.compress(data)).document.name == "Shop"
    in_parts = gzip.compress(data[:50]) + gzip.compress(data[50:]) + bytes(512)
    assert read(in_parts).document.name == "Shop"


def test_file_over_the_size_cap_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="larger than 20 MiB"):
        read(b" " * (20 * 1024 * 1024 + 1))


def test_bomb_is_refused_before_it_expands() -> None:
    bomb = gzip.compress(b" " * 60_000_000, mtime=0)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFile, match="unpacks to more than 1 MiB"):
            read(bomb, limits=Limits(max_expanded_bytes=1024 * 1024))
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_limits_on_values_cells_and_elements_are_kept(model: Any, node: Any) -> None:
    data = json.dumps(model(*[node(None) for _ in range(5)])).encode()
    assert tried(data, Limits(max_cells=5, max_elements=5)) is not None
    for limits in (Limits(max_cells=4), Limits(max_elements=4), Limits(max_values=20)):
        assert tried(data, limits) is None


def test_key_that_stands_twice_counts_the_last_time_and_is_reported() -> None:
    reading = read(b'{"summary": {"title": "a", "title": "b"}, "detail": {"diagrams": []}}')
    assert reading.document.name == "b"
    assert any("“title” stands twice" in warning for warning in reading.report.warnings)


def test_mistake_in_a_reader_is_logged_and_told_as_unreadable(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from threatmodels.interchange import registry

    def broken(_: object) -> Reading:
        raise KeyError("secret")

    monkeypatch.setitem(registry.READERS, "threat-dragon", broken)
    with pytest.raises(UnreadableFile, match="could not be read") as caught:
        read(b'{"summary": {"title": "a"}}')
    assert "secret" not in str(caught.value)
    assert "KeyError" in caplog.text


def test_largest_file_is_read_in_seconds(model: Any, node: Any, flow: Any) -> None:
    cells = [{**node(str(i)), "parent": str(i + 1)} for i in range(9_000)]
    flows = [flow(f"f{i}", {"cell": str(i)}, {"cell": str(i + 1)}) for i in range(1_000)]
    reading = tried(json.dumps(model(*cells, *flows)).encode())
    assert reading is not None
    assert reading.report.counts["processes"] == 9_000
