"""Every message of the diagram protocol, typed; reading what clients send and writing what they get.

Source: the WebSocket messages of the contract, and docs/websocket.md. All are objects with
`message_type`, the three of a session with `event`. What a client sends beyond these fields is ignored.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from threatmodels import operations
from threatmodels.cells import as_kept
from threatmodels.operations import Cell, Operation, Rejected
from tmi.lib.ids import parse_id
from tmi.lib.json import nested_deeper

Reason: TypeAlias = Literal[
    "validation_failed",
    "conflict_detected",
    "no_state_change",
    "permission_denied",
    "empty_operation",
    "invalid_operation_type",
    "too_large",
    "rate_limited",
    "unavailable",
]
STEPS = frozenset({"add", "update", "remove"})
# A pointer may be beside the canvas, but nowhere that a number cannot tell.
BEYOND = 1e9
Coordinate: TypeAlias = Annotated[int | float, Field(ge=-BEYOND, le=BEYOND, allow_inf_nan=False)]
Zoom: TypeAlias = Annotated[int | float, Field(gt=0, le=1000, allow_inf_nan=False)]
# Deeper than any cell may be; what is below has been refused before anything walks down there.
MOST_NESTED = 40


class Malformed(Exception):
    """A message that is no message: what its sender is told, and where in it the mistake is."""

    def __init__(self, message: str, field: str = "", code: str = "VALIDATION_ERROR") -> None:
        super().__init__(message)
        self.message, self.field, self.code = message, field, code


# -- from clients


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """`diagram_operation`: steps that are carried out as a whole or not at all."""

    operation_id: UUID
    operation: Operation
    base_vector: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A place on the canvas."""

    x: Coordinate
    y: Coordinate


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRequest:
    message_type: Literal["sync_request"]
    update_vector: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRequest:
    message_type: Literal["undo_request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedoRequest:
    message_type: Literal["redo_request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorMoved:
    message_type: Literal["cursor"]
    cursor_position: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionChanged:
    message_type: Literal["selection"]
    selected_cells: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenterCursorMoved:
    message_type: Literal["presenter_cursor"]
    cursor_position: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenterSelectionChanged:
    message_type: Literal["presenter_selection"]
    selected_cells: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenterViewportChanged:
    message_type: Literal["presenter_viewport"]
    x: Coordinate
    y: Coordinate
    zoom: Zoom


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenterRequest:
    message_type: Literal["presenter_request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePresenter:
    message_type: Literal["change_presenter"]
    new_presenter: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DenyPresenter:
    message_type: Literal["presenter_denied"]
    user_internal_uuid: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveParticipant:
    message_type: Literal["remove_participant"]
    user_internal_uuid: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession:
    message_type: Literal["end_session"]


Incoming: TypeAlias = (
    Edit
    | SyncRequest
    | UndoRequest
    | RedoRequest
    | CursorMoved
    | SelectionChanged
    | PresenterCursorMoved
    | PresenterSelectionChanged
    | PresenterViewportChanged
    | PresenterRequest
    | ChangePresenter
    | DenyPresenter
    | RemoveParticipant
    | EndSession
)
FROM_CLIENTS: dict[str, Any] = {
    "sync_request": SyncRequest,
    "undo_request": UndoRequest,
    "redo_request": RedoRequest,
    "cursor": CursorMoved,
    "selection": SelectionChanged,
    "presenter_cursor": PresenterCursorMoved,
    "presenter_selection": PresenterSelectionChanged,
    "presenter_viewport": PresenterViewportChanged,
    "presenter_request": PresenterRequest,
    "change_presenter": ChangePresenter,
    "presenter_denied": DenyPresenter,
    "remove_participant": RemoveParticipant,
    "end_session": EndSession,
}
_READERS: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(kind) for name, kind in FROM_CLIENTS.items()}


class EditRefused(Exception):
    """A `diagram_operation` whose operation_id can be read, and little else."""

    def __init__(self, operation_id: UUID, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.operation_id, self.reason, self.message = operation_id, reason, message


def parse(text: str | bytes, *, most_steps: int) -> Incoming:
    """The message that a client sent. Raises Malformed, or EditRefused for an operation that has an id."""
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        said = f"This is not JSON: {error}."
        if (operation_id := _id_of_odd(text)) is not None:
            raise EditRefused(operation_id, "validation_failed", said) from None
        raise Malformed(said) from None
    if not isinstance(body, dict):
        raise Malformed("A JSON object is expected.")
    kind = body.get("message_type")
    if kind == "diagram_operation":
        return _edit(body, most_steps)
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise Malformed("There is no such message from a client.", "message_type", "UNKNOWN_MESSAGE")
    try:
        message: Incoming = reader.validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Malformed(first["msg"], "/".join(str(part) for part in first["loc"])) from None
    return message


def _id_of_odd(text: str | bytes) -> UUID | None:
    """The id of an operation in which only something else cannot be read, as a number beyond all others."""
    try:
        body = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or body.get("message_type") != "diagram_operation":
        return None
    return parse_id(body.get("operation_id"))


def _edit(body: dict[str, Any], most_steps: int) -> Edit:
    operation_id = parse_id(body.get("operation_id"))
    if operation_id is None:
        raise Malformed("A UUID is expected.", "operation_id")
    base = body.get("base_vector")
    if base is not None and (isinstance(base, bool) or not isinstance(base, int)):
        raise EditRefused(operation_id, "validation_failed", "base_vector: a whole number is expected.")
    operation = body.get("operation")
    if not isinstance(operation, dict) or not isinstance(operation.get("type"), str):
        raise EditRefused(operation_id, "validation_failed", "operation: an object with type is expected.")
    if operation["type"] != "patch":
        raise EditRefused(operation_id, "invalid_operation_type", "operation/type: patch is expected.")
    steps = operation.get("cells")
    if not isinstance(steps, list):
        raise EditRefused(operation_id, "validation_failed", "operation/cells: a list is expected.")
    if not steps:
        raise EditRefused(operation_id, "empty_operation", "operation/cells: there is nothing to do.")
    if len(steps) > most_steps:
        said = f"operation/cells: at most {most_steps} at once."
        raise EditRefused(operation_id, "too_large", said)
    read = [_step(step, operation_id, f"operation/cells/{index}") for index, step in enumerate(steps)]
    return Edit(operation_id=operation_id, operation=operations.patch(read), base_vector=base)


def _step(step: object, operation_id: UUID, at: str) -> operations.Step:
    if not isinstance(step, dict) or not isinstance(step.get("id"), str):
        raise EditRefused(operation_id, "validation_failed", f"{at}: an object with id is expected.")
    kind, data = step.get("operation"), step.get("data")
    if not isinstance(kind, str) or kind not in STEPS:
        said = f"{at}/operation: one of add, update and remove is expected."
        raise EditRefused(operation_id, "invalid_operation_type", said)
    if kind == "remove":
        return operations.remove(step["id"].lower())
    if not isinstance(data, dict) or nested_deeper(data, MOST_NESTED):
        said = f"{at}/data: an object is expected, nested at most {MOST_NESTED} levels deep."
        raise EditRefused(operation_id, "validation_failed", said)
    return {"id": step["id"].lower(), "operation": kind, "data": as_kept(data)}


# -- from the server


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """Somebody who is here, in however many tabs; `role` is that of the threat model."""

    user_internal_uuid: UUID
    name: str
    color: str
    role: Literal["owner", "writer", "reader"]
    is_host: bool
    is_presenter: bool
    joined_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagramState:
    """The whole diagram at `update_vector`; takes the place of whatever the client has."""

    message_type: Literal["diagram_state"] = "diagram_state"
    diagram_id: UUID
    update_vector: int
    cells: list[Cell]
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """The client is up to date."""

    message_type: Literal["sync_status"] = "sync_status"
    update_vector: int
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagramOperation:
    """An operation as it was carried out; for its sender the acknowledgement that it is kept."""

    message_type: Literal["diagram_operation"] = "diagram_operation"
    user_internal_uuid: UUID | None
    operation_id: UUID
    sequence_number: int
    operation: Operation
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRejected:
    """An operation of the receiver's that was not carried out; `retry_after_ms` with rate_limited alone."""

    message_type: Literal["operation_rejected"] = "operation_rejected"
    operation_id: UUID
    reason: Reason
    message: str
    update_vector: int
    affected_cells: list[str]
    requires_resync: bool
    timestamp: str
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOperation:
    """What became of the receiver's undo or redo request."""

    message_type: Literal["history_operation"] = "history_operation"
    operation_type: Literal["undo", "redo"]
    message: Literal["done", "changed_by_others", "no_operations_to_undo", "no_operations_to_redo"]
    operation_id: UUID | None
    undone_operation_id: UUID | None
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantsUpdate:
    """Who is here, after every change of that."""

    message_type: Literal["participants_update"] = "participants_update"
    participants: list[Participant]
    host: UUID | None
    current_presenter: UUID | None
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    event: Literal["join"] = "join"
    user_internal_uuid: UUID
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    event: Literal["leave"] = "leave"
    user_internal_uuid: UUID
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded:
    event: Literal["session_ended"] = "session_ended"
    user_internal_uuid: UUID | None
    message: str
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentPresenter:
    message_type: Literal["current_presenter"] = "current_presenter"
    current_presenter: UUID | None
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenterCursor:
    message_type: Literal["presenter_cursor"] = "presenter_cursor"
    user_internal_uuid: UUID
    cursor_position: Point
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenterSelection:
    message_type: Literal["presenter_selection"] = "presenter_selection"
    user_internal_uuid: UUID
    selected_cells: list[str]
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenterViewport:
    message_type: Literal["presenter_viewport"] = "presenter_viewport"
    user_internal_uuid: UUID
    x: float
    y: float
    zoom: float
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    message_type: Literal["cursor"] = "cursor"
    user_internal_uuid: UUID
    cursor_position: Point
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    message_type: Literal["selection"] = "selection"
    user_internal_uuid: UUID
    selected_cells: list[str]
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenterRequested:
    """To the host: somebody would like to present."""

    message_type: Literal["presenter_request_event"] = "presenter_request_event"
    user_internal_uuid: UUID
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenterDenied:
    """To the one who asked: the host said no."""

    message_type: Literal["presenter_denied"] = "presenter_denied"
    user_internal_uuid: UUID
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreatsChanged:
    """Threats of the model, or decisions about suggestions, are not what they were: read them again."""

    message_type: Literal["threats_changed"] = "threats_changed"
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """A message that could not be understood or is not allowed; nothing has changed."""

    message_type: Literal["error"] = "error"
    code: str
    message: str
    details: dict[str, Any]
    timestamp: str


FROM_SERVER: tuple[type[Any], ...] = (
    DiagramState,
    SyncStatus,
    DiagramOperation,
    OperationRejected,
    HistoryOperation,
    ParticipantsUpdate,
    Joined,
    Left,
    SessionEnded,
    CurrentPresenter,
    PresenterCursor,
    PresenterSelection,
    PresenterViewport,
    Cursor,
    Selection,
    PresenterRequested,
    PresenterDenied,
    ThreatsChanged,
    Error,
)


def encode(message: Any) -> bytes:
    """The text of a message of the server's."""
    if isinstance(message, OperationRejected) and message.retry_after_ms is None:
        body = {field.name: getattr(message, field.name) for field in dataclasses.fields(message)}
        del body["retry_after_ms"]
        return orjson.dumps(body)
    return orjson.dumps(message)


def rejection(
    operation_id: UUID,
    error: Rejected,
    *,
    update_vector: int,
    timestamp: str,
    retry_after_ms: int | None = None,
) -> OperationRejected:
    """The answer to an operation that was not carried out."""
    return OperationRejected(
        operation_id=operation_id,
        reason=error.reason,  # type: ignore[arg-type]  # pure code names its reasons in plain text
        message=error.message,
        update_vector=update_vector,
        affected_cells=error.cell_ids,
        requires_resync=error.reason == "conflict_detected",
        timestamp=timestamp,
        retry_after_ms=retry_after_ms,
    )
