"""Lists are served by indexes, however many rows other people have."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.schema.catalog import Index, read_indexes
from threatmodels.api.base import ResourceViewSet
from threatmodels.api.diagram import DiagramViewSet
from threatmodels.api.record import (
    AssetViewSet,
    DocumentViewSet,
    NoteViewSet,
    RepositoryViewSet,
    ThreatViewSet,
)
from threatmodels.api.threat_model import ThreatModelViewSet

PARTS: list[type[ResourceViewSet]] = [
    ThreatViewSet,
    AssetViewSet,
    DocumentViewSet,
    NoteViewSet,
    RepositoryViewSet,
    DiagramViewSet,
]
WORDS = (
    "to_tsvector('simple'::regconfig,"
    " (COALESCE(name, ''::text) || ' '::text) || COALESCE(description, ''::text))"
)
# Filters of the API and the columns that an index must begin with; None: answered from the rows of the role.
MODEL_FILTERS = {
    "name": None,
    "role": None,
    "owner": "owner_internal_uuid",
    "framework": "threat_model_framework",
    "status": "status",
    "issue_uri": "issue_uri",
    **{f"created_{end}": "created_at" for end in ("after", "before")},
    **{f"updated_{end}": "modified_at" for end in ("after", "before")},
    **{f"status_updated_{end}": "status_updated" for end in ("after", "before")},
}
THREAT_FILTERS = {
    **{
        name: ("threat_model_id", name)
        for name in ("severity", "priority", "status", "threat_type", "mitigated")
    },
    **{name: (name,) for name in ("diagram_id", "cell_id", "asset_id")},
    **{f"score_{end}": ("threat_model_id", "score") for end in ("min", "max")},
}


@pytest.fixture
def indexes(db: None) -> list[Index]:
    with connection.cursor() as cursor:
        return read_indexes(cursor)


def served(indexes: list[Index], table: str, *columns: str) -> bool:
    """Whether an index of the whole table begins with the columns."""
    return any(i.table == table and not i.partial and i.keys[: len(columns)] == columns for i in indexes)


def sort_columns(view: type[ResourceViewSet]) -> set[str]:
    return set(view.sorts.values())


@pytest.mark.parametrize("column", sorted(sort_columns(ThreatModelViewSet)))
def test_threat_models_are_sorted_by_an_index(column: str, indexes: list[Index]) -> None:
    assert served(indexes, "threat_models", column)


@pytest.mark.parametrize("view", PARTS, ids=lambda view: view.__name__)
def test_parts_of_a_model_are_sorted_by_an_index(view: type[ResourceViewSet], indexes: list[Index]) -> None:
    table: str = view.serializer_class.Meta.model._meta.db_table  # type: ignore[attr-defined]
    assert sort_columns(view) >= {"name", "created_at", "modified_at"}
    assert [c for c in sort_columns(view) if not served(indexes, table, "threat_model_id", c)] == []


def test_every_filter_of_threat_models_has_an_index(indexes: list[Index]) -> None:
    assert MODEL_FILTERS.keys() == ThreatModelViewSet.filters.keys()
    wanted = {column for column in MODEL_FILTERS.values() if column}
    assert {column for column in wanted if not served(indexes, "threat_models", column)} == set()


def test_every_filter_of_threats_has_an_index(indexes: list[Index]) -> None:
    assert THREAT_FILTERS.keys() == ThreatViewSet.filters.keys()
    assert [c for c in THREAT_FILTERS.values() if not served(indexes, "threats", *c)] == []


@pytest.mark.parametrize("view", PARTS[1:], ids=lambda view: view.__name__)
def test_other_parts_have_no_filter_without_a_look_at_indexes(view: type[ResourceViewSet]) -> None:
    assert view.filters == {}


@pytest.mark.parametrize("table", ["threat_models", "threats"])
def test_words_are_found_by_an_index(table: str, indexes: list[Index]) -> None:
    assert Index(table, False, "gin", (WORDS,)) in indexes


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("audit_entries", ("threat_model_id", "created_at", "id")),
        ("audit_entries", ("entity_type", "entity_id")),
        ("audit_entries", ("created_at",)),
        ("diagram_operations", ("diagram_id", "sequence_number")),
        ("diagram_operations", ("created_at",)),
        ("metadata", ("entity_type", "entity_id", "key")),
        ("users", ("lower(email)",)),
        ("access_invitations", ("lower(email)",)),
        ("sign_in_sessions", ("expires_at",)),
        ("refresh_tokens", ("expires_at",)),
        ("refresh_tokens", ("token",)),
        *((table, ("deleted_at",)) for table in ("threat_models", "threats", "assets", "diagrams")),
        *((table, ("deleted_at",)) for table in ("documents", "notes", "repositories")),
    ],
)
def test_what_else_is_looked_up_has_an_index(
    table: str, columns: tuple[str, ...], indexes: list[Index]
) -> None:
    assert served(indexes, table, *columns)
