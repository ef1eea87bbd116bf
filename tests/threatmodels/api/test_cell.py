"""Cells one by one, the history of a diagram, and a diagram for other tools."""

from __future__ import annotations

import io
import json
import struct
import threading
from xml.etree import ElementTree

import pytest
import yaml
from django.db import connection

from threatmodels.actions.diagram import create_diagram
from threatmodels.actions.record import create_record, delete_record, restore_record
from threatmodels.models import Asset, DiagramOperation


def cell_id(number):
    return f"00000000-0000-4000-8000-{number:012}"


def box(number, label="Till", **more):
    place = {"position": {"x": 100 * number, "y": 0}, "size": {"width": 80, "height": 60}}
    return {"id": cell_id(number), "type": "process", "properties": {"label": label}, **place, **more}


def flow(number, source, target, **more):
    ends = {"source": {"cell": cell_id(source)}, "target": {"cell": cell_id(target)}}
    return {"id": cell_id(number), "type": "data_flow", "properties": {"label": "order"}, **ends, **more}


@pytest.fixture
def diagram(cast, threat_model):
    cells = [box(1), box(2, "Shelf"), flow(3, 1, 2)]
    return create_diagram(threat_model=threat_model, actor=cast.owner, name="Overview", cells=cells)


@pytest.fixture
def base(threat_model, diagram):
    return f"/api/v1/threat_models/{threat_model.pk}/diagrams/{diagram.pk}"


@pytest.fixture
def writer(cast, api):
    return api(cast.writer)


def put(client, base, cell, **headers):
    return client.put(f"{base}/cells/{cell['id']}", cell, format="json", headers=headers)


def data(answer, status=200):
    assert answer.status_code == status, answer.content
    return answer.json()["data"]


def problem(answer, status=400):
    assert answer.status_code == status, answer.content
    return answer.json()["error"]["details"]


def log(diagram):
    return list(DiagramOperation.objects.filter(diagram=diagram).order_by("sequence_number"))


def test_the_cells_come_whole(writer, base):
    answer = writer.get(f"{base}/cells")
    assert [cell["id"] for cell in data(answer)] == [cell_id(1), cell_id(2), cell_id(3)]
    assert answer.json()["meta"]["pagination"] == {"page": 1, "limit": 3, "total": 3, "pages": 1}


def test_the_cells_come_as_they_were_after_any_operation(writer, base):
    put(writer, base, box(4, "Safe"))
    writer.delete(f"{base}/cells/{cell_id(1)}")

    def ids(at):
        return {cell["id"] for cell in data(writer.get(f"{base}/cells?at={at}"))}

    assert ids(0) == set()
    assert ids(1) == {cell_id(number) for number in (1, 2, 3)}
    assert ids(2) == {cell_id(number) for number in (1, 2, 3, 4)}
    assert ids(3) == {cell_id(2), cell_id(4)}


@pytest.mark.parametrize(
    ("at", "status"), [("", 400), ("x", 400), ("-1", 400), ("1.5", 400), ("9" * 30, 400), ("99", 404)]
)
def test_a_moment_that_is_none_is_refused(writer, base, at, status):
    answer = writer.get(f"{base}/cells?at={at}")
    assert answer.status_code == status
    if status == 400:
        assert problem(answer)["field"] == "at"


def test_a_cell_is_made_changed_and_removed_each_by_one_operation(writer, base, diagram):
    assert data(put(writer, base, box(4, "Safe")), 201) == box(4, "Safe")
    assert data(put(writer, base, box(4, "Vault")))["properties"] == {"label": "Vault"}
    patch = {"properties": {"label": None, "colour": "red"}, "position": {"x": 7}}
    changed = data(writer.patch(f"{base}/cells/{cell_id(4)}", patch, format="json"))
    assert changed["properties"] == {"colour": "red"}
    assert changed["position"] == {"x": 7, "y": 0}
    assert writer.delete(f"{base}/cells/{cell_id(4)}").status_code == 204
    assert writer.get(f"{base}/cells/{cell_id(4)}").status_code == 404
    kinds = [one.operation["cells"][0]["operation"] for one in log(diagram)]
    assert kinds == ["add", "add", "update", "update", "remove"]
    assert [one.sequence_number for one in log(diagram)] == [1, 2, 3, 4, 5]


