"""Roles: the loader and the queryset agree for everybody, however a role came about."""

from __future__ import annotations

import itertools

import pytest

from accounts.models import EVERYONE_ID, Group, GroupMember, User
from tests.conftest import make_user
from threatmodels import access
from threatmodels.actions.access import Grant, grant_access, revoke_access
from threatmodels.actions.threat_model import (
    create_threat_model,
    delete_threat_model,
    restore_threat_model,
    transfer_threat_model,
)
from threatmodels.models import AccessInvitation, ThreatModel, ThreatModelAccess
from threatmodels.roles import Role
from tmi.lib.errors import Conflict, NotFound, PermissionDenied, ValidationFailed


def role(user: User, threat_model: ThreatModel) -> Role | None:
    """The role by the loader; the queryset must say the same."""
    listed = access.visible_to(user).filter(pk=threat_model.pk).first()
    try:
        loaded = access.role_of(access.get_threat_model(user, threat_model.pk))
    except NotFound:
        assert listed is None
        return None
    assert access.role_of(listed) == loaded
    return loaded


@pytest.fixture
def team(cast):
    group = Group.objects.create(group_name="team")
    GroupMember.objects.create(group=group, user=cast.outsider)
    return group


SOURCES = {
    "entry": lambda m, c, team, r: grant_access(m, actor=c.owner, grant=Grant(r, user=c.outsider)),
    "group": lambda m, c, team, r: grant_access(m, actor=c.owner, grant=Grant(r, group=team)),
    "everyone": lambda m, c, team, r: grant_access(
        m, actor=c.owner, grant=Grant(r, group=Group.objects.get(pk=EVERYONE_ID))
    ),
    "invitation": lambda m, c, team, r: grant_access(
        m, actor=c.owner, grant=Grant(r, email="OUTSIDER@example.org")
    ),
}


@pytest.mark.parametrize("name", ["reader", "writer", "owner"])
@pytest.mark.parametrize("source", SOURCES)
def test_each_source_gives_its_role(cast, threat_model, team, source, name):
    assert role(cast.outsider, threat_model) is None
    SOURCES[source](threat_model, cast, team, name)
    assert role(cast.outsider, threat_model) == Role.named(name)


# Who has an entry already is not invited, nor the other way round.
PAIRS = [pair for pair in itertools.permutations(SOURCES, 2) if set(pair) != {"entry", "invitation"}]


@pytest.mark.parametrize("pair", PAIRS)
def test_the_highest_of_several_roles_counts(cast, threat_model, team, pair):
    SOURCES[pair[0]](threat_model, cast, team, "reader")
    SOURCES[pair[1]](threat_model, cast, team, "writer")
    assert role(cast.outsider, threat_model) == Role.WRITER


def test_the_cast_has_the_roles_of_the_play(cast, threat_model):
    roles = [role(user, threat_model) for user in (cast.owner, cast.writer, cast.reader)]
    assert roles == [Role.OWNER, Role.WRITER, Role.READER]
    assert role(cast.outsider, threat_model) is None
    assert role(cast.admin, threat_model) is None


def test_too_low_a_role_is_told_apart_from_none(cast, threat_model):
    with pytest.raises(PermissionDenied):
        access.get_threat_model(cast.reader, threat_model.pk, at_least=Role.WRITER)
    with pytest.raises(NotFound):
        access.get_threat_model(cast.outsider, threat_model.pk, at_least=Role.WRITER)
    with pytest.raises(NotFound):
        access.get_threat_model(cast.owner, "not-an-id")


def test_an_invitation_becomes_an_entry_when_the_model_is_opened(cast, threat_model):
    late = make_user("late")
    grant_access(threat_model, actor=cast.owner, grant=Grant("writer", email="Late@Example.org"))
    assert AccessInvitation.objects.count() == 1

    access.get_threat_model(late, threat_model.pk)

    assert AccessInvitation.objects.count() == 0
    entry = ThreatModelAccess.objects.get(user=late)
    assert (entry.role, entry.granted_by) == ("writer", cast.owner)
    assert threat_model.audit_entries.filter(action="accept_invitation", actor=late).exists()


def test_an_invitation_is_not_for_an_unverified_address(cast, threat_model):
    liar = make_user("liar", provider="other", provider_user_id="1")
    User.objects.filter(pk=liar.pk).update(email_verified=False)
    liar.refresh_from_db()
    grant_access(threat_model, actor=cast.owner, grant=Grant("writer", email=liar.email))
    assert role(liar, threat_model) is None


def test_an_accepted_invitation_never_lowers_a_role(cast, threat_model):
    grant_access(threat_model, actor=cast.owner, grant=Grant("writer", user=cast.outsider))
    # An address may become somebody's only after it was invited.
    AccessInvitation.objects.create(threat_model=threat_model, email=cast.outsider.email, role="reader")
    assert role(cast.outsider, threat_model) == Role.WRITER
    assert ThreatModelAccess.objects.get(user=cast.outsider).role == "writer"
    assert not AccessInvitation.objects.exists()


@pytest.mark.asvs("v5.0.0-8.3.2")
def test_a_revoked_role_is_gone_at_once(cast, threat_model):
    entry = threat_model.access_entries.get(user=cast.writer)
    revoke_access(threat_model, actor=cast.owner, entry=entry)
    assert role(cast.writer, threat_model) is None


def test_a_subject_stands_in_the_list_once(cast, threat_model):
    with pytest.raises(Conflict):
        grant_access(threat_model, actor=cast.owner, grant=Grant("owner", user=cast.reader))
    with pytest.raises(ValidationFailed):
        grant_access(threat_model, actor=cast.owner, grant=Grant("reader", user=cast.owner))
    with pytest.raises(ValidationFailed) as refused:
        grant_access(threat_model, actor=cast.owner, grant=Grant("reader", email="not an address"))
    assert refused.value.details["field"] == "email"


def test_a_handed_over_model_leaves_the_old_owner_an_owner(cast, threat_model):
    transfer_threat_model(threat_model, actor=cast.owner, owner=cast.writer)
    assert role(cast.writer, threat_model) == Role.OWNER
    assert role(cast.owner, threat_model) == Role.OWNER
    assert not ThreatModelAccess.objects.filter(user=cast.writer).exists()


def test_a_deleted_model_is_seen_by_nobody_and_restored_by_its_owners_alone(cast, threat_model):
    delete_threat_model(threat_model, actor=cast.owner)
    for user in (cast.owner, cast.writer, cast.reader):
        assert role(user, threat_model) is None
    assert list(access.restorable_by(cast.owner)) == [threat_model]
    assert not access.restorable_by(cast.writer).exists()
    with pytest.raises(NotFound):
        access.get_threat_model(cast.writer, threat_model.pk, deleted=True)

    restore_threat_model(threat_model, actor=cast.owner)
    assert role(cast.reader, threat_model) == Role.READER


def test_loading_costs_one_query(cast, threat_model, django_assert_num_queries):
    with django_assert_num_queries(1):
        access.get_threat_model(cast.reader, threat_model.pk)
    for _ in range(20):
        create_threat_model(actor=cast.owner, name="x")
    with django_assert_num_queries(1):
        assert len(access.visible_to(cast.owner)) == 21
