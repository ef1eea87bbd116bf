"""What stands before the application whatever serves it: trusted proxies, and bodies that nobody takes."""

import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tmi.config import Config
from tmi.lib.context import TOO_LARGE

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

# A file arrives with the names of its form around it.
FORM_BYTES = 1024 * 1024
BODY_HEADERS = (b"content-length", b"content-type", b"transfer-encoding")


def longest_body(config: Config) -> int:
    """Bytes of a body beyond which no view could take it; each view has its own, lower limit."""
    return max(config.server.max_body_bytes, config.imports.max_bytes + FORM_BYTES)


class TooLargeError(Exception):
    """More has arrived than any view takes."""


class Gateway:
    """An ASGI application around ours."""

    def __init__(self, application: Application, config: Config) -> None:
        self.application = application
        self.longest = longest_body(config)
        self.trusted = [ipaddress.ip_network(text, strict=False) for text in config.server.trusted_proxies]

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if self.trusted and scope["type"] in ("http", "websocket"):
            scope = self._seen_through_proxies(scope)
        if scope["type"] != "http":
            await self.application(scope, receive, send)
        elif _announced(scope) > self.longest:
            await self._refuse(scope, receive, send)
        else:
            await self._counted(scope, receive, send)

    async def _counted(self, scope: Message, receive: Receive, send: Send) -> None:
        received, answering = 0, False

        async def take() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.longest:
                raise TooLargeError
            return message

        async def give(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self.application(scope, take, give)
        except TooLargeError:
            if not answering:
                await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Message, receive: Receive, send: Send) -> None:
        """The application answers without the body, with the form, headers and log line of any answer."""
        headers = [pair for pair in scope["headers"] if pair[0] not in BODY_HEADERS]
        await self.application({**scope, "headers": headers, TOO_LARGE: True}, _emptied(receive), send)

    def _seen_through_proxies(self, scope: Message) -> Message:
        """The scope with the address and scheme of the client that the trusted proxies name."""
        client = scope.get("client")
        if not client or not self._trusts(client[0]):
            return scope
        headers = dict(scope["headers"])  # of a header given twice the last, which the nearest proxy wrote
        hops = [hop.strip() for hop in headers.get(b"x-forwarded-for", b"").decode("latin1").split(",")]
        secure = headers.get(b"x-forwarded-proto", b"").decode("latin1").rpartition(",")[2].strip() == "https"
        return {
            **scope,
            "client": [self._nearest_stranger(hops) or client[0], 0],
            "scheme": _scheme(scope, secure),
        }

    def _nearest_stranger(self, hops: list[str]) -> str:
        """From the right: whoever is not one of our proxies; a client can write anything further left."""
        last = ""
        for hop in reversed(hops):
            if not _is_address(hop):
                break
            last = hop
            if not self._trusts(hop):
                break
        return last

    def _trusts(self, text: str) -> bool:
        return _is_address(text) and any(ipaddress.ip_address(text) in net for net in self.trusted)


def _emptied(receive: Receive) -> Receive:
    """Messages of a request without a body: what still arrives is thrown away until the client is gone."""
    begun = False

    async def take() -> Message:
        nonlocal begun
        if not begun:
            begun = True
            return {"type": "http.request", "body": b"", "more_body": False}
        while (message := await receive())["type"] != "http.disconnect":
            pass
        return message

    return take


def _scheme(scope: Message, secure: bool) -> str:
    plain = "ws" if scope["type"] == "websocket" else "http"
    return f"{plain}s" if secure else scope.get("scheme", plain)


def _announced(scope: Message) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length) if length.isdigit() else 0


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
