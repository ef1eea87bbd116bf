"""The judge of a crowd finds what it is there to find: each fault is planted once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.crowd import Verdict, judge
from tests.tools.replica import Replica, merged
from tests.tools.rest import Diagram, Person
from tests.tools.ws import Client, Sent

IDS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(10)]


def operation(number: int, *steps: tuple[str, str, Any]) -> dict[str, Any]:
    cells = [{"id": key, "operation": kind, "data": data} for key, kind, data in steps]
    told = {"message_type": "diagram_operation", "operation_id": IDS[number], "sequence_number": number}
    return told | {"operation": {"type": "patch", "cells": cells}}


LOG = [
    operation(1, ("a", "add", {"type": "process", "properties": {"label": "A", "note": "n"}})),
    operation(2, ("a", "update", {"properties": {"note": None, "label": "B"}})),
    operation(3, ("b", "add", {"type": "process", "properties": {}}), ("a", "remove", None)),
]
CELLS = {"b": {"id": "b", "type": "process", "properties": {}}}


@pytest.fixture
def client() -> Client:
    """A client that was told the whole log, and made all of it."""
    made = Client(Person("http://localhost", ""), Diagram("", ""))
    made.replica.vector = 0
    for row in LOG:
        made.replica.take(row, repeated=False)
        made.acknowledged[row["operation_id"]] = row["sequence_number"]
    return made


def verdict_on(client: Client, log: list[dict[str, Any]] = LOG, vector: int = 3) -> Verdict:
    return judge([client], log, vector, CELLS)


def test_nothing_is_found_where_nothing_is_wrong(client: Client) -> None:
    assert client.replica.cells == CELLS
    verdict = verdict_on(client)
    assert verdict.holds, verdict
    assert verdict.acknowledged == 3


def test_an_acknowledged_operation_that_is_not_in_the_log_is_lost(client: Client) -> None:
    client.acknowledged[IDS[9]] = 4
    assert len(verdict_on(client).lost) == 1
    assert not verdict_on(client).holds


def test_an_operation_that_is_in_the_log_twice_is_doubled(client: Client) -> None:
    again = LOG[1] | {"sequence_number": 4}
    assert verdict_on(client, [*LOG, again], 4).doubled == [IDS[2]]


def test_an_operation_with_another_number_than_was_told_is_out_of_order(client: Client) -> None:
    client.acknowledged[IDS[1]], client.acknowledged[IDS[2]] = 2, 1
    assert len(verdict_on(client).out_of_order) == 2


def test_a_log_with_a_gap_is_out_of_order(client: Client) -> None:
    assert verdict_on(client, [LOG[0], LOG[2]]).out_of_order


def test_another_operation_delivered_than_the_log_has_is_out_of_order(client: Client) -> None:
    swapped = [LOG[0] | {"operation_id": IDS[2]}, LOG[1] | {"operation_id": IDS[1]}, LOG[2]]
    client.acknowledged.clear()
    assert len(verdict_on(client, swapped).out_of_order) == 2


def test_a_copy_that_differs_is_found(client: Client) -> None:
    client.replica.cells["b"] = {"id": "b", "type": "datastore", "properties": {}}
    assert len(verdict_on(client).differing) == 1


def test_what_was_refused_and_carried_out_is_contradicted(client: Client) -> None:
    client.refused[IDS[1]] = "conflict_detected"
    assert verdict_on(client).contradicted


def test_what_is_never_answered_is_found(client: Client) -> None:
    client.outstanding[IDS[9]] = Sent(IDS[9], "", 1)
    assert verdict_on(client).unanswered


@pytest.mark.parametrize(
    ("number", "fault"),
    [(3, "delivered twice"), (5, "gap")],
)
def test_a_replica_notices_what_comes_twice_or_too_early(client: Client, number: int, fault: str) -> None:
    row = operation(number, ("c", "add", {"type": "process"}))
    assert not client.replica.take(row, repeated=False)
    assert client.replica.faults == {fault: 1}


def test_a_repeated_answer_is_no_fault_unless_its_number_had_another(client: Client) -> None:
    client.replica.take(LOG[1], repeated=True)
    assert not client.replica.faults
    client.replica.take(LOG[1] | {"operation_id": IDS[8]}, repeated=True)
    assert client.replica.faults == {"another operation of the same number": 1}


def test_a_replica_begins_with_a_state_and_never_goes_back() -> None:
    replica = Replica()
    replica.take_state({"update_vector": 7, "cells": list(CELLS.values())})
    assert (replica.vector, replica.cells) == (7, CELLS)
    replica.take_state({"update_vector": 6, "cells": []})
    assert replica.faults == {"state of the past": 1}


def test_a_merge_patch_is_that_of_its_standard() -> None:
    """The example of RFC 7396, section 3, and some of its appendix."""
    target = {"title": "Goodbye!", "author": {"givenName": "John", "familyName": "Doe"}, "tags": ["a", "b"]}
    patch = {"title": "Hello!", "phone": "1", "author": {"familyName": None}, "tags": ["a"]}
    wanted = {"title": "Hello!", "author": {"givenName": "John"}, "tags": ["a"], "phone": "1"}
    assert merged(target, patch) == wanted
    assert target["title"] == "Goodbye!"
    assert merged({"a": "b"}, {"a": {"bb": {"ccc": None}}}) == {"a": {"bb": {}}}
    assert merged([1, 2], {"a": "b", "c": None}) == {"a": "b"}