def test_writing_what_is_there_already_is_no_operation(writer, base, diagram):
    data(put(writer, base, box(1)))
    data(writer.patch(f"{base}/cells/{cell_id(1)}", {"z": None}, format="json"))
    assert len(log(diagram)) == 1


def test_removing_a_cell_takes_its_flows_along(writer, base):
    writer.delete(f"{base}/cells/{cell_id(1)}")
    assert [cell["id"] for cell in data(writer.get(f"{base}/cells"))] == [cell_id(2)]


def test_a_json_patch_of_a_cell(writer, base):
    kind = "application/json-patch+json"
    operations = '[{"op": "replace", "path": "/properties/label", "value": "Desk"}]'
    changed = writer.patch(f"{base}/cells/{cell_id(1)}", operations, content_type=kind)
    assert data(changed)["properties"]["label"] == "Desk"
    test = '[{"op": "test", "path": "/type", "value": "text"}]'
    assert writer.patch(f"{base}/cells/{cell_id(1)}", test, content_type=kind).status_code == 409


@pytest.mark.parametrize(
    ("cell", "field"),
    [
        ({**box(4), "size": {"width": 1, "height": 60}}, "/size/width"),
        ({**box(4), "color": "red"}, "/color"),
        ({**box(4), "properties": {"label": None}}, "/properties/label"),
        (box(4, parent=cell_id(9)), "/parent"),
        (flow(4, 1, 9), "/target/cell"),
        ({**box(4), "data_asset_ids": [cell_id(8)]}, "/data_asset_ids/0"),
        ({**box(4), "type": "cloud"}, "/type"),
        ({"id": cell_id(4)}, "/type"),
    ],
)
def test_what_is_wrong_with_a_cell_is_named_by_its_place_in_the_body(writer, base, diagram, cell, field):
    assert problem(put(writer, base, cell))["field"] == field
    assert len(log(diagram)) == 1


def test_a_change_that_breaks_another_cell_is_refused(writer, base):
    text = {**box(1), "type": "data_flow"}
    assert put(writer, base, text).status_code == 400
    assert data(writer.get(f"{base}/cells/{cell_id(1)}"))["type"] == "process"


@pytest.mark.parametrize("body", ["[]", '"text"', "3", "null", "{"])
def test_a_cell_is_an_object(writer, base, body):
    answer = writer.put(f"{base}/cells/{cell_id(1)}", body, content_type="application/json")
    assert answer.status_code == 400


def test_the_id_of_the_body_is_that_of_the_address(writer, base):
    answer = writer.put(f"{base}/cells/{cell_id(4)}", box(5), format="json")
    assert problem(answer)["field"] == "id"
    without = {key: value for key, value in box(4).items() if key != "id"}
    assert data(writer.put(f"{base}/cells/{cell_id(4)}", without, format="json"), 201)["id"] == cell_id(4)


@pytest.mark.parametrize("wrong", ["x", "00000000-0000-4000-8000-00000000000", cell_id(9)])
def test_a_cell_that_is_not_there_is_not_found(writer, base, wrong):
    assert writer.get(f"{base}/cells/{wrong}").status_code == 404
    assert writer.patch(f"{base}/cells/{wrong}", {}, format="json").status_code == 404
    assert writer.delete(f"{base}/cells/{wrong}").status_code == 404


@pytest.mark.parametrize(
    ("who", "read", "write"), [("reader", 200, 403), ("outsider", 404, 404), (None, 401, 401)]
)
def test_roles(cast, api, base, diagram, who, read, write):
    client = api(cast.named(who) if who else None)
    for path in ("cells", f"cells/{cell_id(1)}", "operations", "model", "svg", "png"):
        assert client.get(f"{base}/{path}").status_code == read
    assert put(client, base, box(4)).status_code == write
    assert client.patch(f"{base}/cells/{cell_id(1)}", {}, format="json").status_code == write
    assert client.delete(f"{base}/cells/{cell_id(1)}").status_code == write
    assert client.post(f"{base}/operations/0/revert").status_code == write
    assert len(log(diagram)) == 1


