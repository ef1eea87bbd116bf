"""Files made to break readers, in every format: one clear sentence, or a sound reading."""

from __future__ import annotations

import base64
import gzip
import io
import json
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.threatmodels.interchange.samples import (
    COUNTS,
    content,
    files,
    json_of,
    name_of,
    sound,
    sound_reading,
)
from threatmodels.interchange.document import Document
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.limits import Limits
from threatmodels.interchange.registry import WRITERS, read
from threatmodels.interchange.report import Reading

SAMPLES = files(*COUNTS)
JSON_SAMPLES = [path for path in SAMPLES if content(path).lstrip()[:1] == b"{"]
needs_samples = pytest.mark.skipif(not SAMPLES, reason="the sample files are not beside the project")

LONG = "x" * 1_000_000
NASTY = "a\x00b\x1b[31m\u202eevil\ud800\ufffe\r\n" + "y" * 500
ODD: list[Any] = [
    None, True, 0, -1, 1e308, 10**300, "", "x", NASTY, LONG, [], {}, [[]], [None], {"": None},
    {"x": "1", "y": 2}, [{"id": 1}], ["a"] * 3, {"type": "actor", "object": "?"}, "1e999", "NaN",
]  # fmt: skip


def tried(data: bytes, limits: Limits | None = None, *, writing: bool = False) -> Reading | None:
    """A sound reading, or None for a file that is refused with a sentence of its own.

    `writing` says that what was read must go out again in every format.
    """
    refused = None
    try:
        found = read(data, filename="x", limits=limits)
    except UnreadableFile as error:
        refused = error
    if refused is not None:
        assert refused.message.endswith(".")
        assert "\n" not in refused.message
        assert refused.message != "The file could not be read.", repr(refused.__cause__)
        return None
    reading = sound_texts(sound(found))
    if writing:
        for write in WRITERS.values():
            write(reading.document)
    return reading


def sound_texts(reading: Reading) -> Reading:
    """Every text is one that the database takes."""
    document = reading.document
    json.dumps([document.extensions, [d.cells for d in document.diagrams]], allow_nan=False).encode()
    named = [*document.diagrams, *document.threats, *document.assets, *document.notes, *document.documents]
    for item in named:
        assert 1 <= len(item.name.strip()) <= 200
        assert not any(ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 for c in item.name)
        assert "\x00" not in item.description
        assert all(v.strip() and len(v) <= 65_535 and len(k) <= 128 for k, v in item.metadata.items())
    for threat in document.threats:
        assert len(threat.description) <= 2000
        assert len(threat.mitigation) <= 32_768
    assert all(note.content.strip() for note in document.notes)
    assert "\\u0000" not in json.dumps(document.extensions)
    return reading


@needs_samples
@pytest.mark.parametrize("path", SAMPLES, ids=name_of)
def test_a_sample_that_ends_too_early_is_refused_or_soundly_read(path: Path) -> None:
    whole = content(path).rstrip()
    elements = sum(sound_reading(whole).report.counts.values())
    for part in range(20):
        reading = tried(whole[: len(whole) * part // 20])
        if reading is not None:
            # Text that may end anywhere, which JSON and XML may not: what is read is the beginning.
            assert whole[:1] not in {b"{", b"<"}
            assert sum(reading.report.counts.values()) <= elements


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in pairs for place in places(child, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = value.copy()
    changed[path[0]] = replaced(value[path[0]], path[1:], new)
    return changed


@needs_samples
@pytest.mark.parametrize("path", JSON_SAMPLES, ids=name_of)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_values_of_a_sample_may_be_anything(path: Path, data: st.DataObject) -> None:
    value = json_of(path)
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.sampled_from(places(value)))
        value = replaced(value, place, data.draw(st.sampled_from(ODD)))
    tried(json.dumps(value).encode(), writing=True)


@needs_samples
@pytest.mark.parametrize("name", ["otm", "tm-bom", "pytm", "threat-composer"])
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:12])
def test_each_value_near_the_top_may_be_anything(name: str, odd: Any) -> None:
    path = min((p for p in JSON_SAMPLES if p.parent.name == name), key=lambda p: p.stat().st_size)
    value = json_of(path)
    for place in [place for place in places(value) if len(place) <= 3][:60]:
        if not (odd is LONG and len(place) > 2):
            tried(json.dumps(replaced(value, place, odd)).encode())


