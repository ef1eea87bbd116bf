"""Forms of the pages. They check what a person typed; writing is the actions'."""

from threatmodels.forms.access import AccessForm, EveryoneForm, RoleForm, TransferForm
from threatmodels.forms.importing import ImportForm
from threatmodels.forms.metadata import MetadataForm
from threatmodels.forms.record import (
    AssetForm,
    DiagramForm,
    DocumentForm,
    NoteForm,
    RepositoryForm,
    ThreatForm,
)
from threatmodels.forms.threat_model import ThreatModelForm
from threatmodels.forms.webhook import WebhookForm

__all__ = [
    "AccessForm",
    "AssetForm",
    "DiagramForm",
    "DocumentForm",
    "EveryoneForm",
    "ImportForm",
    "MetadataForm",
    "NoteForm",
    "RepositoryForm",
    "RoleForm",
    "ThreatForm",
    "ThreatModelForm",
    "TransferForm",
    "WebhookForm",
]
