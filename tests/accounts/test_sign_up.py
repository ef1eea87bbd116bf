"""Who may make an account, and the mails that prove an address, received by a real mail server."""

from __future__ import annotations

import re
import socket
import time
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.actions.invitation import invite
from accounts.actions.user import create_local_user
from accounts.models import AuditEntry, SignUpInvitation, User
from tmi.lib import mail as outgoing

PASSWORD = "correct-horse-battery-9"
SIGN_UP = "/accounts/signup/"
pytestmark = pytest.mark.django_db


class Sink:
    """Keeps what it receives."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default)))
        return "250 Message accepted for delivery"

    def text(self):
        return "\n".join(mail.get_content() for _to, mail in self.mails)


@pytest.fixture
def sink():
    received = Sink()
    with socket.create_server(("127.0.0.1", 0)) as free:
        received.port = free.getsockname()[1]
    controller = Controller(received, hostname="127.0.0.1", port=received.port)
    controller.start()
    yield received
    controller.stop()


@pytest.fixture
def mode(settings):
    """`mode("open")` is who may sign up."""

    def choose(name):
        local = settings.CONFIG.auth.local.model_copy(update={"signup": name})
        auth = settings.CONFIG.auth.model_copy(update={"local": local})
        settings.CONFIG = settings.CONFIG.model_copy(update={"auth": auth})

    return choose


@pytest.fixture
def mailing(settings, sink):
    """Mail goes to the sink; addresses must be proved."""
    mail = settings.CONFIG.mail.model_copy(
        update={"host": "127.0.0.1", "port": sink.port, "from_": "tmi@example.org", "tls": "none"}
    )
    settings.CONFIG = settings.CONFIG.model_copy(update={"mail": mail})
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.DEFAULT_FROM_EMAIL = "tmi@example.org"
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True
    return sink


def sign_up(client, email="new@example.org"):
    return client.post(SIGN_UP, {"email": email, "password1": PASSWORD, "password2": PASSWORD})


def link_in(text, path):
    found = re.search(rf"https?://\S+?({path}\S+)", text)
    assert found, text
    return found[1]


@pytest.mark.parametrize("name", ["invite", "closed"])
def test_nobody_signs_up_uninvited(browse, mode, name):
    mode(name)
    assert "invite" in sign_up(browse(None)).content.decode()
    assert not User.objects.filter(email="new@example.org").exists()


def test_an_open_instance_takes_everybody_and_believes_no_address(browse, mode):
    mode("open")
    assert sign_up(browse(None))["Location"] == "/"
    assert not User.objects.get(email="new@example.org").email_verified


def test_an_address_is_proved_by_the_link_in_the_mail(browse, mode, mailing):
    mode("open")
    client = browse(None)
    sign_up(client)
    assert client.get("/").status_code == 302
    [(to, _mail)] = mailing.mails
    assert to == ["new@example.org"]
    link = link_in(mailing.text(), "/accounts/confirm-email/")
    assert browse(None).get(link).status_code == 200
    assert not User.objects.get(email="new@example.org").email_verified
    client.post(link)
    assert User.objects.get(email="new@example.org").email_verified


def test_an_address_that_is_taken_looks_the_same_and_its_owner_is_told(browse, mode, mailing):
    mode("open")
    fresh = sign_up(browse(None), "fresh@example.org")
    create_local_user(email="taken@example.org", name="T", password=PASSWORD)
    taken = sign_up(browse(None), "TAKEN@example.org")
    assert (taken.status_code, taken["Location"]) == (fresh.status_code, fresh["Location"])
    assert User.objects.with_email("taken@example.org").count() == 1
    assert mailing.mails[-1][0] == ["taken@example.org"]


def test_a_lost_password_is_replaced_by_the_link_in_the_mail(browse, mailing):
    user = create_local_user(email="ann@example.org", name="Ann", password=PASSWORD)
    old = browse(None)
    old.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    client = browse(None)
    asked = client.post("/accounts/password/reset/", {"email": "ANN@example.org"})
    link = link_in(mailing.text(), "/accounts/password/reset/key/")
    form = client.get(link)["Location"]
    new = "another-horse-battery-7"
    client.post(form, {"password1": new, "password2": new})
    user.refresh_from_db()
    assert user.check_password(new)
    assert old.get("/").status_code == 302
    assert "link" not in client.get(link).headers
    again = browse(None).get(link)
    assert again.status_code == 200
    unknown = browse(None).post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert (unknown.status_code, unknown["Location"]) == (asked.status_code, asked["Location"])
    assert all(to == ["ann@example.org"] for to, _mail in mailing.mails)


def test_who_missed_the_first_mail_proves_the_address_by_a_new_password(browse, mode, mailing):
    mode("open")
    sign_up(browse(None))
    again = sign_up(browse(None))
    assert again["Location"] == "/accounts/confirm-email/"
    mailing.mails.clear()
    client = browse(None)
    client.post("/accounts/password/reset/", {"email": "new@example.org"})
    form = client.get(link_in(mailing.text(), "/accounts/password/reset/key/"))["Location"]
    new = "another-horse-battery-7"
    client.post(form, {"password1": new, "password2": new})
    assert User.objects.get(email="new@example.org").email_verified
    signed_in = browse(None).post("/accounts/login/", {"login": "new@example.org", "password": new})
    assert signed_in["Location"] == "/"


def test_an_account_that_is_used_is_not_handed_to_whoever_has_its_unproved_address(browse, mode, mailing):
    mode("open")
    sign_up(browse(None))
    User.objects.filter(email="new@example.org").update(last_login=timezone.now())
    mailing.mails.clear()
    browse(None).post("/accounts/password/reset/", {"email": "new@example.org"})
    assert mailing.mails == []


def test_a_person_of_a_provider_gets_no_mail_for_a_new_password(browse, mailing):
    made = User(email="ada@example.org", name="Ada", provider="acme", provider_user_id="1")
    made.email_verified = True
    made.set_unusable_password()
    made.save()
    browse(None).post("/accounts/password/reset/", {"email": "ada@example.org"})
    assert mailing.mails == []


def test_links_in_mails_name_no_host_that_a_request_made_up(browse, mailing, settings):
    create_local_user(email="ann@example.org", name="Ann", password=PASSWORD)
    answer = browse(None).post(
        "/accounts/password/reset/", {"email": "ann@example.org"}, HTTP_HOST="evil.example.org"
    )
    assert answer.status_code == 400
    assert mailing.mails == []


# -- a mail server that is away


@pytest.fixture
def queued(mailing, settings):
    """Mail goes the way that it goes in a real instance; what was sent is there after `flush`."""
    settings.EMAIL_BACKEND = "tmi.lib.mail.EmailBackend"
    yield mailing
    assert outgoing.flush()


@pytest.fixture
def mute(queued, settings):
    """The mail server takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = server.getsockname()[1], 1
        yield
        assert outgoing.flush()