@needs_samples
@pytest.mark.parametrize("kind", ["tm7", "drawio", "otm", "threagile"])
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_text_with_parts_cut_out_or_changed_is_refused_or_soundly_read(
    kind: str, data: st.DataObject
) -> None:
    path = min(
        (p for p in SAMPLES if p.parent.name == kind and p not in JSON_SAMPLES),
        key=lambda p: p.stat().st_size,
    )
    text = content(path)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        new = data.draw(
            st.sampled_from([b"", b"<", b'"', b"NaN", b"-1e400", b"&x;", b"\x00", b"\n- ", b": ", b"*a"])
        )
        text = text[:at] + new + text[at + data.draw(st.integers(0, 40)) :]
    tried(text)


# -- bombs

ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(12))
XML_BOMBS = {
    "billion laughs": f"<!DOCTYPE mxfile [{ENTITIES}]><mxfile><diagram>&e11;</diagram></mxfile>",
    "quadratic": f'<!DOCTYPE mxfile [<!ENTITY a "{"a" * 50_000}">]><mxfile>{"&a;" * 50_000}</mxfile>',
    "external entity": '<!DOCTYPE mxfile [<!ENTITY x SYSTEM "file:///etc/passwd">]><mxfile>&x;</mxfile>',
    "parameter entity": '<!DOCTYPE mxfile [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x">%x;]><mxfile/>',
    "deep": "<mxfile>" * 100_000,
}
YAML_BOMBS = {
    "laughs": "otmVersion: 0.2.0\na0: &a0 [x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)),
    "merges": "otmVersion: 0.2.0\na0: &a0 {k: v}\n"
    + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}], k{n}: v}}\n" for n in range(1, 30)),
    "deep": "otmVersion: " + "[" * 100_000,
    "itself": "otmVersion: &a [*a]",
    "python": "otmVersion: !!python/object/apply:os.system ['true']",
    "binary": "otmVersion: !!binary AAAA",
    "infinite": "otmVersion: 0.2.0\nx: .inf",
    "no number": "otmVersion: 0.2.0\nx: .nan",
    "long number": "otmVersion: 0.2.0\nx: " + "9" * 5_000,
    "tab": "otmVersion:\n\t- x",
}


@pytest.mark.asvs("v5.0.0-1.5.1")
@pytest.mark.parametrize("text", XML_BOMBS.values(), ids=XML_BOMBS)
def test_an_xml_bomb_is_refused_at_once(text: str) -> None:
    assert quickly(lambda: tried(text.encode())) is None


@pytest.mark.asvs("v5.0.0-1.5.2")
@pytest.mark.parametrize("text", YAML_BOMBS.values(), ids=YAML_BOMBS)
def test_a_yaml_bomb_is_refused_or_harmless(text: str) -> None:
    quickly(lambda: tried(text.encode()))


MANY_VALUES = {
    "lists": "a: [" + "[]," * 3_000_000 + "0]",
    "numbers": "a:\n" + "- 1\n" * 4_000_000,
    "pairs": "".join(f"{n}: \n" for n in range(2_000_001)),
}


@pytest.mark.asvs("v5.0.0-5.2.3", "v5.0.0-15.2.2")
@pytest.mark.parametrize("text", MANY_VALUES.values(), ids=MANY_VALUES)
def test_yaml_of_many_values_is_refused_before_they_are_built(text: str) -> None:
    packed = gzip.compress(f"otmVersion: 0.2.0\n{text}\n".encode(), 1)
    began = time.monotonic()
    with pytest.raises(UnreadableFile, match="more than 2000000 values"):
        quickly(lambda: read(packed))
    assert time.monotonic() - began < 20