def test_a_patch_takes_no_cell_its_id(writer, base):
    path = f"{base}/cells/{cell_id(1)}"
    assert problem(writer.patch(path, {"id": None}, format="json"))["field"] == "id"
    removal = json.dumps([{"op": "remove", "path": "/id"}])
    refused = writer.patch(path, removal, content_type="application/json-patch+json")
    assert problem(refused)["field"] == "id"


def test_if_match_guards_a_cell(writer, base):
    tag = writer.get(f"{base}/cells/{cell_id(1)}")["ETag"]
    assert put(writer, base, box(1, "One"), **{"If-Match": tag}).status_code == 200
    assert put(writer, base, box(1, "Two"), **{"If-Match": tag}).status_code == 412
    assert writer.get(f"{base}/cells/{cell_id(1)}", headers={"If-None-Match": tag}).status_code == 200
    assert writer.delete(f"{base}/cells/{cell_id(1)}", headers={"If-Match": tag}).status_code == 412


def test_a_deleted_asset_is_left_out_and_comes_back(cast, writer, base, threat_model):
    asset = create_record(Asset, threat_model=threat_model, actor=cast.owner, name="Cards", type="data")
    cell = box(1, data_asset_ids=[str(asset.pk)])
    data(put(writer, base, cell))
    delete_record(asset, actor=cast.owner)
    seen = data(writer.get(f"{base}/cells/{cell_id(1)}"))
    assert seen["data_asset_ids"] == []
    assert data(writer.get(base))["diagram_data"]["cells"][0]["data_asset_ids"] == []
    data(put(writer, base, {**seen, "properties": {"label": "Changed meanwhile"}}))
    restore_record(asset, actor=cast.owner)
    assert data(writer.get(f"{base}/cells/{cell_id(1)}"))["data_asset_ids"] == [str(asset.pk)]


@pytest.mark.parametrize("way", ["put", "patch"])
def test_a_write_answers_what_a_read_shows(cast, writer, base, diagram, threat_model, way):
    asset = create_record(Asset, threat_model=threat_model, actor=cast.owner, name="Cards", type="data")
    path = f"{base}/cells/{cell_id(1)}"
    data(put(writer, base, box(1, data_asset_ids=[str(asset.pk)])))
    delete_record(asset, actor=cast.owner)
    if way == "put":
        # In an order of keys that is not that of the database.
        written = put(writer, base, dict(reversed(box(1, "Changed", data_asset_ids=[]).items())))
    else:
        written = writer.patch(path, {"properties": {"label": "Changed"}}, format="json")
    assert data(written)["data_asset_ids"] == []
    seen = writer.get(path)
    assert (seen["ETag"], data(seen)) == (written["ETag"], data(written))
    assert put(writer, base, box(1, "Again"), **{"If-Match": written["ETag"]}).status_code == 200


def test_a_cell_may_keep_a_deleted_asset_and_not_begin_to_name_it(cast, writer, base, threat_model):
    asset = create_record(Asset, threat_model=threat_model, actor=cast.owner, name="Cards", type="data")
    cell = box(1, data_asset_ids=[str(asset.pk)])
    data(put(writer, base, cell))
    delete_record(asset, actor=cast.owner)
    data(put(writer, base, cell))
    other = box(2, data_asset_ids=[str(asset.pk)])
    assert problem(put(writer, base, other))["field"] == "/data_asset_ids/0"
    assert problem(put(writer, base, {**other, "id": cell_id(9)}))["field"] == "/data_asset_ids/0"
    body = {"diagram_data": {"cells": [cell, other]}}
    place = "/diagram_data/cells/1/data_asset_ids/0"
    assert problem(writer.patch(base, body, format="json"))["field"] == place
    copied = writer.post(base.rpartition("/")[0], {"name": "Copy", **body}, format="json")
    assert problem(copied)["field"] == "/diagram_data/cells/0/data_asset_ids/0"
    kept = data(writer.patch(base, {"diagram_data": {"cells": [cell, box(2)]}}, format="json"))
    assert kept["diagram_data"]["cells"][0]["data_asset_ids"] == []
    restore_record(asset, actor=cast.owner)
    assert data(writer.get(f"{base}/cells/{cell_id(1)}"))["data_asset_ids"] == [str(asset.pk)]


