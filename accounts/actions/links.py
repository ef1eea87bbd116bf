"""One-time links: the first administrator's, and the demo user's.

Their secrets are kept as hashes in one row each of the database, so that a spent link stays spent.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.actions.demo import DEMO_EMAIL
from accounts.actions.user import create_local_user
from accounts.models import OneTimeLink, User
from accounts.tokens import fingerprint, new_secret
from tmi.lib.errors import NotFound

FIRST_ADMIN = "first_admin"
DEMO = "demo"


def new_link(purpose: str) -> str:
    """The secret of a new link; the one before it is worth nothing any more."""
    secret = new_secret()
    OneTimeLink.objects.update_or_create(
        purpose=purpose, defaults={"secret_hash": fingerprint(secret), "created_at": timezone.now()}
    )
    return secret


def withdraw(purpose: str) -> None:
    """The link of this purpose, if there is one, is worth nothing any more."""
    OneTimeLink.objects.filter(purpose=purpose).delete()


def needs_first_admin() -> bool:
    return not User.objects.active().filter(is_admin=True).exists()


def is_open(purpose: str, secret: str) -> bool:
    return OneTimeLink.objects.filter(purpose=purpose, secret_hash=fingerprint(secret)).exists()


@transaction.atomic
def make_first_admin(secret: str, *, email: str, name: str, password: str) -> User:
    """Spends the link. Raises NotFound when it is spent or there is an administrator, ValidationFailed."""
    _spend(FIRST_ADMIN, secret)
    if not needs_first_admin():
        raise NotFound("There is an administrator already.")
    return create_local_user(email=email, name=name, password=password, is_admin=True)


@transaction.atomic
def demo_by_link(secret: str) -> User:
    """The demo user, for whoever holds the link of this start of the server. Raises NotFound."""
    if not is_open(DEMO, secret):
        raise NotFound("This link is not valid any more.")
    found: User | None = User.objects.active().local().with_email(DEMO_EMAIL).first()
    if found is None:
        raise NotFound("There is no demo user.")
    return found


def _spend(purpose: str, secret: str) -> None:
    held = OneTimeLink.objects.filter(purpose=purpose, secret_hash=fingerprint(secret))
    deleted, _rows = held.delete()
    if not deleted:
        raise NotFound("This link is not valid any more.")
