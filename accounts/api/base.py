"""The base of views that only signed-in people reach."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.request import Request

from accounts.api import idempotency
from accounts.models import User
from tmi.api.views import ApiViewSet


class SignedInViewSet(ApiViewSet):
    # An Idempotency-Key is understood.
    repeatable: ClassVar[bool] = True
    # Whether answers to POST carry a secret, which is never kept for an Idempotency-Key.
    secret_answers: ClassVar[bool] = False

    @property
    def actor(self) -> User:
        """The person who asks."""
        person = self.request.user
        assert isinstance(person, User)
        return person

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        handler = getattr(self, "post", None)
        if request.method == "POST" and idempotency.HEADER in request.headers and handler is not None:
            self.post = idempotency.once(
                request, self.actor, handler, self.handle_exception, secret=self.secret_answers
            )
