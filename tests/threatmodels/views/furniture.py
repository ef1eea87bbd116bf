"""What the tests of pages have in common."""

from __future__ import annotations

CELL = {
    "id": "00000000-0000-4000-8000-000000000001",
    "type": "process",
    "properties": {"label": "Till <b>"},
    "position": {"x": 0, "y": 0},
    "size": {"width": 100, "height": 60},
}


def url(threat_model, rest=""):
    return f"/threat-models/{threat_model.pk}{rest}"
