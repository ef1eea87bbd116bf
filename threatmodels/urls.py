"""The pages."""

from __future__ import annotations

from django.urls import URLPattern, path

from threatmodels.views import (
    dashboard,
    history,
    importing,
    metadata,
    picture,
    record,
    sharing,
    threat_model,
)
from threatmodels.views.kinds import KINDS, Kind

MODEL = "threat-models/<uuid:model_id>"


def record_pages(kind: Kind) -> list[URLPattern]:
    """The pages of one kind of part."""
    base, known = f"{MODEL}/{kind.plural}", {"kind": kind}
    one = f"{base}/<uuid:record_id>"
    return [
        path(f"{base}/new", record.create, known, f"{kind.plural}_create"),
        path(one, record.detail, known, kind.plural),
        path(f"{one}/edit", record.edit, known, f"{kind.plural}_edit"),
        path(f"{one}/delete", record.delete, known, f"{kind.plural}_delete"),
        path(f"{one}/restore", record.restore, known, f"{kind.plural}_restore"),
        path(f"{one}/metadata", metadata.metadata, known, f"{kind.plural}_metadata"),
    ]


urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("threat-models/new", threat_model.create, name="threat_model_create"),
    path("threat-models/import", importing.importing, name="import"),
    path("threat-models/deleted", threat_model.deleted, name="deleted_threat_models"),
    path(MODEL, threat_model.detail, name="threat_model"),
    path(f"{MODEL}/edit", threat_model.edit, name="threat_model_edit"),
    path(f"{MODEL}/delete", threat_model.delete, name="threat_model_delete"),
    path(f"{MODEL}/restore", threat_model.restore, name="threat_model_restore"),
    path(f"{MODEL}/metadata", metadata.metadata, name="threat_model_metadata"),
    path(f"{MODEL}/import", importing.importing, name="threat_model_import"),
    path(f"{MODEL}/history", history.history, name="history"),
    path(f"{MODEL}/deleted", record.deleted, name="deleted_records"),
    path(f"{MODEL}/sharing", sharing.sharing, name="sharing"),
    path(f"{MODEL}/sharing/everyone", sharing.everyone, name="sharing_everyone"),
    path(f"{MODEL}/sharing/transfer", sharing.transfer, name="sharing_transfer"),
    path(f"{MODEL}/sharing/<uuid:entry_id>", sharing.change, name="sharing_change"),
    path(f"{MODEL}/sharing/<uuid:entry_id>/remove", sharing.revoke, name="sharing_revoke"),
    path(f"{MODEL}/diagrams/<uuid:record_id>/picture.svg", picture.picture, name="picture"),
    *(one for kind in KINDS for one in record_pages(kind)),
]
