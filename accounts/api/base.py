"""The base of views that only signed-in people reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

from django.db import transaction
from django.db.models import Model
from rest_framework.request import Request

from accounts.api import idempotency
from accounts.models import User
from tmi.api.views import ApiViewSet, check_precondition, etag
from tmi.lib.errors import NotFound

Json = dict[str, Any]
RowT = TypeVar("RowT", bound=Model)


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

    @contextmanager
    def held(self, row: RowT, shown: Callable[[RowT], Json]) -> Iterator[tuple[RowT, Json]]:
        """The row as it is now, locked, and how the API shows it, which `If-Match` must name."""
        with transaction.atomic():
            # `request.user` is a lazy object, whose type is not that of the row.
            locked = row.__class__._default_manager.select_for_update().filter(pk=row.pk).first()
            if locked is None:
                raise NotFound
            current = shown(locked)
            check_precondition(self.request, etag(current))
            yield locked, current

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        handler = getattr(self, "post", None)
        if request.method == "POST" and idempotency.HEADER in request.headers and handler is not None:
            self.post = idempotency.once(
                request, self.actor, handler, self.handle_exception, secret=self.secret_answers
            )
