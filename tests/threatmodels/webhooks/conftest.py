"""A receiver that the configuration lets deliveries reach, and webhooks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.threatmodels.webhooks.receiver import Receiver, receiving
from threatmodels.delivering import deliver_next


@pytest.fixture(scope="session")
def _receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiving(tmp_path_factory.mktemp("receiver")) as running:
        yield running


@pytest.fixture
def receiver(_receiver: Receiver, settings: Any) -> Receiver:
    """An HTTPS server on this machine; `outgoing` in the configuration opens the way to it."""
    opened = {"allowed_networks": ["127.0.0.1/32"], "ca_file": str(_receiver.ca_file)}
    configure(settings, "outgoing", **opened)
    _receiver.taken.clear()
    _receiver.answers = None
    return _receiver


def configure(settings: Any, section: str, **keys: Any) -> None:
    changed = getattr(settings.CONFIG, section).model_copy(update=keys)
    settings.CONFIG = settings.CONFIG.model_copy(update={section: changed})


def deliver_all(limit: int = 100) -> int:
    """Tries everything that is due; how many."""
    for tried in range(limit):
        if not deliver_next():
            return tried
    raise AssertionError("there is no end to it")


@pytest.fixture
def subscribe(api: Any, receiver: Receiver) -> Callable[..., dict[str, Any]]:
    """`subscribe(person, ...)` is a webhook whose receiver has answered the challenge."""

    def make(person: Any, **given: Any) -> dict[str, Any]:
        body = {"url": receiver.url, "events": ["*"], **given}
        answer = api(person).post("/api/v1/webhooks", body, format="json")
        assert answer.status_code == 201, answer.content
        deliver_all()
        return answer.json()["data"]

    return make