def test_what_aliases_repeat_is_counted_before_the_list_around_it_ends() -> None:
    text = f"otmVersion: 0.2.0\na: &a [{'x, ' * 1_000}]\nb: [{'*a, ' * 3_000}\n}}"
    with pytest.raises(UnreadableFile, match="more than 2000000 values"):
        read(text.encode())


@pytest.mark.asvs("v5.0.0-1.5.1", "v5.0.0-5.3.2")
def test_nothing_of_a_file_on_this_machine_is_read() -> None:
    with pytest.raises(UnreadableFile, match="entities, which are not allowed"):
        read(XML_BOMBS["external entity"].encode())


def quickly(act: Callable[[], Any]) -> Any:
    """What it gives, within seconds and some hundred megabytes."""
    tracemalloc.start()
    began = time.monotonic()
    try:
        found = act()
        assert tracemalloc.get_traced_memory()[1] < 300_000_000
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < 20
    return found


def page_of(xml: str) -> str:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(quote(xml).encode()) + packer.flush()
    return f'<diagram name="p">{base64.b64encode(packed).decode()}</diagram>'


@pytest.mark.asvs("v5.0.0-5.2.3")
def test_a_page_that_unpacks_without_end_is_refused() -> None:
    bomb = f"<mxfile>{page_of('<mxGraphModel><root>' + ' ' * 30_000_000)}</mxfile>"
    assert len(bomb) < 200_000
    with pytest.raises(UnreadableFile, match="unpack to more than"):
        quickly(lambda: read(bomb.encode()))


def test_many_pages_share_the_room_to_unpack() -> None:
    page = page_of("<mxGraphModel><root>" + " " * 3_000_000 + "</root></mxGraphModel>")
    with pytest.raises(UnreadableFile, match="unpack to more than"):
        quickly(lambda: read(f"<mxfile>{page * 10}</mxfile>".encode()))


def test_many_pages_share_the_number_of_values() -> None:
    page = page_of("<mxGraphModel><root>" + "<a/>" * 90_000 + "</root></mxGraphModel>")
    with pytest.raises(UnreadableFile, match="more than 200000 values"):
        quickly(lambda: read(f"<mxfile>{page * 3}</mxfile>".encode(), limits=Limits(max_values=200_000)))


def workbook(**parts: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in {"xl/workbook.xml": b"<x/>", **parts}.items():
            archive.writestr(name, part)
    return data.getvalue()


@pytest.mark.asvs("v5.0.0-5.2.3")
def test_a_workbook_that_unpacks_without_end_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="unpacks to more than 50 MiB"):
        quickly(lambda: read(workbook(big=b" " * 60_000_000)))


def changed_workbook(sheet_data: bytes = b"", strings: bytes = b"") -> bytes:
    """A table of threats with more in its sheet, or with strings that its cells may share."""
    with zipfile.ZipFile(io.BytesIO(WRITERS["xlsx"](Document(name="x")))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet, types = "xl/worksheets/sheet1.xml", "[Content_Types].xml"
    parts[sheet] = parts[sheet].replace(b"</sheetData>", sheet_data + b"</sheetData>")
    if strings:
        kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
        named = b'<Override PartName="/xl/sharedStrings.xml" ContentType="' + kind + b'"/></Types>'
        parts |= {types: parts[types].replace(b"</Types>", named), "xl/sharedStrings.xml": strings}
    return workbook(**parts)


def test_a_workbook_of_many_shared_strings_is_refused() -> None:
    strings = b"<sst>" + b"<si><t>a</t></si>" * 1_000_000 + b"</sst>"
    with pytest.raises(UnreadableFile, match="more than 2000000 values"):
        quickly(lambda: read(changed_workbook(strings=strings)))
    assert quickly(lambda: read(changed_workbook(strings=strings[:5] + b"</sst>"))) is not None


@pytest.mark.parametrize("cells", [16_385, 10_000_000])
def test_a_workbook_with_a_row_of_many_cells_is_refused(cells: int) -> None:
    with pytest.raises(UnreadableFile, match=r"more than (2000000 values|16384 cells)"):
        quickly(lambda: read(changed_workbook(b"<row>" + b"<c/>" * cells + b"</row>")))


@pytest.mark.asvs("v5.0.0-5.2.2")
@pytest.mark.parametrize("part", [b"", b"<x/>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", b"\x00"])
def test_a_workbook_that_is_none_is_refused(part: bytes) -> None:
    assert tried(workbook(**{"[Content_Types].xml": part, "xl/workbook.xml": part})) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=6))
