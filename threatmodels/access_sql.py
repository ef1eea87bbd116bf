"""Roles as SQL, written by hand: to put it together anew for each request costs more than to run it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, F, Func, IntegerField, Lookup, UUIDField

from accounts.models import EVERYONE_ID, User

PARAMETER = re.compile(r"\{(person|email|everyone)\}")
# The highest rank among entries. {person}, {email} (null unless the address is proved) and {everyone} become
# parameters, {id} and {owner} columns of the threat model.
_RANK = "max(CASE role WHEN 'owner' THEN 3 WHEN 'writer' THEN 2 ELSE 1 END)"
ROLE_RANK = """greatest(CASE WHEN {owner} = {person} THEN 3 ELSE 0 END,
  (SELECT {rank} FROM threat_model_access x WHERE x.threat_model_id = {id} AND (
    x.user_internal_uuid = {person} OR x.group_internal_uuid = {everyone} OR x.group_internal_uuid IN
      (SELECT group_internal_uuid FROM group_members WHERE user_internal_uuid = {person}))),
  (SELECT {rank} FROM access_invitations i WHERE i.threat_model_id = {id} AND lower(i.email) = {email}))"""
IS_INVITED = """EXISTS
  (SELECT FROM access_invitations i WHERE i.threat_model_id = {id} AND lower(i.email) = {email})"""
# An array and no IN: PostgreSQL guesses how many rows IN has, and where it guesses many it reads all of them.
REACHABLE = """ARRAY(SELECT id FROM threat_models WHERE owner_internal_uuid = {person}
  UNION SELECT threat_model_id FROM threat_model_access WHERE user_internal_uuid = {person}
  UNION SELECT threat_model_id FROM threat_model_access WHERE group_internal_uuid IN
    (SELECT group_internal_uuid FROM group_members WHERE user_internal_uuid = {person})
  UNION SELECT threat_model_id FROM threat_model_access WHERE group_internal_uuid = {everyone}
  UNION SELECT threat_model_id FROM access_invitations WHERE lower(email) = {email})"""


class Person(NamedTuple):
    """What of somebody decides their roles: `email` is in small letters, and None unless it is proved."""

    user_id: UUID
    email: str | None

    @classmethod
    def of(cls, user: User) -> Person:
        return cls(user.pk, user.email.lower() if user.email_verified else None)


class PersonSql(Func):
    """One of the texts above, for a person."""

    def __init__(self, text: str, person: Person, **extra: Any) -> None:
        super().__init__(F("pk"), F("owner"), **extra)
        self.text, self.person = text, person

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        model_id, owner = (compiler.compile(one)[0] for one in self.get_source_expressions())
        sql, names = _positional(self.text)
        values = {"person": self.person.user_id, "everyone": EVERYONE_ID, "email": self.person.email}
        return sql.replace("{id}", model_id).replace("{owner}", owner), [values[name] for name in names]


@lru_cache
def _positional(text: str) -> tuple[str, list[str]]:
    """The text with %s for its parameters, and their names in order."""
    whole = text.replace("{rank}", _RANK)
    return PARAMETER.sub("%s", whole), PARAMETER.findall(whole)


def role_rank(person: Person) -> PersonSql:
    """The rank of the person's role, 0 for none."""
    return PersonSql(ROLE_RANK, person, output_field=IntegerField())


def is_invited(person: Person) -> PersonSql:
    """Whether an open invitation speaks of the person."""
    return PersonSql(IS_INVITED, person, output_field=BooleanField())


def reachable(person: Person) -> Lookup[Any]:
    """The condition that the person has any role, read from indexes alone."""
    return _AnyOf(F("pk"), PersonSql(REACHABLE, person, output_field=ArrayField(UUIDField())))


class _AnyOf(Lookup[Any]):
    """`= ANY(array)`."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, left_values = self.process_lhs(compiler, connection)
        right, right_values = self.process_rhs(compiler, connection)
        return f"{left} = ANY({right})", [*left_values, *right_values]


# The rank of many people at once, each at a diagram by a sign-in session, and whether that still holds.
STANDING = """
SELECT a.place, CASE WHEN m.id IS NULL THEN 0 ELSE {rank_of_all} END,
  u.internal_uuid IS NOT NULL AND s.id IS NOT NULL, m.id IS NOT NULL
FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) WITH ORDINALITY AS a(person, session, diagram, place)
LEFT JOIN users u ON u.internal_uuid = a.person AND u.is_active
LEFT JOIN sign_in_sessions s ON s.id = a.session AND s.ended_at IS NULL AND s.expires_at > now()
LEFT JOIN diagrams d ON d.id = a.diagram AND d.deleted_at IS NULL
LEFT JOIN threat_models m ON m.id = d.threat_model_id AND m.deleted_at IS NULL
"""


@lru_cache(maxsize=1)
def standing_sql() -> str:
    """The text of STANDING: parameters are the lists of people, sign-in sessions and diagrams."""
    names = {
        "{rank}": _RANK,
        "{id}": "m.id",
        "{owner}": "m.owner_internal_uuid",
        "{person}": "a.person",
        "{everyone}": f"'{EVERYONE_ID}'::uuid",
        "{email}": "CASE WHEN u.email_verified THEN lower(u.email) END",
    }
    rank = ROLE_RANK
    for name, column in names.items():
        rank = rank.replace(name, column)
    return STANDING.replace("{rank_of_all}", rank)
