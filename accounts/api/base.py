"""The base of views that only signed-in people reach."""

from __future__ import annotations

from accounts.models import User
from tmi.api.views import ApiViewSet


class SignedInViewSet(ApiViewSet):
    @property
    def actor(self) -> User:
        """The person who asks."""
        person = self.request.user
        assert isinstance(person, User)
        return person
