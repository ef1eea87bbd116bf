"""Who can see 1,000 of 100,000 threat models waits for 1,000: no list reads a whole table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.schema.rows import Rows
from threatmodels.access import restorable_by, visible_to
from threatmodels.models import ThreatModel
from threatmodels.roles import Role

# One process lays them out, once.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("scale")]

MANY = """
INSERT INTO threat_models (id, name, owner_internal_uuid, created_by_internal_uuid, created_at, modified_at)
SELECT ('018f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Model ' || n, %(owner)s, %(owner)s,
  now() - n * interval '1 minute', now() - (n * 7919 %% 100000) * interval '1 minute'
FROM generate_series(1, 100000) n
"""
SHARED = """
INSERT INTO threat_model_access
  (id, threat_model_id, user_internal_uuid, group_internal_uuid, subject_type, role)
SELECT gen_random_uuid(), ('018f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, %(user)s, %(group)s,
  %(type)s, 'reader'
FROM generate_series(%(first)s, 100000, %(every)s) n
"""
INVITED = """
INSERT INTO access_invitations (id, threat_model_id, email, role)
SELECT gen_random_uuid(), ('018f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
  CASE WHEN n %% 2000 = 1 THEN %(email)s ELSE n || '@example.org' END, 'reader'
FROM generate_series(1, 100000, 10) n
"""
FOREIGN_KEYS = """
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname)
FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY(%s::regclass[])
"""
ALL = 100_000
BIG = ("threat_models", "threat_model_access", "access_invitations")
LISTS: dict[str, Callable[[QuerySet[Any]], QuerySet[Any]]] = {
    "newest": lambda seen: seen.order_by("-modified_at", "-id")[:20],
    "newest with counts": lambda seen: seen.with_summary().order_by("-modified_at", "-id")[:20],  # type: ignore[attr-defined]
    "by name, last page": lambda seen: seen.order_by("name", "id")[980:1000],
    "oldest": lambda seen: seen.order_by("created_at", "id")[:100],
    "of one role": lambda seen: seen.filter(role_rank=Role.READER).order_by("-modified_at", "-id")[:20],
    "of one status": lambda seen: seen.filter(status="Approved").order_by("-modified_at", "-id")[:20],
    "of a name": lambda seen: seen.filter(name__icontains="99").order_by("-modified_at", "-id")[:20],
    "of a word": lambda seen: seen.search("model").order_by("-modified_at", "-id")[:20],  # type: ignore[attr-defined]
}


@pytest.fixture(scope="module")
def person(django_db_setup: None, django_db_blocker: Any) -> Iterator[User]:
    """Someone who reads 1,000 of 100,000 models: most by name, some by group and by invitation."""
    with django_db_blocker.unblock(), transaction.atomic():
        with connection.cursor() as cursor:
            found = crowd(Rows(cursor))
        yield found
        transaction.set_rollback(True)


def crowd(rows: Rows) -> User:
    owner, reader, other = (rows.add("users", email_verified=True) for _ in range(3))
    mine, theirs = rows.add("groups"), rows.add("groups")
    rows.add("group_members", group_internal_uuid=mine, user_internal_uuid=reader)
    nobody = {"user": None, "group": None}
    # Foreign keys hold by construction here; to check each takes most of the time. Rolled back with the rest.
    rows.cursor.execute(FOREIGN_KEYS, [list(BIG)])
    for (statement,) in rows.cursor.fetchall():
        rows.cursor.execute(statement)
    rows.cursor.execute(MANY, {"owner": owner})
    for who, first, every in (
        ({"user": reader, "type": "user"}, 1060, 120),
        ({"group": mine, "type": "group"}, 50, 800),
        ({"user": other, "type": "user"}, 3, 2),
        ({"group": theirs, "type": "group"}, 7, 3),
    ):
        rows.cursor.execute(SHARED, nobody | who | {"first": first, "every": every})
    found = User.objects.get(pk=reader)
    rows.cursor.execute(INVITED, {"email": found.email})
    rows.cursor.execute(f"ANALYZE {', '.join(BIG)}, group_members")
    return found


def read_by(sql: str, values: Any) -> dict[str, int]:
    """How many rows of each big table a query looks at; a scan of a whole table counts as all of it."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", values)
        found = cursor.fetchone()[0]
    read = dict.fromkeys(BIG, 0)
    for node in nodes(json.loads(found)[0]["Plan"] if isinstance(found, str) else found[0]["Plan"]):
        if node.get("Relation Name") in read:
            read[node["Relation Name"]] += looked_at(node)
    return read


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


def looked_at(node: dict[str, Any]) -> int:
    if node["Node Type"] == "Seq Scan":
        return ALL
    return int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])


def test_the_person_sees_a_thousand_by_name_by_group_and_by_invitation(person: User) -> None:
    seen = visible_to(person)
    assert seen.count() == 1000
    assert seen.filter(is_invited=True).count() == 50


@pytest.mark.parametrize("which", LISTS)
def test_a_list_reads_only_what_the_person_sees(which: str, person: User) -> None:
    listed = LISTS[which](visible_to(person))
    read = read_by(*listed.query.sql_with_params())
    assert {table: rows for table, rows in read.items() if rows > 5_000} == {}


def test_counting_the_list_reads_only_what_the_person_sees(person: User) -> None:
    with CaptureQueriesContext(connection) as captured:
        visible_to(person).count()
    read = read_by(captured.captured_queries[0]["sql"], None)
    assert {table: rows for table, rows in read.items() if rows > 5_000} == {}


def test_the_list_of_what_can_be_restored_reads_only_what_the_person_sees(person: User) -> None:
    read = read_by(*restorable_by(person).order_by("-modified_at", "-id").query.sql_with_params())
    assert {table: rows for table, rows in read.items() if rows > 5_000} == {}


def test_a_list_that_reads_a_whole_table_is_noticed() -> None:
    read = read_by(*ThreatModel.objects.filter(name__contains="x").query.sql_with_params())
    assert read["threat_models"] == ALL
