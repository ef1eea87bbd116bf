"""draw.io (diagrams.net): pages of shapes in XML, as they are or deflated."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from threatmodels.interchange.assembly import Assembly
from threatmodels.interchange.document import FRAMEWORKS
from threatmodels.interchange.drawio_page import Page
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.plain import mapping
from threatmodels.interchange.report import Reading
from threatmodels.interchange.source import Source
from threatmodels.interchange.xml_file import children, load_xml, local, too_many, values_in

KIND = "drawio"
DAMAGED = "A page of the file is packed and damaged."


def read(source: Source) -> Reading:
    """The diagrams in a file whose root is `mxfile` or `mxGraphModel`."""
    root = load_xml(source.text, source.limits)
    file = Assembly(source, KIND)
    model: dict[str, Any] = {}
    pages = 0
    for name, graph in _pages(root, source):
        page = Page(graph, source.limits)
        model = model or page.ours.get("model", {})
        page.add_to(file, name)
        pages += 1
    if not pages:
        raise UnreadableFile("The draw.io file has no pages.")
    model = mapping(model)
    return file.reading(
        name=model.get("name"),
        description=model.get("description"),
        framework=model.get("framework") if model.get("framework") in FRAMEWORKS else "STRIDE",
        metadata=list(mapping(model.get("metadata")).items()),
    )


def _pages(root: Element, source: Source) -> Iterator[tuple[str, Element]]:
    """One page after the other, for each may be as large as all of them together may be."""
    if local(root.tag) == "mxGraphModel":
        yield "", root
        return
    limits = source.limits
    room, values = limits.max_expanded_bytes, values_in(source.text)
    for diagram in children(root, "diagram"):
        graph = next(children(diagram, "mxGraphModel"), None)
        if graph is None and (diagram.text or "").strip():
            packed = inflated((diagram.text or "").strip(), room)
            room -= len(packed)
            text = _text_of(packed)
            values += values_in(text)
            if values > limits.max_values:
                raise too_many(limits)
            graph = load_xml(text, limits)
        if graph is not None and local(graph.tag) == "mxGraphModel":
            yield diagram.get("name") or "", graph


def inflated(text: str, room: int) -> bytes:
    """A page as it was before it was packed: its characters are still escaped as in a URL."""
    if text.startswith(("<", "%3C")):
        return text.encode()
    try:
        reader = zlib.decompressobj(-zlib.MAX_WBITS)
        content = reader.decompress(base64.b64decode(text, validate=False), room + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise UnreadableFile(DAMAGED) from error
    if len(content) > room:
        raise UnreadableFile("The pages of the file unpack to more than is allowed.")
    if not reader.eof:
        raise UnreadableFile(DAMAGED)
    return content


def _text_of(content: bytes) -> str:
    try:
        return unescaped(content).decode()
    except UnicodeDecodeError as error:
        raise UnreadableFile(DAMAGED) from error


def unescaped(content: bytes) -> bytes:
    """Without the escapes of URLs, by way of quoted-printable, which differs in a sign alone."""
    return binascii.a2b_qp(content.replace(b"=", b"=3D").replace(b"%", b"="))
