"""The one entrance for HTTP and WebSocket."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tmi.settings")

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

http = get_asgi_application()

application = ProtocolTypeRouter({"http": http, "websocket": URLRouter([])})
