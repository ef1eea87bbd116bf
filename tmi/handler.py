"""Django under ASGI with kept threads: a request is answered in one hop from the event loop and back.

Django's own handler makes a thread for each request, and with it a database connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from os import SEEK_END
from typing import IO, Any

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from tmi.lib import metrics

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
CHUNK = 64 * 1024


class Handler(ASGIHandler):
    """`threads` requests at a time; the others wait for a thread."""

    def __init__(self, threads: int) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        metrics.watch(metrics.QUEUE.labels("requests"), self.threads._work_queue.qsize)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        loop = asyncio.get_running_loop()

        def send_now(message: Message) -> None:
            asyncio.run_coroutine_threadsafe(send(message), loop).result()

        with body:
            measured = _measured(scope, body)
            left = await loop.run_in_executor(self.threads, self._answer, measured, body, send_now)
        for message in left:
            await send(message)

    def _answer(
        self, scope: Message, body: IO[bytes], send_now: Callable[[Message], None]
    ) -> Iterable[Message]:
        """The messages of the answer; those of a long one are sent from here, as they come."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, error = self.create_request(scope, body)
        response: Any = error if request is None else self.get_response(request)
        try:
            if not response.streaming:
                return [_start(response), {"type": "http.response.body", "body": response.content}]
            send_now(_start(response))
            for chunk in _chunks(response):
                send_now({"type": "http.response.body", "body": chunk, "more_body": True})
            return [{"type": "http.response.body"}]
        finally:
            # Ends the request for Django: the database connection goes back.
            response.close()


def _measured(scope: Message, body: IO[bytes]) -> Message:
    """The scope with the length of its body: chunks come without it, and then nobody reads them."""
    size = body.seek(0, SEEK_END)
    body.seek(0)
    if not size or any(name == b"content-length" for name, _ in scope["headers"]):
        return scope
    headers = [pair for pair in scope["headers"] if pair[0] != b"transfer-encoding"]
    return {**scope, "headers": [*headers, (b"content-length", str(size).encode())]}


def _start(response: HttpResponseBase) -> Message:
    headers = [(name.encode("ascii"), value.encode("latin1")) for name, value in response.items()]
    cookies = [cookie.output(header="").strip().encode("ascii") for cookie in response.cookies.values()]
    headers += [(b"Set-Cookie", cookie) for cookie in cookies]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}


def _chunks(response: Any) -> Iterable[bytes]:
    if hasattr(response, "block_size"):
        response.block_size = CHUNK
    return iter(response)
