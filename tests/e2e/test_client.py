"""A client that a tool made from the OpenAPI document goes a whole way: sign in to delete."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import urllib.request
import uuid
from pathlib import Path

import pytest

from tests.e2e.site import PASSWORD, unique


@pytest.fixture(scope="module")
def generated(site, tmp_path_factory):
    """The generated package, importable as `made_client`."""
    folder = tmp_path_factory.mktemp("client")
    document = folder / "openapi.json"
    with urllib.request.urlopen(f"{site.url}/api/v1/openapi.json") as answer:  # noqa: S310
        document.write_bytes(answer.read())
    tools = Path(sys.executable).parent
    command = [tools / "openapi-python-client", "generate", "--path", document, "--meta", "none"]
    subprocess.run(
        [*map(str, command), "--output-path", str(folder / "made_client")],
        check=True,
        capture_output=True,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        timeout=120,
    )
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"made_client.{name}")
    sys.path.remove(str(folder))


def test_a_generated_client_goes_a_whole_way(site, generated):
    models, client = generated("models"), generated("client")
    call = lambda tag, name: generated(f"api.{tag}.{name}").sync  # noqa: E731

    grant = models.TokenRequestRequest(
        grant_type=models.GrantTypeEnum.PASSWORD, username="owner@example.org", password=PASSWORD
    )
    signed_in = call("auth", "auth_token_create")(client=client.Client(base_url=site.url), body=grant)
    token = signed_in.data.access_token
    me = client.AuthenticatedClient(base_url=site.url, token=token)

    name = unique("Kiosk")
    body = models.ThreatModelRequest(name=name)
    key = str(uuid.uuid4())
    create = call("threat_models", "threat_models_create")
    made = create(client=me, body=body, idempotency_key=key).data
    assert create(client=me, body=body, idempotency_key=key).data.id == made.id

    entry = models.AccessEntryRequest(role=models.RoleEnum.READER, email="reader@example.org")
    shared = call("access", "threat_models_access_create")(str(made.id), client=me, body=entry).data
    assert shared.role == "reader"

    diagram = call("diagrams", "threat_models_diagrams_create")(
        str(made.id), client=me, body=models.DiagramRequest(name="Overview")
    ).data
    cell_id = uuid.uuid4()
    cell = models.Cell.from_dict(
        {
            "id": str(cell_id),
            "type": "process",
            "properties": {"label": "Screen"},
            "position": {"x": 10, "y": 10},
            "size": {"width": 120, "height": 80},
        }
    )
    drawn = call("diagrams", "cells_update")(
        str(made.id), str(diagram.id), str(cell_id), client=me, body=cell
    ).data
    assert drawn.properties.label == "Screen"

    threats = [
        models.ThreatRequest(name=f"Threat {n}", diagram_id=diagram.id, cell_id=cell_id, severity="high")
        for n in range(20)
    ]
    added = call("threats", "threat_models_threats_bulk_create")(str(made.id), client=me, body=threats).data
    assert [one.name for one in added] == [f"Threat {n}" for n in range(20)]

    report = call("threat_models", "threat_models_retrieve")(
        str(made.id), client=me, expand="threats,diagrams,access"
    ).data
    assert (report.name, len(report.threats), len(report.diagrams)) == (name, 20, 1)
    assert report.counts.open_threats == 20

    assert (
        generated("api.threat_models.threat_models_destroy")
        .sync_detailed(str(made.id), client=me)
        .status_code
        == 204
    )
    gone = call("threat_models", "threat_models_retrieve")(str(made.id), client=me)
    assert gone.error.code == "NOT_FOUND"
