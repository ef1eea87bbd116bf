"""The person of the demo."""

from __future__ import annotations

from accounts.actions.user import create_local_user
from accounts.models import User

DEMO_EMAIL = "demo@localhost"


def demo_user() -> User:
    """Made when missing; nobody can sign in as the demo user but by the link that `make run` prints."""
    found: User | None = User.objects.local().with_email(DEMO_EMAIL).first()
    return found or create_local_user(email=DEMO_EMAIL, name="Demo")