def test_a_damaged_workbook_is_refused_or_soundly_read(at: int, new: bytes) -> None:
    whole = WRITERS["xlsx"](Document(name="x"))
    at %= len(whole)
    tried(whole[:at] + new + whole[at + len(new) :])


# -- many, circles, twins, and numbers that are none


def otm(components: list[Any], flows: list[Any] | None = None, zones: list[Any] | None = None) -> bytes:
    value = {
        "otmVersion": "0.2.0",
        "project": {"name": "x", "id": "x"},
        "representations": [{"name": "d", "id": "d", "type": "diagram"}],
        "trustZones": zones or [],
        "components": components,
        "dataflows": flows or [],
    }
    return json.dumps(value).encode()


def box(name: str, parent: Any = None, x: Any = 0, y: Any = 0, width: Any = 100, height: Any = 60) -> Any:
    place = {"position": {"x": x, "y": y}, "size": {"width": width, "height": height}}
    shown = [{"representation": "d", "id": f"{name}-box", **place}]
    return {"id": name, "name": name, "type": "process", "parent": parent, "representations": shown}


MANY = 100_000
CROWDS: dict[str, Callable[[], str]] = {
    "otm": lambda: otm([box(str(n)) for n in range(MANY)]).decode(),
    "drawio": lambda: (
        "<mxGraphModel><root>" + '<mxCell vertex="1" parent="1"/>' * MANY + "</root></mxGraphModel>"
    ),
    "tm7": lambda: (
        "<ThreatModel><DrawingSurfaceList><DrawingSurfaceModel><Borders>"
        + "<KeyValueOfguidanyType><Value><GenericTypeId>GE.P</GenericTypeId></Value></KeyValueOfguidanyType>"
        * MANY
        + "</Borders></DrawingSurfaceModel></DrawingSurfaceList></ThreatModel>"
    ),
    "pytm": lambda: json.dumps(
        {"flows": [], "elements": [{"__class__": "Server", "name": str(n)} for n in range(MANY)]}
    ),
    "tm-bom": lambda: json.dumps(
        {"scope": {}, "components": [{"symbolic_name": f"c{n}"} for n in range(MANY)]}
    ),
    "threagile": lambda: (
        "threagile_version: 1\ntechnical_assets:\n"
        + "".join(f"  n{n}: {{id: n{n}, type: process}}\n" for n in range(MANY))
    ),
    "threat-composer": lambda: json.dumps({"applicationInfo": {}, "threats": [{"statement": "x"}] * MANY}),
    "csv": lambda: "name,severity\n" + "x,high\n" * MANY,
    "tmi": lambda: json.dumps(
        {
            "format": "tmi-threat-model",
            "version": 1,
            "threat_model": {"name": "x", "notes": [{"name": "n", "content": "c"}] * MANY},
        }
    ),
}


@pytest.mark.asvs("v5.0.0-15.2.2")
@pytest.mark.parametrize("kind", CROWDS)
def test_a_hundred_thousand_elements_are_refused_in_seconds(kind: str) -> None:
    data = CROWDS[kind]().encode()
    began = time.monotonic()
    with pytest.raises(UnreadableFile, match=r"more than|are allowed"):
        read(data)
    assert time.monotonic() - began < 40


def test_as_many_elements_as_are_allowed_are_arranged_in_seconds() -> None:
    names = [str(n) for n in range(5_000)]
    elements = [{"id": n, "name": n, "type": "process", "parent": {"trustZone": "z"}} for n in names]
    flows = [{"id": f"f{n}", "name": n, "source": n, "destination": str(int(n) * 7 % 5_000)} for n in names]
    data = otm(elements, flows[:4_000], [{"id": "z", "name": "z", "risk": {"trustRating": 1}}])
    began = time.monotonic()
    assert tried(data) is not None
    assert time.monotonic() - began < 40


