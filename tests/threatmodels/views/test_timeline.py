"""A diagram as it was."""

from __future__ import annotations

import re

import pytest

from tests.threatmodels.drawing import IDS, box
from tests.threatmodels.views.furniture import url
from threatmodels.actions.diagram import create_diagram
from threatmodels.actions.operation import write_cells
from threatmodels.actions.record import create_record
from threatmodels.models import Diagram, Note

A, B = IDS[:2]


def named(cell_id, label):
    return box(cell_id, properties={"label": label})


@pytest.fixture
def diagram(cast, threat_model):
    """Three moments: one cell, another name for it, a second cell."""
    made = create_diagram(
        threat_model=threat_model, actor=cast.owner, name="Main", cells=[named(A, "First name")]
    )
    write_cells(made, actor=cast.owner, cells=[named(A, "Second name")])
    write_cells(made, actor=cast.owner, cells=[named(A, "Second name"), named(B, "Newcomer")])
    return Diagram.objects.get(pk=made.pk)


def page(client, threat_model, diagram, rest=""):
    return client.get(url(threat_model, f"/diagrams/{diagram.pk}/timeline{rest}")).content.decode()


def test_pictures_show_the_diagram_as_it_was(cast, browse, threat_model, diagram):
    client = browse(cast.reader)
    there = url(threat_model, f"/diagrams/{diagram.pk}/picture.svg")
    then, now = client.get(f"{there}?at=1").content.decode(), client.get(there).content.decode()
    assert "First" in then
    assert "Second" not in then
    assert "Newcomer" in now


def test_two_moments_beside_each_other_have_the_same_frame(cast, browse, threat_model, diagram):
    far = box(B, position={"x": 2000, "y": 900}, properties={"label": "Far"})
    write_cells(diagram, actor=cast.owner, cells=[named(A, "Second name"), far])
    client = browse(cast.reader)
    there = url(threat_model, f"/diagrams/{diagram.pk}/picture.svg")
    shown = page(client, threat_model, diagram, "?at=4&with=1")
    assert f"{there}?with=1&amp;at=4" in shown
    assert f"{there}?with=4&amp;at=1" in shown

    def frame(rest):
        return re.search('viewBox="([^"]+)"', client.get(there + rest).content.decode()).group(1)

    assert frame("?at=1") != frame("?at=4")
    assert frame("?with=1&at=4") == frame("?with=4&at=1")
    assert frame("?with=x&at=4") == frame("?at=4")


def test_two_moments_are_compared(cast, browse, threat_model, diagram):
    shown = page(browse(cast.reader), threat_model, diagram, "?at=3&with=1")
    told = shown[shown.index("differences-title") :]
    assert "Second name" in told
    assert "changed" in told
    assert "Newcomer" in told
    assert "added" in told
    assert (
        told
        == (again := page(browse(cast.reader), threat_model, diagram, "?at=1&with=3"))[
            again.index("differences-title") :
        ]
    )


def test_a_writer_brings_a_moment_back_and_it_is_one_more_change(cast, browse, threat_model, diagram):
    there = url(threat_model, f"/diagrams/{diagram.pk}/timeline/restore")
    assert browse(cast.writer).post(there, {"at": "1"}).status_code == 302
    diagram.refresh_from_db()
    assert diagram.update_vector == 4
    assert [cell["properties"]["label"] for cell in diagram.current_cells] == ["First name"]


def test_readers_and_outsiders_bring_nothing_back(cast, browse, threat_model, diagram):
    there = url(threat_model, f"/diagrams/{diagram.pk}/timeline/restore")
    people = (cast.reader, cast.outsider, None)
    assert [browse(one).post(there, {"at": "1"}).status_code for one in people] == [403, 404, 302]
    assert "Restore this" not in page(browse(cast.reader), threat_model, diagram, "?at=1")
    diagram.refresh_from_db()
    assert diagram.update_vector == 3


@pytest.mark.parametrize("at", ["", "nonsense", "-1", "99", "9" * 400, "1e3", "²", "%00"])
def test_a_moment_that_is_none_is_the_nearest(cast, browse, threat_model, diagram, at):
    client = browse(cast.reader)
    assert (
        client.get(url(threat_model, f"/diagrams/{diagram.pk}/timeline?at={at}&with={at}")).status_code == 200
    )
    assert client.get(url(threat_model, f"/diagrams/{diagram.pk}/picture.svg?at={at}")).status_code in (
        200,
        404,
    )
    restore = url(threat_model, f"/diagrams/{diagram.pk}/timeline/restore")
    assert browse(cast.writer).post(restore, {"at": at}).status_code == 404


def test_the_history_of_the_model_tells_of_drawing_and_leads_there(cast, browse, threat_model, diagram):
    client, there = browse(cast.reader), url(threat_model, f"/diagrams/{diagram.pk}/timeline")
    shown = client.get(url(threat_model, "/history")).content.decode()
    assert f'3 changes to <a href="{there}">Main</a>' in shown
    for query, number in (("?entity=diagram", 1), ("?entity=note", 0), (f"?actor={cast.reader.pk}", 0)):
        assert client.get(url(threat_model, f"/history{query}")).content.decode().count(there) == number
    assert f'href="{there}"' in client.get(url(threat_model)).content.decode()
    for number in range(60):
        create_record(Note, threat_model=threat_model, actor=cast.owner, name=str(number), content="x")
    assert there not in client.get(url(threat_model, "/history")).content.decode()
    assert there in client.get(url(threat_model, "/history?page=2")).content.decode()


def test_the_number_of_queries_does_not_grow_with_the_history(
    cast, browse, threat_model, diagram, django_assert_max_num_queries
):
    for number in range(20):
        write_cells(diagram, actor=cast.owner, cells=[named(A, str(number))])
    client = browse(cast.reader)
    with django_assert_max_num_queries(16):
        page(client, threat_model, diagram, "?at=20&with=5")