# -- history


def test_the_history_is_newest_first_and_paged(cast, writer, base):
    put(writer, base, box(4))
    put(writer, base, box(5))
    listed = writer.get(f"{base}/operations?limit=2")
    assert [one["sequence_number"] for one in data(listed)] == [3, 2]
    assert listed.json()["meta"]["pagination"]["total"] == 3
    entry = data(listed)[0]
    assert set(entry) == {
        "sequence_number",
        "operation_id",
        "user_internal_uuid",
        "operation",
        "timestamp",
        "undo_of",
        "redo_of",
    }
    assert entry["user_internal_uuid"] == str(cast.writer.pk)
    assert entry["operation"]["cells"] == [{"id": cell_id(5), "operation": "add", "data": box(5)}]
    assert writer.get(f"{base}/operations?search=x").status_code == 400
    walked = data(writer.get(f"{base}/operations?cursor=&limit=1"))
    assert [one["sequence_number"] for one in walked] == [3]


def test_the_history_names_no_deleted_asset(cast, threat_model, writer, base):
    asset, other = (
        create_record(Asset, threat_model=threat_model, actor=cast.owner, name=name, type="data")
        for name in ("Cards", "Names")
    )
    both = [str(asset.pk), str(other.pk)]
    put(writer, base, {**box(4), "data_asset_ids": both})
    put(writer, base, {**box(1), "data_asset_ids": both[:1]})
    writer.delete(f"{base}/cells/{cell_id(1)}")

    def named():
        steps = [step for one in data(writer.get(f"{base}/operations")) for step in one["operation"]["cells"]]
        return [step["data"]["data_asset_ids"] for step in steps if "data_asset_ids" in (step["data"] or ())]

    assert named() == [both[:1], both]
    delete_record(asset, actor=cast.owner)
    assert named() == [[], both[1:]]
    restore_record(asset, actor=cast.owner)
    assert named() == [both[:1], both]


def test_a_revert_brings_back_what_was_and_is_itself_an_operation(writer, base, diagram):
    then = data(writer.get(base))["diagram_data"]["cells"]
    put(writer, base, box(1, "Other"))
    writer.delete(f"{base}/cells/{cell_id(2)}")
    answer = data(writer.post(f"{base}/operations/1/revert"))
    assert sorted(answer["diagram_data"]["cells"], key=str) == sorted(then, key=str)
    assert answer["update_vector"] == 4
    emptied = data(writer.post(f"{base}/operations/0/revert"))
    assert emptied["diagram_data"]["cells"] == []
    again = data(writer.post(f"{base}/operations/3/revert"))
    assert [cell["properties"]["label"] for cell in again["diagram_data"]["cells"]] == ["Other"]