@pytest.fixture
def away(queued, settings):
    """Nothing listens where the mail server should be."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        settings.EMAIL_PORT = free.getsockname()[1]


committed = pytest.mark.django_db(transaction=True)


@committed
def test_mails_arrive_though_nobody_waits_for_them(browse, mode, queued):
    mode("open")
    sign_up(browse(None))
    assert outgoing.flush()
    assert [to for to, _mail in queued.mails] == [["new@example.org"]]


@committed
def test_who_signs_up_is_answered_though_the_mail_server_is_away(browse, mode, away, caplog):
    mode("open")
    create_local_user(email="taken@example.org", name="T", password=PASSWORD)
    fresh, taken = (sign_up(browse(None), f"{name}@example.org") for name in ("fresh", "taken"))
    assert (fresh.status_code, fresh["Location"]) == (302, "/accounts/confirm-email/")
    assert (taken.status_code, taken["Location"]) == (fresh.status_code, fresh["Location"])
    assert outgoing.flush()
    assert caplog.text.count("A mail was not sent") == 2
    assert "example.org" not in caplog.text


@committed
def test_a_password_is_changed_though_the_mail_server_is_away(browse, away):
    user = create_local_user(email="ann@example.org", name="Ann", password=PASSWORD)
    client = browse(None)
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    new = "another-horse-battery-7"
    given = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post("/accounts/password/change/", given).status_code == 302
    user.refresh_from_db()
    assert user.check_password(new)


@committed
def test_a_mail_server_that_says_nothing_tells_nobody_who_has_an_account(browse, mute):
    create_local_user(email="ann@example.org", name="Ann", password=PASSWORD)
    begun = time.monotonic()
    asked = browse(None).post("/accounts/password/reset/", {"email": "ann@example.org"})
    assert time.monotonic() - begun < 5
    unknown = browse(None).post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert (unknown.status_code, unknown["Location"]) == (asked.status_code, asked["Location"])


def test_a_mail_server_is_not_waited_for_without_end(settings):
    assert 0 < settings.EMAIL_TIMEOUT <= 30


def test_an_invitation_that_cannot_be_mailed_is_handed_on(browse, away, capsys):
    with pytest.raises(CommandError, match="not sent"):
        call_command("invite", "new@example.org")
    path = link_in(capsys.readouterr().out, "/accounts/invitation/").strip()
    assert browse(None).get(path).status_code == 200


# -- invitations


def test_an_invitation_is_mailed_and_makes_one_account(browse, mailing, capsys, mode):
    mode("invite")
    call_command("invite", "New@example.org")
    assert "/accounts/invitation/" not in capsys.readouterr().out
    link = link_in(mailing.text(), "/accounts/invitation/")
    client = browse(None)
    assert "New@example.org" in client.get(link).content.decode()
    assert client.post(link, {"name": "New", "password": "short"}).status_code == 400
    assert client.post(link, {"name": "New", "password": PASSWORD})["Location"] == "/"
    assert client.get("/api/v1/me").json()["data"]["email_verified"]
    assert browse(None).get(link).status_code == 404
    assert browse(None).post(link, {"name": "Eve", "password": PASSWORD}).status_code == 404
    actions = AuditEntry.objects.filter(entity_type="sign_up_invitation").values_list("action", flat=True)
    assert sorted(actions) == ["accept", "invite"]


def test_the_link_is_printed_where_no_mail_is(browse, capsys):
    call_command("invite", "new@example.org")
    path = link_in(capsys.readouterr().out, "/accounts/invitation/").strip()
    assert browse(None).get(path).status_code == 200
    assert browse(None).get("/accounts/invitation/guess/").status_code == 404


def test_a_newer_invitation_ends_the_older(browse, cast):
    _old, first = invite("new@example.org", actor=cast.admin)
    _new, second = invite("NEW@example.org", actor=cast.admin)
    assert browse(None).get(f"/accounts/invitation/{first}/").status_code == 404
    assert browse(None).get(f"/accounts/invitation/{second}/").status_code == 200


def test_what_is_no_address_is_not_invited(db):
    with pytest.raises(CommandError, match="email"):
        call_command("invite", "nobody")


def test_an_invitation_is_kept_as_a_hash(cast):
    made, secret = invite("new@example.org", actor=cast.admin)
    assert secret not in str(SignUpInvitation.objects.filter(pk=made.pk).values().get())
