"""Bodies that the documentation shows; a test holds each against its schema."""

from __future__ import annotations

from typing import Any

CELL: dict[str, Any] = {
    "id": "5f0c1d52-4b3a-4c57-9a0e-0d5b3a1f7c11",
    "type": "process",
    "position": {"x": 120, "y": 80},
    "size": {"width": 140, "height": 80},
    "properties": {"label": "Checkout", "description": "Takes orders", "technology": "Python"},
}
FLOW: dict[str, Any] = {
    "id": "5f0c1d52-4b3a-4c57-9a0e-0d5b3a1f7c12",
    "type": "data_flow",
    "source": {"x": 20, "y": 120},
    "target": {"cell": CELL["id"], "port": "left"},
    "properties": {"label": "Order", "protocol": "HTTPS", "is_encrypted": True},
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "ThreatModelRequest": {
        "name": "Online shop",
        "description": "Everything from the cart to the paid order.",
        "threat_model_framework": "STRIDE",
        "issue_uri": "https://issues.example.org/SHOP-400",
    },
    "ThreatRequest": {
        "name": "Orders are read on the way",
        "description": "The order crosses networks that we do not control.",
        "severity": "high",
        "priority": "High",
        "status": "Mitigation planned",
        "threat_type": "Information disclosure",
        "mitigation": "TLS 1.3 with pinned certificates between the services.",
        "cwe_ids": ["CWE-319"],
        "cvss_vector": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N",
    },
    "AssetRequest": {
        "name": "Card numbers",
        "type": "data",
        "classification": ["PCI DSS", "confidential"],
        "criticality": "very_high",
    },
    "DocumentRequest": {"name": "Architecture", "uri": "https://wiki.example.org/shop/architecture"},
    "NoteRequest": {"name": "Assumptions", "content": "# Trust\n\nThe payment provider is trusted."},
    "RepositoryRequest": {
        "name": "shop",
        "uri": "https://git.example.org/shop.git",
        "type": "git",
        "parameters": {"ref_type": "branch", "ref_value": "main", "sub_path": "services/checkout"},
    },
    "DiagramRequest": {"name": "Checkout", "diagram_data": {"cells": [CELL, FLOW]}},
    "Cell": CELL,
    "CellPatch": {"properties": {"label": "Checkout service"}, "position": {"x": 200, "y": 80}},
    "MetadataRequest": {"key": "team", "value": "payments"},
    "MetadataValueRequest": {"value": "payments"},
    "MetadataKeysRequest": {"keys": ["team"]},
    "IdsRequest": {"ids": [CELL["id"]]},
    "AccessEntryRequest": {"role": "writer", "email": "bo@example.org"},
    "ListedAccessRequest": {"role": "writer", "email": "bo@example.org"},
    "PatchedRoleRequest": {"role": "reader"},
    "DuplicateRequest": {"name": "Online shop 2027"},
    "AcceptRequest": {
        "suggestions": [
            {"rule_id": "stride/script-in-page", "cell_id": CELL["id"], "severity": "critical"},
        ]
    },
    "DismissRequest": {
        "suggestions": [{"rule_id": "stride/card-testing", "cell_id": CELL["id"]}],
        "reason": "The payment provider limits attempts.",
    },
    "TokenRequestRequest": {"grant_type": "password", "username": "ann@example.org", "password": "..."},
    "RefreshRequestRequest": {"refresh_token": "..."},
    "RevokeRequestRequest": {"token": "..."},
    "CredentialRequest": {"name": "Build server", "expires_at": "2027-12-31T00:00:00Z"},
    "GroupRequest": {"group_name": "red-team", "name": "Red team"},
    "MemberRequestRequest": {"user_id": "0190a000-0000-7000-8000-000000000001"},
    "WebhookRequestRequest": {
        "url": "https://hooks.example.org/tmi",
        "events": ["threat.*", "threat_model.updated"],
        "threat_model_id": "0190a000-0000-7000-8000-000000000002",
    },
    "PatchedWebhookChangeRequest": {"events": ["*"], "status": "active"},
}
