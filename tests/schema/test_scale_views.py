"""The two views over 100,000 threat models: who asks for one model, or for a page of them, reads no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from tests.schema.rows import Rows
from tests.schema.test_scale import ALL, MANY, nodes

pytestmark = [pytest.mark.django_db, pytest.mark.fault, pytest.mark.xdist_group("scale")]

PER_MODEL = 3
DIAGRAMS = """
INSERT INTO diagrams (id, threat_model_id, name, type)
SELECT gen_random_uuid(), id, 'Overview', 'DFD-1.0.0' FROM threat_models
"""
THREATS = """
INSERT INTO threats (id, threat_model_id, diagram_id, name, severity)
SELECT gen_random_uuid(), d.threat_model_id, d.id, 'Threat ' || n, 'high'
FROM diagrams d, generate_series(1, %s) n
"""
ONE = "018f0000-0000-7000-8000-00000000c350"
QUESTIONS = {
    "the threats of one model": ("SELECT * FROM threat_report WHERE threat_model_id = %s", [ONE]),
    "the summary of one model": ("SELECT * FROM threat_model_summary WHERE threat_model_id = %s", [ONE]),
    "a page of summaries": (
        """SELECT s.* FROM (SELECT id FROM threat_models WHERE deleted_at IS NULL
           ORDER BY modified_at DESC, id DESC LIMIT 50) p
           JOIN threat_model_summary s ON s.threat_model_id = p.id""",
        [],
    ),
}


@pytest.fixture(scope="module")
def many(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), transaction.atomic():
        with connection.cursor() as cursor:
            # Rows of a kind that are made at once need not be checked one by one.
            cursor.execute("SET LOCAL synchronous_commit = off")
            cursor.execute(MANY, {"owner": Rows(cursor).add("users")})
            cursor.execute(DIAGRAMS)
            cursor.execute(THREATS, [PER_MODEL])
            cursor.execute("ANALYZE threat_models, diagrams, threats, assets, documents, notes, repositories")
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("which", QUESTIONS)
def test_a_view_reads_only_what_it_is_asked_for(which: str, many: None) -> None:
    sql, values = QUESTIONS[which]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", values)
        found = cursor.fetchone()[0]
    [told] = json.loads(found) if isinstance(found, str) else found
    big = [node for node in nodes(told["Plan"]) if node.get("Relation Name") in ("threat_models", "threats")]
    assert big
    read = sum(node["Actual Rows"] * node["Actual Loops"] for node in big)
    print(f"\n{which}, of {ALL:,} models: {told['Execution Time']:.1f} ms, {read:.0f} rows read")
    assert not [node for node in big if node["Node Type"] == "Seq Scan"]
    assert read < 1_000