def test_parents_in_a_circle_are_broken_and_reported() -> None:
    ring = [box(str(n), {"component": str((n + 1) % 50)}) for n in range(50)] + [
        box("own", {"component": "own"})
    ]
    reading = tried(otm(ring))
    assert reading is not None
    assert len([w for w in reading.report.warnings if "inside itself" in w]) == 2


def test_a_long_chain_of_parents_is_no_problem() -> None:
    chain = [box(str(n), {"component": str(n + 1)}) for n in range(3_000)]
    assert tried(otm(chain)) is not None


def test_twins_get_ids_of_their_own_and_are_reported() -> None:
    reading = tried(
        otm([box("a"), box("a", x=300), box("a", x=600)], [{"id": "a", "source": "a", "destination": "a"}])
    )
    assert reading is not None
    assert reading.report.counts["processes"] == 3
    assert len([w for w in reading.report.warnings if "stands twice" in w]) >= 2


@pytest.mark.parametrize("odd", ["NaN", "Infinity", "1e999", None, [], {}, True, "x", 1e300, -1e300, "١"])
def test_coordinates_that_are_none_leave_the_element_without_a_place(odd: Any) -> None:
    reading = tried(otm([box("a"), box("b", x=odd), box("c", width=odd), box("d", y=odd, height=odd)]))
    assert reading is not None
    assert reading.report.counts["processes"] == 4
    for text in (f'x="{odd}" y="0" width="9" height="9"', f'x="0" y="0" width="{odd}" height="{odd}"'):
        cell = f'<mxCell id="a" vertex="1"><mxGeometry {text} as="geometry"/></mxCell>'
        assert tried(f"<mxGraphModel><root>{cell}</root></mxGraphModel>".encode()) is not None


@pytest.mark.asvs("v5.0.0-1.3.3")
@pytest.mark.parametrize("name", [NASTY, LONG, "\t\n", "<script>alert(1)</script>", "\u202e" * 300])
def test_any_name_becomes_one_that_can_be_stored(name: str) -> None:
    threat = {
        "id": "t",
        "name": name,
        "description": name,
        "categories": [name],
        "risk": {"likelihood": 1, "impact": 1},
    }
    element = {
        **box("a"),
        "name": name,
        "description": name,
        "type": name,
        "threats": [{"threat": "t", "state": name}],
    }
    value = {
        **json.loads(otm([element])),
        "threats": [threat],
        "assets": [{"id": "a", "name": name, "risk": {}}],
    }
    value["project"] = {"name": name, "id": name, "owner": name, "tags": [name]}
    reading = tried(json.dumps(value).encode())
    assert reading is not None
    assert reading.report.counts["threats"] == 1
    if name is LONG:
        assert any(note.content.startswith("xxx") for note in reading.document.notes)


def test_flows_to_nowhere_end_freely_or_are_left_out() -> None:
    flows = [{"id": "f", "source": "a", "destination": "?"}, {"id": "g", "source": "?", "destination": "?"}]
    reading = tried(otm([box("a")], flows))
    assert reading is not None
    assert reading.report.counts["data_flows"] == 1
    assert any("Neither of its ends" in finding.message for finding in reading.report.left_out)


def test_a_flow_on_a_flow_of_draw_io_is_free_there() -> None:
    cells = (
        '<mxCell id="a" vertex="1" parent="1"><mxGeometry width="90" height="60" as="geometry"/></mxCell>'
        '<mxCell id="e" edge="1" parent="1" source="a" target="a"/>'
        '<mxCell id="f" edge="1" parent="1" source="a" target="e"/>'
        '<mxCell id="g" edge="1" parent="g" source="g" target="g"/>'
    )
    reading = tried(f"<mxGraphModel><root>{cells}</root></mxGraphModel>".encode())
    assert reading is not None
    assert reading.report.counts["data_flows"] == 2
