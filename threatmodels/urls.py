"""The pages."""

from __future__ import annotations

from django.urls import URLPattern, path
from django.views.decorators.cache import cache_control
from django.views.i18n import JavaScriptCatalog

from threatmodels.views import (
    dashboard,
    editor,
    exporting,
    field,
    history,
    importing,
    metadata,
    picture,
    record,
    report,
    sharing,
    starting,
    suggestion,
    threat_model,
    threats,
    timeline,
    tools,
    webhook,
)
from threatmodels.views.kinds import KINDS, Kind

MODEL = "threat-models/<uuid:model_id>"


# The words of the scripts in the language of the page.
catalogue = cache_control(private=True, max_age=3600)(JavaScriptCatalog.as_view(packages=["tmi"]))


def record_pages(kind: Kind) -> list[URLPattern]:
    """The pages of one kind of part."""
    base, known = f"{MODEL}/{kind.plural}", {"kind": kind}
    one = f"{base}/<uuid:record_id>"
    return [
        path(f"{base}/new", record.create, known, f"{kind.plural}_create"),
        path(f"{one}/details" if kind.plural == "diagrams" else one, record.detail, known, kind.details),
        path(f"{one}/edit", record.edit, known, f"{kind.plural}_edit"),
        path(f"{one}/delete", record.delete, known, f"{kind.plural}_delete"),
        path(f"{one}/restore", record.restore, known, f"{kind.plural}_restore"),
        path(f"{one}/field", field.field, known, f"{kind.plural}_field"),
        path(f"{one}/metadata", metadata.metadata, known, f"{kind.plural}_metadata"),
    ]


urlpatterns = [
    path("catalogue.js", catalogue, name="catalogue"),
    path("tools/cwe", tools.cwe, name="cwe"),
    path("tools/people", tools.people, name="people"),
    path("tools/token", tools.token, name="token"),
    path("tools/markdown", tools.markdown, name="markdown"),
    path("", dashboard.dashboard, name="dashboard"),
    path("threat-models/new", threat_model.create, name="threat_model_create"),
    path("threat-models/import", importing.importing, name="import"),
    path("threat-models/start/<str:name>", starting.start, name="start"),
    path("threat-models/templates/<str:name>.svg", starting.picture, name="starter_picture"),
    path("threat-models/deleted", threat_model.deleted, name="deleted_threat_models"),
    path(MODEL, threat_model.detail, name="threat_model"),
    path(f"{MODEL}/edit", threat_model.edit, name="threat_model_edit"),
    path(f"{MODEL}/field", field.field, name="threat_model_field"),
    path(f"{MODEL}/delete", threat_model.delete, name="threat_model_delete"),
    path(f"{MODEL}/restore", threat_model.restore, name="threat_model_restore"),
    path(f"{MODEL}/metadata", metadata.metadata, name="threat_model_metadata"),
    path(f"{MODEL}/import", importing.importing, name="threat_model_import"),
    path(f"{MODEL}/export", exporting.exporting, name="threat_model_export"),
    path(f"{MODEL}/history", history.history, name="history"),
    path(f"{MODEL}/report", report.report, name="report"),
    path(f"{MODEL}/report/<str:name>", report.download, name="report_download"),
    path(f"{MODEL}/suggestions", suggestion.overview, name="suggestions"),
    path(
        f"{MODEL}/diagrams/<uuid:record_id>/suggestions", suggestion.suggestions, name="diagram_suggestions"
    ),
    path(f"{MODEL}/webhooks", webhook.webhooks, name="threat_model_webhooks"),
    path("webhooks", webhook.webhooks, name="webhooks"),
    path("webhooks/<uuid:webhook_id>", webhook.webhook, name="webhook"),
    path("webhooks/<uuid:webhook_id>/change", webhook.webhook_change, name="webhook_change"),
    path("webhooks/<uuid:webhook_id>/switch", webhook.webhook_switch, name="webhook_switch"),
    path("webhooks/<uuid:webhook_id>/secret", webhook.webhook_secret, name="webhook_secret"),
    path("webhooks/<uuid:webhook_id>/test", webhook.webhook_test, name="webhook_test"),
    path("webhooks/<uuid:webhook_id>/delete", webhook.webhook_delete, name="webhook_delete"),
    path(
        "webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/redeliver",
        webhook.webhook_redeliver,
        name="webhook_redeliver",
    ),
    path(f"{MODEL}/deleted", record.deleted, name="deleted_records"),
    path(f"{MODEL}/sharing", sharing.sharing, name="sharing"),
    path(f"{MODEL}/sharing/everyone", sharing.everyone, name="sharing_everyone"),
    path(f"{MODEL}/sharing/transfer", sharing.transfer, name="sharing_transfer"),
    path(f"{MODEL}/sharing/<uuid:entry_id>", sharing.change, name="sharing_change"),
    path(f"{MODEL}/sharing/<uuid:entry_id>/remove", sharing.revoke, name="sharing_revoke"),
    path(f"{MODEL}/diagrams/<uuid:record_id>", editor.editor, name="diagrams"),
    path(f"{MODEL}/diagrams/<uuid:record_id>/picture.svg", picture.picture, name="picture"),
    path(f"{MODEL}/diagrams/<uuid:record_id>/timeline", timeline.timeline, name="diagrams_timeline"),
    path(
        f"{MODEL}/diagrams/<uuid:record_id>/timeline/restore", timeline.restore_moment, name="restore_moment"
    ),
    path(f"{MODEL}/threats/bulk", threats.bulk, name="threats_bulk"),
    path(f"{MODEL}/history/<uuid:entry_id>/revert", history.revert_entry, name="history_revert"),
    *(one for kind in KINDS for one in record_pages(kind)),
]