@pytest.mark.parametrize("number", ["2", "-1", "x", "1.5", "9" * 30, "٣"])
def test_there_is_no_way_back_to_what_never_was(writer, base, number):
    assert writer.post(f"{base}/operations/{number}/revert").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_people_who_write_at_once_lose_nothing(cast, api, threat_model):
    diagram = create_diagram(threat_model=threat_model, actor=cast.owner, name="Busy", cells=[])
    base = f"/api/v1/threat_models/{threat_model.pk}/diagrams/{diagram.pk}"

    def draw(first):
        try:
            client = api(cast.writer)
            for number in range(first, first + 5):
                assert put(client, base, box(number)).status_code == 201
        finally:
            connection.close()

    threads = [threading.Thread(target=draw, args=(first,)) for first in (10, 20, 30, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    diagram.refresh_from_db()
    assert len(diagram.cells) == 20
    assert [one.sequence_number for one in log(diagram)] == list(range(1, 21))


# -- for other tools


def test_the_model_says_what_there_is_without_layout(cast, writer, base, threat_model):
    asset = create_record(Asset, threat_model=threat_model, actor=cast.owner, name="Cards", type="data")
    put(writer, base, box(4, "Zone", type="trust_boundary"))
    put(writer, base, box(1, parent=cell_id(4), data_asset_ids=[str(asset.pk)], style={"fill": "#fff"}))
    told = data(writer.get(f"{base}/model"))
    till = next(one for one in told["elements"] if one["id"] == cell_id(1))
    assert (till["label"], till["parent"], till["data_asset_ids"]) == ("Till", cell_id(4), [str(asset.pk)])
    assert not {"position", "size", "style", "z"} & set(till)
    assert [(f["source"], f["target"]) for f in told["flows"]] == [(cell_id(1), cell_id(2))]
    assert told["assets"] == [{"id": str(asset.pk), "name": "Cards", "type": "data"}]
    as_yaml = writer.get(f"{base}/model", headers={"Accept": "application/yaml"})
    assert as_yaml["Content-Type"] == "application/yaml"
    assert yaml.safe_load(as_yaml.content) == told


def test_the_model_as_graphml_has_a_node_for_every_end(writer, base):
    free = {**flow(4, 1, 2), "target": {"x": 500, "y": 5}, "properties": {"label": "out \ufffe& <away>"}}
    put(writer, base, free)
    answer = writer.get(f"{base}/model", headers={"Accept": "application/graphml+xml"})
    assert answer["Content-Type"] == "application/graphml+xml"
    name = "{http://graphml.graphdrawing.org/xmlns}"
    graph = ElementTree.parse(io.BytesIO(answer.content)).getroot().find(f"{name}graph")
    nodes = {node.get("id") for node in graph.findall(f"{name}node")}
    for edge in graph.findall(f"{name}edge"):
        assert {edge.get("source"), edge.get("target")} <= nodes
    assert len(nodes) == 3
    labels = [d.text for d in graph.iter(f"{name}data") if d.get("key") == "edge_label"]
    assert labels == ["order", "out & <away>"]


def test_a_form_that_there_is_not_is_not_acceptable_and_said_in_json(writer, base):
    answer = writer.get(f"{base}/model", headers={"Accept": "text/csv"})
    assert answer.status_code == 406
    assert answer.json()["error"]["code"] == "NOT_ACCEPTABLE"
    missing = writer.get(f"{base[:-3]}000/png")
    assert missing.json()["error"]["code"] == "NOT_FOUND"


def test_pictures_are_pictures(writer, base):
    svg = writer.get(f"{base}/svg")
    assert svg["Content-Type"] == "image/svg+xml"
    width, height = (float(ElementTree.fromstring(svg.content).get(side)) for side in ("width", "height"))
    png = writer.get(f"{base}/png")
    assert png["Content-Type"] == "image/png"
    assert png.content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png.content[16:24]) == (round(2 * width), round(2 * height))
    for picture in (svg, png):
        assert "default-src 'none'" in picture["Content-Security-Policy"]


def test_a_picture_of_a_huge_diagram_is_made_smaller(writer, base):
    put(writer, base, {**box(4), "position": {"x": 900_000, "y": 900_000}})
    png = writer.get(f"{base}/png")
    assert png.status_code == 200
    assert max(struct.unpack(">II", png.content[16:24])) <= 8192


# -- the same UUID in capitals is the same UUID

ABC = "0190aaaa-0000-7000-8000-00000000000{}"


def in_capitals(asset):
    """A box and a flow of it, with a parent and an asset, all ids in capitals."""
    capitals = [ABC.format(n).upper().replace("0190AAAA", "0190ABCD") for n in (1, 2, 3)]
    outer = {**box(1), "id": capitals[0], "type": "trust_boundary"}
    inner = {**box(2), "id": capitals[1], "parent": capitals[0], "data_asset_ids": [str(asset.pk).upper()]}
    ends = {"source": {"cell": capitals[1]}, "target": {"cell": capitals[0]}}
    return [outer, inner, {**flow(3, 1, 2), "id": capitals[2], **ends}]


def in_small_letters(asset):
    return json.loads(json.dumps(in_capitals(asset)).lower().replace("till", "Till"))


@pytest.fixture
def asset(cast, threat_model):
    return create_record(Asset, threat_model=threat_model, actor=cast.owner, name="Gold", type="data")


@pytest.mark.parametrize("way", ["create", "replace", "one by one", "patch"])
def test_ids_in_capitals_are_kept_in_small_letters(writer, base, threat_model, asset, way):
    cells = in_capitals(asset)
    wanted = in_small_letters(asset)
    if way == "create":
        body = {"name": "Second", "diagram_data": {"cells": cells}}
        made = data(
            writer.post(f"/api/v1/threat_models/{threat_model.pk}/diagrams", body, format="json"), 201
        )
        base = base.rsplit("/", 1)[0] + f"/{made['id']}"
    elif way == "replace":
        data(writer.patch(base, {"diagram_data": {"cells": cells}}, format="json"))
    elif way == "one by one":
        data(writer.patch(base, {"diagram_data": {"cells": []}}, format="json"))
        for cell in cells:
            data(put(writer, base, cell), 201)
    else:
        bare = [{**cell, "parent": None, "data_asset_ids": None} for cell in wanted]
        bare = [{k: v for k, v in cell.items() if v is not None} for cell in bare]
        data(writer.patch(base, {"diagram_data": {"cells": bare}}, format="json"))
        for cell in cells:
            changes = {k: v for k, v in cell.items() if k in ("parent", "source", "data_asset_ids")}
            data(writer.patch(f"{base}/cells/{cell['id']}", changes, format="json"))
    assert data(writer.get(f"{base}/cells")) == wanted

    threats = f"/api/v1/threat_models/{threat_model.pk}/threats"
    at = {"name": "Theft", "diagram_id": base.rsplit("/", 1)[1], "cell_id": cells[1]["id"]}
    assert data(writer.post(threats, at, format="json"), 201)["cell_id"] == wanted[1]["id"]
    path = f"{base}/cells/{cells[1]['id']}"
    data(writer.put(f"{path}/metadata/owner", {"value": "Ann"}, format="json"), 201)
    assert data(writer.get(f"{base}/cells/{wanted[1]['id']}/metadata/owner"))["value"] == "Ann"
    writer.delete(f"/api/v1/threat_models/{threat_model.pk}/assets/{asset.pk}")
    assert data(writer.get(path))["data_asset_ids"] == []


@pytest.mark.parametrize("way", ["create", "replace", "put", "patch", "json patch"])
def test_line_breaks_of_windows_become_plain_ones(writer, base, threat_model, way):
    texts = dict.fromkeys(("label", "description", "out_of_scope_reason"), "a\r\nb\rc")
    cell = {**box(1), "properties": texts}
    path = f"{base}/cells/{cell['id']}"
    if way == "create":
        url, body = base.rsplit("/", 1)[0], {"name": "Second", "diagram_data": {"cells": [cell]}}
        path = f"{url}/{data(writer.post(url, body, format='json'), 201)['id']}/cells/{cell['id']}"
    elif way == "replace":
        data(writer.patch(base, {"diagram_data": {"cells": [cell]}}, format="json"))
    elif way == "put":
        assert put(writer, base, cell).status_code in (200, 201)
    elif way == "patch":
        put(writer, base, box(1))
        data(writer.patch(path, {"properties": texts}, format="json"))
    else:
        put(writer, base, box(1))
        steps = [{"op": "add", "path": "/properties", "value": texts}]
        kind = "application/json-patch+json"
        data(writer.patch(path, json.dumps(steps), content_type=kind))
    assert data(writer.get(path))["properties"] == dict.fromkeys(texts, "a\nb\nc")
    refused = problem(writer.patch(path, {"properties": {"other": "a\r\n"}}, format="json"))
    assert refused["field"] == "/properties/other"


def test_a_cell_in_capitals_and_one_in_small_letters_are_the_same_cell(writer, base):
    cells = [{**box(1), "id": ABC.format(1)}, {**box(2), "id": ABC.format(1).upper()}]
    refused = problem(writer.patch(base, {"diagram_data": {"cells": cells}}, format="json"))
    assert refused["field"] == "/diagram_data/cells/1/id"


def test_if_match_of_anything_does_not_make_a_cell(writer, base):
    assert put(writer, base, box(9), **{"If-Match": "*"}).status_code == 412
    assert put(writer, base, box(9), **{"If-Match": '""'}).status_code == 412
    assert put(writer, base, box(9)).status_code == 201
    assert put(writer, base, box(9, "Desk"), **{"If-Match": "*"}).status_code == 200
