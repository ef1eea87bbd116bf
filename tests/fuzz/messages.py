"""Messages that a client may send, and ways to spoil them."""

from __future__ import annotations

import copy
import json
import random
import uuid
from collections.abc import Callable
from typing import Any

from tests.tools.frames import BINARY, TEXT, frame

LIMIT = 65_536
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    2**31,
    2**53 + 1,
    2**63,
    2**64,
    10**40,
    -(2**63) - 1,
    1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
    "",
    " ",
    "\x00",
    "\ud800",
    "\u202eabc",
    "a\tb\nc\rd",
    "<script>",
    "'; DROP TABLE diagrams; --",
    [],
    {},
    [[]],
    {"": {}},
    {"__proto__": {"x": 1}},
    "00000000-0000-0000-0000-000000000000",
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "not-a-uuid",
)
SERVERS = (
    "diagram_state",
    "sync_status",
    "operation_rejected",
    "history_operation",
    "participants_update",
    "current_presenter",
    "presenter_request_event",
    "threats_changed",
    "error",
)
TYPES = ("process", "datastore", "external_entity", "trust_boundary", "text", "data_flow")

Message = dict[str, Any]


class Spoiler:
    """Frames by chance; the same seed makes the same."""

    def __init__(self, seed: object) -> None:
        self.chance = random.Random(str(seed))  # noqa: S311
        self.last: bytes = b""
        # So few that operations meet, and that the diagram stays small.
        self.ids = [str(uuid.UUID(int=number + 1)) for number in range(60)]
        self.used: list[str] = []

    def knows(self, ids: list[str]) -> None:
        """The cells that are there, drawn by whomever."""
        self.ids = [*self.ids[:60], *ids[:60]]

    def frames(self, amount: int) -> list[tuple[str, bytes]]:
        """So many frames, each with the name of what was done to it; now and then a sound one between."""
        made = []
        for _ in range(amount):
            kind = self.chance.choices(*KINDS)[0]
            made.append((kind, getattr(self, f"_{kind}")()))
        self.last = made[-1][1]
        return made

    # -- whole frames

    def _sound(self) -> bytes:
        return frame(_text(self.message()))

    def _spoiled(self) -> bytes:
        """A message with one to three things in it changed."""
        message = self.message()
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            self._spoil(message)
        return frame(_text(message))

    def _cut(self) -> bytes:
        text = _text(self.message())
        return frame(text[: self.chance.randrange(len(text))])

    def _bytes(self) -> bytes:
        """Some bytes of the text changed: often no UTF-8 and no JSON any more."""
        text = bytearray(_text(self.message()))
        for _ in range(self.chance.choice((1, 2, 5))):
            text[self.chance.randrange(len(text))] = self.chance.choice(b'\x00\x7f\x80\xff"{}[],:\\0e-')
        try:
            text.decode()
        except UnicodeDecodeError:
            # A text frame that is no UTF-8 ends the connection: seldom, or nothing else is tried.
            if self.chance.random() < 0.98:
                return frame(bytes(text), BINARY)
        return frame(bytes(text))

    def _binary(self) -> bytes:
        return frame(self.chance.choice((_text(self.message()), self.chance.randbytes(50), b"")), BINARY)

    def _twice(self) -> bytes:
        """An object that has a key twice."""
        text = _text(self.message())
        key = self.chance.choice((b'"message_type"', b'"operation_id"', b'"operation"'))
        return frame(text[:-1] + b"," + key + b":" + _text(self._odd()) + b"}")

    def _deep(self) -> bytes:
        depth = self.chance.choice((10, 33, 41, 200, 1_000, 20_000))
        opening, closing = self.chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
        value = opening * min(depth, LIMIT // 8) + b"1" + closing * min(depth, LIMIT // 8)
        place = self.chance.choice(
            (b'{"message_type":"cursor","cursor_position":%s}', self._holding(), b"%s")
        )
        return frame(place.replace(b"%s", value))

    def _holding(self) -> bytes:
        step = b'{"id":"%b","operation":"update","data":{"properties":{"deep":%%s}}}' % self._id().encode()
        head = b'{"message_type":"diagram_operation","operation_id":"%b"' % self._new_id().encode()
        return head + b',"operation":{"type":"patch","cells":[' + step.replace(b"%%s", b"%s") + b"]}}"

    def _long(self) -> bytes:
        """Up to the limit and, seldom, beyond, which ends the connection."""
        size = self.chance.choice((1_000, 33_000, LIMIT - 600, LIMIT - 200, LIMIT))
        if self.chance.random() < 0.02:
            size = self.chance.choice((LIMIT + 1, 2 * LIMIT, 1_000_000))
        message = self.message()
        self._put(message, "x" * max(0, size - len(_text(message))))
        return frame(_text(message))

    def _numbers(self) -> bytes:
        text = self.chance.choice(
            ("1e999", "-0", "1" * 400, "0.1e-400", "NaN", "Infinity", "1E+2", "01", "+1")
        )
        return frame(
            b'{"message_type":"diagram_operation","operation_id":"%b","base_vector":%b,"operation":'
            b'{"type":"patch","cells":[{"id":"%b","operation":"update","data":{"position":{"x":%b}}}]}}'
            % (
                self._new_id().encode(),
                self.chance.choice((b"0", text.encode())),
                self._id().encode(),
                text.encode(),
            )
        )

    def _server(self) -> bytes:
        """Messages that only the server may send, and such that nobody knows."""
        kind = self.chance.choice((*SERVERS, "", "toString", "diagram_operations", "x" * 300))
        return frame(_text(self.message() | {"message_type": kind}))

    def _event(self) -> bytes:
        kind = self.chance.choice(("join", "leave", "session_ended"))
        return frame(_text({"event": kind, "user_internal_uuid": self._new_id(), "message": "over"}))

    def _other(self) -> bytes:
        """JSON, and no object."""
        return frame(
            self.chance.choice((b"", b"null", b"1", b'""', b"[]", b"[{}]", b"{}", b"\xef\xbb\xbf{}"))
        )

    def _pieces(self) -> bytes:
        """One message in several frames."""
        text = _text(self.message())
        at = sorted(self.chance.randrange(len(text)) for _ in range(2))
        parts = (text[: at[0]], text[at[0] : at[1]], text[at[1] :])
        return b"".join(
            frame(part, TEXT if index == 0 else 0, final=index == 2) for index, part in enumerate(parts)
        )

    def _illegal(self) -> bytes:
        """What the protocol of frames itself forbids; it ends the connection."""
        return self.chance.choice(
            (
                frame(b"x", 3),
                frame(b"{}", reserved=4),
                frame(b"x", 0),
                frame(b"x" * 126, 9),
                frame(b"\x03", 8),
            )
        )

    # -- messages

    def message(self) -> Message:
        """What a client may send."""
        return self.chance.choices(*MESSAGES)[0](self)

    def _operation(self) -> Message:
        steps = [self._step() for _ in range(self.chance.choice((1, 1, 1, 2, 5)))]
        if self.used and self.chance.random() < 0.05:
            operation_id = self.chance.choice(self.used)
        else:
            operation_id = self._new_id()
            self.used = [*self.used[-20:], operation_id]
        body = {"message_type": "diagram_operation", "operation_id": operation_id}
        return body | {"base_vector": 0, "operation": {"type": "patch", "cells": steps}}

    def _step(self) -> Message:
        kind = self.chance.choice(("add", "add", "update", "update", "update", "remove"))
        data: Any = None
        if kind == "add":
            data = self._cell()
        elif kind == "update":
            moved, named = {"position": {"x": self.chance.randrange(999)}}, {"properties": {"label": "z"}}
            data = self.chance.choice((self._cell(), moved, moved, named, named))
        return {"id": self._id(), "operation": kind, "data": data}

    def _cell(self) -> Message:
        kind = self.chance.choice(TYPES)
        cell: Message = {"type": kind, "properties": {"label": "x", "description": "y"}}
        if kind == "data_flow":
            ends = {"source": {"cell": self._id()}, "target": {"cell": self._id()}}
            return cell | ends | {"vertices": [{"x": 1, "y": 2}], "bidirectional": True}
        place = {"position": {"x": 1, "y": 2}, "size": {"width": 80, "height": 60}, "z": 1}
        more = {"parent": self._id(), "style": {"fill": "#fff"}, "data_asset_ids": [self._new_id()]}
        return cell | place | {key: more[key] for key in more if self.chance.random() < 0.1}

    def _session(self) -> Message:
        return self.chance.choice(
            (
                {"message_type": "cursor", "cursor_position": {"x": 1, "y": 2.5}},
                {"message_type": "selection", "selected_cells": [self._id()]},
                {"message_type": "presenter_cursor", "cursor_position": {"x": 1, "y": 2}},
                {"message_type": "presenter_selection", "selected_cells": [self._id(), self._id()]},
                {"message_type": "presenter_viewport", "x": 1, "y": 2, "zoom": 0.5},
                {"message_type": "presenter_request"},
                {"message_type": "change_presenter", "new_presenter": self._new_id()},
                {"message_type": "presenter_denied", "user_internal_uuid": self._new_id()},
                {"message_type": "remove_participant", "user_internal_uuid": self._new_id()},
            )
        )

    def _history(self) -> Message:
        kind = self.chance.choice(("undo_request", "redo_request", "sync_request"))
        message: Message = {"message_type": kind}
        if kind == "sync_request":
            message["update_vector"] = self.chance.choice((0, 1, 10**9))
        return message

    def _id(self) -> str:
        return self.chance.choice(self.ids)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    # -- spoiling

    def _spoil(self, message: Message) -> None:
        """Changes, adds or takes away one thing, somewhere."""
        holder, key = self.chance.choice(_places(message))
        turn = self.chance.random()
        if turn < 0.55:
            holder[key] = self._odd()
        elif turn < 0.75:
            del holder[key]
        elif turn < 0.9 and isinstance(holder, dict):
            holder[self.chance.choice(("x", "", "id", "type", "\x00", "é" * 50))] = self._odd()
        elif isinstance(holder, list):
            holder.extend(copy.deepcopy([holder[key]] * self.chance.choice((2, 300))))
        else:
            holder[key] = [holder[key]]

    def _odd(self) -> Any:
        return copy.deepcopy(self.chance.choice(ODD))

    def _put(self, message: Message, text: str) -> None:
        texts = [(h, k) for h, k in _places(message) if isinstance(h[k], str) and k != "message_type"]
        holder, key = self.chance.choice(texts) if texts else (message, "more")
        holder[key] = text


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Everything inside: where it is held, and as what."""
    found: list[tuple[Any, Any]] = []
    held = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in list(held):
        found.append((value, key))
        if isinstance(child, dict | list) and child:
            found += _places(child)
    return found or [({"": 0}, "")]


def _text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


KINDS = (
    "spoiled sound cut bytes binary twice deep long numbers server event other pieces illegal".split(),
    (500, 120, 60, 60, 30, 40, 15, 20, 30, 40, 10, 20, 20, 0.2),
)
Maker = Callable[[Spoiler], Message]
MAKERS: list[Maker] = [Spoiler._operation, Spoiler._session, Spoiler._history]
# Taking back is what costs a server most, and is as quickly refused as the rest.
MESSAGES = (MAKERS, (78, 20, 2))
