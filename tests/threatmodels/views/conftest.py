"""A threat model with one of everything."""

from __future__ import annotations

import pytest

from tests.threatmodels.views.furniture import CELL
from threatmodels.actions.diagram import create_diagram
from threatmodels.actions.record import create_record
from threatmodels.models import Asset, Document, Note, Repository, Threat


@pytest.fixture
def parts(cast, threat_model):
    """One live part of each kind, by plural."""
    common = {"threat_model": threat_model, "actor": cast.owner}
    diagram = create_diagram(**common, name="Overview", cells=[CELL])
    asset = create_record(Asset, **common, name="Cards", type="data")
    threat = create_record(Threat, **common, name="Forged", diagram=diagram, cell_id=CELL["id"], asset=asset)
    return {
        "diagrams": diagram,
        "assets": asset,
        "threats": threat,
        "documents": create_record(Document, **common, name="Plan", uri="https://example.org/"),
        "notes": create_record(Note, **common, name="Minutes", content="We met."),
        "repositories": create_record(Repository, **common, name="shop", uri="https://example.org/r.git"),
    }
