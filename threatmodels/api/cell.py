"""/threat_models/{id}/diagrams/{id}/cells: the cells of a diagram one by one, written through its log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import SignedInViewSet
from threatmodels import access
from threatmodels.actions import operation as actions
from threatmodels.api.base import OBJECT_EXPECTED
from threatmodels.cell_schema import CELL_PATCH_REFERENCE, CELL_REFERENCE
from threatmodels.cells import as_kept
from threatmodels.models import Diagram
from threatmodels.operations import Cell
from threatmodels.roles import Role
from tmi.api.bodies import is_json_patch
from tmi.api.pagination import whole_list
from tmi.api.parse import JsonPatchParser, MergePatchParser, StrictJSONParser
from tmi.api.patch import json_patch, merge
from tmi.api.query import parameter
from tmi.api.views import check_precondition, etag
from tmi.lib.errors import NotFound, ValidationFailed
from tmi.lib.ids import parse_id
from tmi.lib.json import read_back

LONGEST_NUMBER = 18
AT = OpenApiParameter("at", int, description="The cells as they were after this operation; 0: none.")


class CellViewSet(SignedInViewSet):
    """Each write is one operation of the log; removing a cell takes the flows that end on it along."""

    parser_classes = (StrictJSONParser, MergePatchParser, JsonPatchParser)
    schema_tags = ("diagrams",)
    entity_tags = True
    parameters: ClassVar[dict[str, tuple[str, ...]]] = {"list": ("at",)}

    def diagram(self, at_least: Role = Role.READER) -> Diagram:
        threat_model = access.get_threat_model(self.actor, self.kwargs["threat_model_id"], at_least=at_least)
        return access.record_in(threat_model, Diagram, self.kwargs["record_id"])

    @extend_schema(operation_id="cells_list", parameters=[AT], responses={200: CELL_REFERENCE})
    def list(self, request: Request, **_: Any) -> Response:
        """The cells as they are, or as they were after operation `at`."""
        diagram = self.diagram()
        hidden = actions.deleted_assets(diagram.threat_model_id)
        cells = [actions.without_assets(cell, hidden) for cell in self.cells_of(diagram)]
        return self.answer_list(cells, whole_list(len(cells)))

    def cells_of(self, diagram: Diagram) -> Sequence[Cell]:
        """Raises ValidationFailed where `at` is no number, NotFound where the log begins later."""
        at = parameter(self.request, "at")
        if not at and "at" not in self.request.query_params:
            return diagram.current_cells
        if not (at.isascii() and at.isdecimal() and len(at) <= LONGEST_NUMBER):
            raise ValidationFailed.of("at", "The number of an operation is expected.")
        return actions.cells_after(diagram, int(at))

    @extend_schema(operation_id="cells_retrieve", responses={200: CELL_REFERENCE})
    def retrieve(self, request: Request, **_: Any) -> Response:
        diagram = self.diagram()
        cell_id = self.cell_id()
        found = next((cell for cell in diagram.current_cells if cell["id"] == cell_id), None)
        if found is None:
            raise NotFound
        hidden = actions.deleted_assets(diagram.threat_model_id)
        return self.answer_one(actions.without_assets(found, hidden))

    @extend_schema(
        operation_id="cells_update",
        request={"application/json": CELL_REFERENCE},
        responses={200: CELL_REFERENCE, 201: CELL_REFERENCE},
    )
    def update(self, request: Request, **_: Any) -> Response:
        """Creates the cell or replaces it."""
        body, made = request.data, []

        def change(old: Cell | None) -> Cell:
            self.check_unchanged(old)
            made.append(old is None)
            return body

        return self.write(change, lambda: 201 if made[-1] else 200)

    @extend_schema(
        operation_id="cells_partial_update",
        request=dict.fromkeys(
            [StrictJSONParser.media_type, MergePatchParser.media_type, JsonPatchParser.media_type],
            CELL_PATCH_REFERENCE,
        ),
        responses={200: CELL_REFERENCE},
    )
    def partial_update(self, request: Request, **_: Any) -> Response:
        return self.write(lambda old: self.patched(self.check_present(old), request.data))

    @extend_schema(operation_id="cells_destroy", responses={204: None})
    def destroy(self, request: Request, **_: Any) -> Response:
        def remove(old: Cell | None) -> None:
            self.check_present(old)

        diagram = self.diagram(Role.WRITER)
        actions.change_cell(diagram, actor=self.actor, cell_id=self.cell_id(), change=remove)
        return self.no_content()

    def write(
        self, change: Callable[[Cell | None], Cell], status: Callable[[], int] = lambda: 200
    ) -> Response:
        diagram = self.diagram(Role.WRITER)
        cell_id = self.cell_id()
        written = actions.change_cell(
            diagram,
            actor=self.actor,
            cell_id=cell_id,
            change=lambda old: identified(change(old), cell_id),
        )
        return self.answer_one(written or {}, status())

    def patched(self, old: Cell, body: Any) -> Cell:
        after: Cell
        if is_json_patch(self.request):
            after = json_patch(read_back(old), body)
        elif isinstance(body, dict):
            after = merge(old, body)
        else:
            raise ValidationFailed.of("", OBJECT_EXPECTED)
        if "id" not in after:
            raise ValidationFailed.of("id", "A cell keeps its id.")
        return after

    def check_present(self, old: Cell | None) -> Cell:
        if old is None:
            raise NotFound
        self.check_unchanged(old)
        return old

    def check_unchanged(self, old: Cell | None) -> None:
        check_precondition(self.request, etag(old) if old else None)

    def cell_id(self) -> str:
        """The id of the path, as diagrams write it. Raises NotFound where it is no UUID."""
        wanted = parse_id(self.kwargs["cell_id"])
        if wanted is None:
            raise NotFound
        return str(wanted)


def identified(cell: Any, cell_id: str) -> Cell:
    """The cell with the id of the path, which a body may repeat."""
    if not isinstance(cell, dict):
        raise ValidationFailed.of("", OBJECT_EXPECTED)
    if as_kept(cell).get("id", cell_id) != cell_id:
        raise ValidationFailed.of("id", "This is not the id of the address.")
    return {**cell, "id": cell_id}
