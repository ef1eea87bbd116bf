"""Every CHECK and every unique rule: rows that must pass, and rows that must fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from tests.schema.rows import Parent, Row

A, B = UUID(int=1), UUID(int=2)
BLANKS = ("", "   ")
NOW, EARLIER, LATER = "2030-01-02 00:00Z", "2030-01-01 00:00Z", "2030-01-03 00:00Z"
A_USER = {"user_internal_uuid": Parent("users"), "group_internal_uuid": None}
A_GROUP = {"user_internal_uuid": None, "group_internal_uuid": Parent("groups")}
NOBODY = {"user_internal_uuid": None, "group_internal_uuid": None}
BOTH = {"user_internal_uuid": Parent("users"), "group_internal_uuid": Parent("groups")}


class Check(NamedTuple):
    """A CHECK, rows that it lets pass and rows that it refuses."""

    name: str
    table: str
    good: Sequence[Row]
    bad: Sequence[Row]


def column(name: str, *values: Any) -> list[Row]:
    return [{name: value} for value in values]


def not_blank(table: str, name: str) -> Check:
    return Check(f"{table}_{name}_check", table, column(name, " x "), column(name, *BLANKS))


CHECKS = [
    Check(
        "threat_models_framework_check",
        "threat_models",
        column("threat_model_framework", "CIA", "STRIDE", "LINDDUN", "DIE", "PLOT4ai"),
        column("threat_model_framework", "", "stride", "PLOT4AI", "PASTA"),
    ),
    Check(
        "threat_models_status_check",
        "threat_models",
        column("status", None, "", "ß" * 128),
        column("status", "s" * 129),
    ),
    Check("diagrams_type_check", "diagrams", column("type", "DFD-1.0.0"), column("type", "", "DFD-2.0.0")),
    Check(
        "threats_score_check",
        "threats",
        column("score", None, "0.0", "10.0", "7.5"),
        column("score", "-0.1", "10.1"),
    ),
    not_blank("assets", "name"),
    Check(
        "assets_type_check",
        "assets",
        column("type", "data", "hardware", "software", "infrastructure", "service", "personnel"),
        column("type", "", "Data", "people"),
    ),
    Check(
        "threat_model_access_subject_type_check",
        "threat_model_access",
        [{"subject_type": "user", **A_USER}, {"subject_type": "group", **A_GROUP}],
        [{"subject_type": "robot", **A_USER}],
    ),
    Check(
        "threat_model_access_role_check",
        "threat_model_access",
        column("role", "owner", "writer", "reader"),
        column("role", "", "Owner", "admin"),
    ),
    Check(
        "exactly_one_subject",
        "threat_model_access",
        [{"subject_type": "user", **A_USER}, {"subject_type": "group", **A_GROUP}],
        [{"subject_type": kind, **who} for kind in ("user", "group") for who in (NOBODY, BOTH)]
        + [{"subject_type": "user", **A_GROUP}, {"subject_type": "group", **A_USER}],
    ),
    Check(
        "access_invitations_role_check",
        "access_invitations",
        column("role", "owner", "writer", "reader"),
        column("role", "", "admin"),
    ),
    Check(
        "suggestion_decisions_verdict_check",
        "suggestion_decisions",
        [{"verdict": "accepted"}, {"verdict": "not_applicable", "reason": "no"}],
        [{"verdict": kind, "reason": "no"} for kind in ("", "maybe")],
    ),
    Check(
        "suggestion_decisions_reason_check",
        "suggestion_decisions",
        [{"verdict": "not_applicable", "reason": "no"}, {"verdict": "accepted", "reason": ""}],
        [{"verdict": "not_applicable", "reason": text} for text in ("", " ")],
    ),
    Check(
        "webhooks_status_check",
        "webhooks",
        column("status", "pending", "active", "disabled"),
        column("status", "", "on"),
    ),
    Check(
        "webhook_deliveries_status_check",
        "webhook_deliveries",
        column("status", "pending", "delivered", "dead"),
        column("status", "", "lost"),
    ),
    not_blank("collaboration_sessions", "websocket_url"),
    Check(
        "collaboration_sessions_expires_at_check",
        "collaboration_sessions",
        [{"created_at": NOW, "expires_at": at} for at in (None, LATER)],
        [{"created_at": NOW, "expires_at": at} for at in (NOW, EARLIER)],
    ),
    not_blank("documents", "name"),
    not_blank("documents", "uri"),
    not_blank("notes", "name"),
    not_blank("notes", "content"),
    not_blank("repositories", "uri"),
    Check(
        "repositories_type_check",
        "repositories",
        column("type", None, "git", "svn", "mercurial", "other"),
        column("type", "", "Git", "cvs"),
    ),
    Check(
        "metadata_entity_type_check",
        "metadata",
        column(
            "entity_type",
            *("threat_model", "threat", "diagram", "document", "repository", "cell", "note", "asset"),
        ),
        column("entity_type", "", "user"),
    ),
    Check(
        "metadata_key_check",
        "metadata",
        column("key", "a", "A-z_0-9", "k" * 128),
        column("key", *BLANKS, "k" * 129, "two words", "a.b", "schlüssel", "line\n", "line\nbreak"),
    ),
    Check(
        "metadata_value_check",
        "metadata",
        column("value", "x", " x ", "ß" * 65_535),
        column("value", *BLANKS, "v" * 65_536),
    ),
]


class Unique(NamedTuple):
    """A unique rule: a second row after `first` that it lets pass (each of `beside`) and one that it refuses.

    A Parent in `first` is made once; the other rows have it too unless they name the column themselves.
    """

    name: str
    table: str
    first: Row
    beside: Sequence[Row]
    again: Sequence[Row]


USER, GROUP, MODEL = Parent("users"), Parent("groups"), Parent("threat_models")

UNIQUES = [
    Unique(
        "users_provider_provider_user_id_key",
        "users",
        {"provider": "corp", "provider_user_id": "7"},
        [{"provider": "other"}, {"provider_user_id": "8"}],
        [{}],
    ),
    Unique(
        "users_local_email_key",
        "users",
        {"provider": "local", "email": "ann@example.org"},
        [{"provider": "corp"}, {"provider": "other"}, {"email": "bob@example.org"}],
        [{}, {"email": "Ann@Example.ORG"}],
    ),
    Unique(
        "groups_provider_group_name_key",
        "groups",
        {"provider": "corp", "group_name": "dev"},
        [{"provider": "*"}, {"group_name": "Dev"}],
        [{}],
    ),
    Unique(
        "group_members_group_user_key",
        "group_members",
        {"group_internal_uuid": GROUP, "user_internal_uuid": USER},
        [{"group_internal_uuid": GROUP}, {"user_internal_uuid": USER}],
        [{}],
    ),
    Unique("refresh_tokens_token_key", "refresh_tokens", {"token": "t"}, [{"token": "T"}], [{}]),
    Unique(
        "client_credentials_client_id_key",
        "client_credentials",
        {"client_id": "c"},
        [{"client_id": "d"}],
        [{}],
    ),
    Unique(
        "kept_answers_user_path_key_key",
        "kept_answers",
        {"user_internal_uuid": USER, "key": "k", "path": "/a"},
        [{"key": "l"}, {"path": "/b"}, {"user_internal_uuid": Parent("users")}],
        [{}],
    ),
    Unique("socket_tickets_ticket_key", "socket_tickets", {"ticket": "t"}, [{"ticket": "T"}], [{}]),
    Unique(
        "skipped_undos_diagram_user_operation_key",
        "skipped_undos",
        {"diagram_id": Parent("diagrams"), "user_internal_uuid": USER, "operation_id": UUID(int=1)},
        [{"user_internal_uuid": Parent("users")}, {"operation_id": UUID(int=2)}],
        [{}],
    ),
    Unique("rule_packs_key_key", "rule_packs", {"key": "k"}, [{"key": "l"}], [{}]),
    Unique(
        "suggestion_decisions_diagram_cell_rule_key",
        "suggestion_decisions",
        {"diagram_id": Parent("diagrams"), "cell_id": A, "rule_id": "stride/x", "category": "Spoofing"},
        [
            {"cell_id": B},
            {"rule_id": "stride/y"},
            {"category": "Tampering"},
            {"diagram_id": Parent("diagrams")},
        ],
        [{}, {"verdict": "not_applicable", "reason": "no"}],
    ),
    Unique(
        "oauth_clients_client_id_key",
        "oauth_clients",
        {"client_id": "a"},
        [{"client_id": "b"}],
        [{}],
    ),
    Unique(
        "authorization_codes_code_hash_key",
        "authorization_codes",
        {"code_hash": "a"},
        [{"code_hash": "b"}],
        [{}],
    ),
    Unique(
        "sign_up_invitations_secret_hash_key",
        "sign_up_invitations",
        {"secret_hash": "a"},
        [{"secret_hash": "b"}],
        [{}],
    ),
    Unique(
        "one_time_links_purpose_key",
        "one_time_links",
        {"purpose": "first administrator"},
        [{"purpose": "second administrator"}],
        [{}],
    ),
    Unique(
        "diagram_operations_diagram_sequence_key",
        "diagram_operations",
        {"diagram_id": Parent("diagrams"), "sequence_number": 1},
        [{"sequence_number": 2}, {"diagram_id": Parent("diagrams")}],
        [{}],
    ),
    Unique(
        "diagram_operations_diagram_operation_key",
        "diagram_operations",
        {"diagram_id": Parent("diagrams"), "sequence_number": 1, "operation_id": A},
        [{"sequence_number": 2, "operation_id": B}, {"diagram_id": Parent("diagrams")}],
        [{"sequence_number": 3}],
    ),
    Unique(
        "metadata_entity_type_entity_id_key_key",
        "metadata",
        {"entity_type": "note", "entity_id": A, "key": "k"},
        [{"key": "K"}, {"entity_id": B}, {"entity_type": "asset"}],
        [{}, {"value": "other", "threat_model_id": MODEL}],
    ),
    Unique(
        "threat_model_access_user_key",
        "threat_model_access",
        {"threat_model_id": MODEL, "user_internal_uuid": USER},
        [{"user_internal_uuid": USER}, {"threat_model_id": MODEL}, {"subject_type": "group", **A_GROUP}],
        [{}, {"role": "owner"}],
    ),
    Unique(
        "threat_model_access_group_key",
        "threat_model_access",
        {
            "threat_model_id": MODEL,
            "subject_type": "group",
            "group_internal_uuid": GROUP,
            "user_internal_uuid": None,
        },
        [{"group_internal_uuid": GROUP}, {"threat_model_id": MODEL}, {"subject_type": "user", **A_USER}],
        [{}, {"role": "owner"}],
    ),
    Unique(
        "access_invitations_email_key",
        "access_invitations",
        {"threat_model_id": MODEL, "email": "ann@example.org"},
        [{"email": "bob@example.org"}, {"threat_model_id": MODEL}],
        [{}, {"email": "ANN@example.org"}],
    ),
    Unique(
        "collaboration_sessions_live_key",
        "collaboration_sessions",
        {"diagram_id": Parent("diagrams")},
        [{"diagram_id": Parent("diagrams")}, {"ended_at": LATER}, {"ended_at": LATER}],
        [{}],
    ),
    Unique(
        "session_participants_session_user_key",
        "session_participants",
        {"session_id": Parent("collaboration_sessions"), "user_internal_uuid": USER},
        [
            {"user_internal_uuid": USER},
            {"session_id": Parent("collaboration_sessions")},
            {"left_at": LATER},
            {"left_at": LATER},
        ],
        [{}],
    ),
    Unique(
        "session_removals_session_user_key",
        "session_removals",
        {"session_id": Parent("collaboration_sessions"), "user_internal_uuid": USER},
        [{"user_internal_uuid": USER}, {"session_id": Parent("collaboration_sessions")}],
        [{}],
    ),
]
