"""The one entrance for HTTP and WebSocket."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tmi.settings")

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings

# Only web processes pool their connections: a command has one, and no threads that outlive it.
_SIZE = settings.CONFIG.database.postgres.pool_size
# The rooms of diagrams keep theirs, beside those of requests.
_ROOMS = 4
settings.DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
    "min_size": 1,
    "max_size": _SIZE + _ROOMS,
    # While the database is away callers are told so soon, and find it soon when it is back.
    "timeout": 2,
    "reconnect_timeout": 1,
}
django.setup(set_prefix=False)

from collaboration.routing import websocket_urlpatterns
from threatmodels.delivering import Workers
from tmi.handler import Handler
from tmi.lib import events
from tmi.metrics import watch_process

watch_process()

application = ProtocolTypeRouter(
    {"http": Handler(threads=_SIZE), "websocket": URLRouter(websocket_urlpatterns)}
)


def workers() -> Workers:
    """What a web process does beside answering: it delivers webhooks, its own changes at once."""
    made = Workers()
    events.subscribe(made.wake)
    return made
