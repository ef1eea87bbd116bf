"""The admin site: every entity can be found, no secret is shown, every change is written down."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.urls import reverse

from accounts.actions.authorization import give_code, register_client
from accounts.actions.credential import create_credential
from accounts.actions.invitation import invite
from accounts.actions.session import issue_refresh_token, start_session
from accounts.models import (
    EVERYONE_ID,
    AuditEntry,
    ClientCredential,
    Group,
    OAuthClient,
    RefreshToken,
    SignInSession,
    SignUpInvitation,
    User,
)
from accounts.tokens import access_token, fingerprint
from collaboration.models import CollaborationSession
from tests.conftest import TOTP_SECRET, make_user, with_factor
from tests.threatmodels.views.conftest import parts  # noqa: F401  a fixture
from threatmodels.models import ThreatModel, Webhook

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
OURS = [model for model in MODELS if model._meta.app_label in ("accounts", "threatmodels", "collaboration")]


def page(model, name="changelist", *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@pytest.fixture
def secrets(cast, threat_model, parts):  # noqa: F811
    """One of everything, and the secrets that are in it."""
    session = start_session(cast.owner, address="192.0.2.1")
    refresh = issue_refresh_token(session)
    credential, secret = create_credential(owner=cast.owner, name="CI")
    cast.owner.set_password("correct-horse-battery-9")
    cast.owner.access_token = "provider-token-1"
    cast.owner.save()
    CollaborationSession.objects.create(
        threat_model=threat_model, diagram=parts["diagrams"], websocket_url="/ws/x"
    )
    sealed = Authenticator.objects.get(user=cast.admin).data["secret"]
    _invited, link = invite("new@example.org", actor=cast.admin)
    app = register_client(name="CLI", redirect_uris=["http://127.0.0.1/cb"], actor=cast.admin)
    code = give_code(app, session=session, redirect_uri="http://127.0.0.1/cb", challenge="c" * 43)
    SocialAccount.objects.create(user=cast.owner, provider="acme", uid="u1")
    told = [refresh, secret, credential.secret_hash, cast.owner.password, "provider-token-1"]
    return [*told, TOTP_SECRET, sealed, link, fingerprint(link), code, fingerprint(code)]


@pytest.mark.asvs("v5.0.0-13.3.2")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_list_and_page_opens_and_shows_no_secret(cast, browse, secrets, model):
    client = browse(cast.admin)
    listed = client.get(page(model), {"q": "a"} if admin.site._registry[model].search_fields else {})
    assert listed.status_code == 200
    texts = [client.get(page(model)).content.decode()]
    for row in model._default_manager.all()[:3]:
        shown = client.get(page(model, "change", row.pk))
        assert shown.status_code == 200
        texts.append(shown.content.decode())
    assert not [secret for secret in secrets if any(secret in text for text in texts)]


def test_no_two_lists_are_called_the_same(cast, browse):
    listed = browse(cast.admin).get("/admin/").context["app_list"]
    names = [str(model["name"]) for app in listed for model in app["models"]]
    assert {"Invitations to sign up", "Invitations to threat models", "Groups"} <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_filter_of_a_list_works(cast, browse, secrets, model):
    client = browse(cast.admin)
    text = client.get(page(model)).content.decode()
    import html
    import re

    filters = {html.unescape(one) for one in re.findall(r'<a href="(\?[^"]+)"', text)}
    for query in sorted(filters)[:30]:
        assert client.get(page(model) + query).status_code == 200, query


def test_every_entity_is_there_with_search_and_filters():
    entities = [
        model
        for app in ("accounts", "threatmodels", "collaboration")
        for model in apps.get_app_config(app).get_models()
        if model._meta.managed
    ]
    lists = {model._meta.label: admin.site._registry.get(model) for model in entities}
    # Shown with the group, or of the program alone.
    others = {"accounts.GroupMember", "accounts.KeptAnswer", "accounts.OneTimeLink"}
    bare = {name for name, one in lists.items() if not (one and one.search_fields and one.list_filter)}
    assert bare <= others


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_nobody_else_gets_in(cast, browse, model):
    for who in (cast.owner, None):
        assert browse(who).get(page(model)).status_code in (302, 403)


def test_a_group_is_made_and_that_is_written_down(cast, browse):
    client = browse(cast.admin)
    formset = {f"members-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    given = {"provider": "*", "group_name": "red", "name": "", "description": "", **formset}
    made = client.post(page(Group, "add"), given)
    assert made.status_code == 302, made.content.decode()
    group = Group.objects.get(group_name="red")
    entry = AuditEntry.objects.get(entity_id=group.pk)
    assert (entry.action, entry.actor) == ("admin_create", cast.admin)


def test_everyone_stays_as_it_is(cast, browse):
    client = browse(cast.admin)
    assert client.post(page(Group, "delete", EVERYONE_ID), {"post": "yes"}).status_code == 403
    before = Group.objects.get(pk=EVERYONE_ID)
    given = {"provider": "x", "group_name": "y", "name": "All"}
    assert client.post(page(Group, "change", EVERYONE_ID), given).status_code == 302
    after = Group.objects.get(pk=EVERYONE_ID)
    assert (after.group_name, after.name) == ("everyone", before.name)


def test_who_joins_a_group_here_is_written_down(cast, browse):
    group = Group.objects.create(group_name="red")
    formset = {"members-TOTAL_FORMS": 1, "members-INITIAL_FORMS": 0, "members-0-user": str(cast.reader.pk)}
    given = {"group_name": "red", "name": "", "description": "", **formset}
    client = browse(cast.admin)
    assert client.post(page(Group, "change", group.pk), given).status_code == 302
    member = group.members.get()
    assert (member.user, member.added_by) == (cast.reader, cast.admin)
    told = AuditEntry.objects.get(entity_id=member.pk, action="admin_create").changes
    assert told["user"] == [None, str(cast.reader.pk)]
    assert told["group"] == [None, str(group.pk)]


def test_a_changed_name_leaves_tokens_that_no_key_opens(cast, browse):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE users SET access_token = 'lost' WHERE internal_uuid = %s", [cast.reader.pk])
    client = browse(cast.admin)
    formset = {f"memberships-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    assert client.post(page(User, "change", cast.reader.pk), {"name": "Rea", **formset}).status_code == 302
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, access_token FROM users WHERE internal_uuid = %s", [cast.reader.pk])
        assert cursor.fetchone() == ("Rea", "lost")


@pytest.mark.parametrize("is_verified", [False, True], ids=["none is verified", "two are"])
def test_nothing_is_handed_over_to_whoever_claims_an_address(cast, browse, threat_model, is_verified):
    for number in range(2):
        User.objects.create(
            email="twin@example.org",
            name="Twin",
            provider="acme",
            provider_user_id=str(number),
            email_verified=is_verified,
        )
    act(browse(cast.admin), ThreatModel, "transfer", threat_model, new_owner="twin@example.org")
    threat_model.refresh_from_db()
    assert threat_model.owner == cast.owner


def test_the_path_of_a_webhook_is_shown_nowhere(cast, browse, threat_model):
    made = Webhook.objects.create(
        user=cast.owner,
        threat_model=threat_model,
        url="https://hooks.example.org/T0/very-secret",
        events=["threat_model.updated"],
    )
    client = browse(cast.admin)
    for at in (page(Webhook), page(Webhook, "change", made.pk)):
        text = client.get(at).content.decode()
        assert "https://hooks.example.org" in text
        assert "very-secret" not in text


def act(client, model, action, *rows, **more):
    given = {"action": action, "_selected_action": [str(row.pk) for row in rows], **more}
    return client.post(page(model), given, follow=True)


@pytest.mark.asvs("v5.0.0-7.4.5")
def test_people_are_deactivated_and_signed_out(cast, browse):
    session = start_session(cast.writer)
    client = browse(cast.admin)
    act(client, type(cast.writer), "deactivate", cast.writer, cast.admin)
    cast.writer.refresh_from_db()
    session.refresh_from_db()
    assert (cast.writer.is_active, session.ended_at is None) == (False, False)
    cast.admin.refresh_from_db()
    assert cast.admin.is_active
    act(client, type(cast.writer), "activate", cast.writer)
    cast.writer.refresh_from_db()
    assert cast.writer.is_active
    changes = AuditEntry.objects.filter(entity_id=cast.writer.pk).values_list("actor", flat=True)
    assert set(changes) == {cast.admin.pk}


def test_a_sign_in_is_ended(cast, browse):
    session = start_session(cast.writer)
    act(browse(cast.admin), SignInSession, "end_sessions", session)
    session.refresh_from_db()
    assert session.ended_at is not None
    assert AuditEntry.objects.filter(entity_id=session.pk, actor=cast.admin).exists()


def test_an_administrator_takes_access_for_all_to_see(cast, browse, threat_model):
    client = browse(cast.admin)
    assert client.get(f"/threat-models/{threat_model.pk}").status_code == 404
    act(client, ThreatModel, "grant_myself_access", threat_model)
    assert client.get(f"/threat-models/{threat_model.pk}").status_code == 200
    shown = browse(cast.reader).get(f"/threat-models/{threat_model.pk}/history").content.decode()
    assert "as an administrator took access to" in shown


def test_models_are_handed_over_deleted_and_restored(cast, browse, threat_model):
    client = browse(cast.admin)
    act(client, ThreatModel, "transfer", threat_model, new_owner="writer@example.org")
    threat_model.refresh_from_db()
    assert threat_model.owner == cast.writer
    act(client, ThreatModel, "transfer", threat_model, new_owner="nobody@example.org")
    act(client, ThreatModel, "delete_models", threat_model)
    threat_model.refresh_from_db()
    assert (threat_model.owner, threat_model.deleted_at is None) == (cast.writer, False)
    act(client, ThreatModel, "restore_models", threat_model)
    threat_model.refresh_from_db()
    assert threat_model.deleted_at is None


def test_a_credential_cannot_be_made_or_changed_here(cast, browse, secrets):
    client = browse(cast.admin)
    assert client.get(page(ClientCredential, "add")).status_code == 403


def test_an_administrator_without_a_second_factor_is_led_to_make_one(browse, cast):
    plain = make_user("plain", is_admin=True)
    client = browse(plain)
    assert client.get(page(Group), follow=True).redirect_chain[-1][0] == "/accounts/mfa/"
    assert client.post(page(Group, "add"), {"provider": "*", "group_name": "x"}).status_code == 302
    assert not Group.objects.filter(group_name="x").exists()


def test_the_admin_site_has_no_sign_in_form_of_its_own(browse, cast):
    cast.admin.set_password("correct-horse-battery-9")
    cast.admin.save()
    client = browse(None)
    given = {"username": cast.admin.email, "password": "correct-horse-battery-9", "next": "/admin/"}
    answer = client.post("/admin/login/", given)
    assert answer["Location"].startswith("/accounts/login/")
    assert not SignInSession.objects.filter(user=cast.admin).exists()


def test_second_factors_are_removed_for_whoever_lost_them(browse, cast):
    other = browse(cast.admin)
    lost = with_factor(make_user("lost"))
    other.post(page(User), {"action": "remove_factors", "_selected_action": [str(lost.pk)]})
    assert not Authenticator.objects.filter(user=lost).exists()
    entry = AuditEntry.objects.get(entity_id=lost.pk, action="admin_remove_factors")
    assert entry.changes == {"types": [["totp"], []]}


def test_a_program_is_registered_and_its_sign_ins_end_with_it(browse, cast, secrets):
    client = browse(cast.admin)
    bad = client.post(page(OAuthClient, "add"), {"name": "Bad", "redirect_uris": "javascript:alert(1)"})
    assert "Programs cannot be sent to javascript:alert(1)." in bad.content.decode()
    uris = ["com.example.desk:/back", "http://127.0.0.1/back"]
    given = {"name": "Desk", "redirect_uris": "\r\n".join(uris), "is_active": "on"}
    assert client.post(page(OAuthClient, "add"), given).status_code == 302
    desk = OAuthClient.objects.get(name="Desk")
    assert desk.redirect_uris == uris
    held = start_session(cast.owner, client=desk)
    client.post(page(OAuthClient, "change", desk.pk), {**given, "is_active": ""})
    held.refresh_from_db()
    assert held.ended_at is not None


def test_an_invitation_shows_its_link_once_where_no_mail_is(browse, cast):
    client = browse(cast.admin)
    shown = client.post(page(SignUpInvitation, "add"), {"email": "new@example.org"}, follow=True)
    link = re.search(r"/accounts/invitation/[\w-]+/", shown.content.decode())[0]
    assert link not in client.get(page(SignUpInvitation)).content.decode()
    made = browse(None).post(link, {"name": "New", "password": "correct-horse-battery-9"})
    assert made["Location"] == "/"
    assert User.objects.local().with_email("new@example.org").get().email_verified


def test_tokens_and_credentials_are_revoked_with_their_sign_ins(browse, api, cast, secrets):
    client = browse(cast.admin)
    token = RefreshToken.objects.get()
    held = access_token(token.session)
    client.post(page(RefreshToken), {"action": "revoke", "_selected_action": [str(token.pk)]})
    assert api(None).get("/api/v1/me", headers={"Authorization": f"Bearer {held}"}).status_code == 401
    assert AuditEntry.objects.filter(entity_id=token.pk, action="admin_revoke", actor=cast.admin).exists()
    credential = ClientCredential.objects.get()
    program = start_session(credential.owner, credential=credential)
    client.post(page(ClientCredential), {"action": "revoke", "_selected_action": [str(credential.pk)]})
    program.refresh_from_db()
    assert program.ended_at is not None
    assert not ClientCredential.objects.exists()
    assert AuditEntry.objects.filter(entity_id=credential.pk, action="delete", actor=cast.admin).exists()
