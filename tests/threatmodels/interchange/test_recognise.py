"""Every kind of file is told by its content."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.recognise import recognise

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"
KIND_OF_FOLDER = {
    "threat-dragon-v1": "threat-dragon",
    "threat-dragon-v2": "threat-dragon",
    "otm": "otm",
    "tm7": "tm7",
    "tm-bom": "tm-bom",
    "drawio": "drawio",
    "pytm": "pytm",
    "threagile": "threagile",
    "threat-composer": "threat-composer",
}
FILES = sorted(path for folder in KIND_OF_FOLDER for path in SAMPLES.glob(f"{folder}/*"))

needs_samples = pytest.mark.skipif(not FILES, reason=f"the sample files are not at {SAMPLES}")


@needs_samples
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_sample_is_recognised_whatever_it_is_called(path: Path) -> None:
    data = path.read_bytes()
    if "schema" in path.name:
        with pytest.raises(UnreadableFile, match="JSON Schema"):
            recognise(data)
    elif path.name == "not_xml.drawio":
        assert recognise(data, path.name) == ""
    else:
        assert recognise(data, "wrong.csv") == KIND_OF_FOLDER[path.parent.name]


def test_gzipped_file_is_recognised_too() -> None:
    assert recognise(gzip.compress(b"otmVersion: 0.2.0")) == "otm"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'<?xml version="1.0"?><!-- <mxfile> --><a:ThreatModel xmlns:a="x"/>', "tm7"),
        (b"<mxGraphModel/>", "drawio"),
        (b"# comment\n\notmVersion: 0.2.0\n", "otm"),
        (b'\xef\xbb\xbf {"summary": {"title": ""}, "detail": {}}', "threat-dragon"),
        (b'{"detail": {"diagrams": []}}', "threat-dragon"),
        (b'{"summary": "text"}', ""),
        (b"note: otmVersion: 1", ""),
        (b"note:\n  otmVersion: 1", ""),
        (b'"otmVersion": 0.2.0\n', "otm"),
        (b"---\n\n  # comment\n  project: {}\n  'otmVersion' : 0.2.0\n", "otm"),
        (b"{otmVersion: 0.2.0, project: {name: x}}", "otm"),
        (b"{project: {name: x},\n 'threagile_version': 1.0.0}", "threagile"),
        (b'{"threagile_version": "1.0.0"}', "threagile"),
        (b"name,severity\nx,high\n", "csv"),
        ('\ufeff"Title";"Status"\nx;Open\n'.encode(), "csv"),
        (b"name,age\nAda,36\n", ""),
        (b'{"format": "tmi-threat-model", "version": 1}', "tmi"),
        (b"<html>", ""),
        (b"<!-- open", ""),
        (b"<!----><!DOCTYPE x><?y?>", ""),
        (b'<!DOCTYPE x>  <?y?>\n<mxfile a="1">', "drawio"),
    ],
)
def test_kind_is_told_by_content(data: bytes, kind: str) -> None:
    assert recognise(data) == kind
