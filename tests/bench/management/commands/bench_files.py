"""Times a large file that comes in and a large report that goes out, in a process of their own."""

from __future__ import annotations

import gzip
import json
import re
import resource
import time
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import BaseCommand, CommandParser
from django.test import Client

from accounts.models import User
from tests.threatmodels.knowledge.test_engine import shop
from threatmodels.actions.diagram import create_diagrams
from threatmodels.actions.record import create_records
from threatmodels.actions.threat_model import create_threat_model
from threatmodels.models import Threat, ThreatModel

BYTES = 1_500_000
REPEATS = 3
DIAGRAMS, THREATS = 10, 500
SURFACE = re.compile(r"<DrawingSurfaceModel\b.*?</DrawingSurfaceModel>", re.S)
GUID = re.compile(r"\b[0-9a-f]{8}(?=(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)")


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sample", help="a .tm7.gz; an empty word when there is none")

    def handle(self, *_args: Any, **options: Any) -> None:
        person = User.objects.create(email="files@bench.example", name="Files", email_verified=True)
        client = Client(headers={"Host": "localhost"})
        client.force_login(person)
        rows = [self._import(client, options["sample"])] if options["sample"] else []
        self.stdout.write(json.dumps([*rows, *self._report(client, person)]))

    @staticmethod
    def _import(client: Client, sample: str) -> dict[str, Any]:
        content = repeated(gzip.decompress(Path(sample).read_bytes()).decode(), BYTES)
        times = []
        for _ in range(REPEATS):
            file = SimpleUploadedFile("large.tm7", content)
            began = time.perf_counter()
            answer = client.post("/api/v1/import", {"file": file})
            times.append(time.perf_counter() - began)
            assert answer.status_code == 201, answer.content
        what = f"import of a .tm7 of {len(content) / 1e6:.2f} MB"
        return {"what": what, "ours": sorted(times)[1], "limit": 2, "unit": "s", "goal": 1, "at_most": True}

    @staticmethod
    def _report(client: Client, person: User) -> list[dict[str, Any]]:
        model = _model(person)
        began = time.perf_counter()
        answer = client.get(f"/api/v1/threat_models/{model.pk}/report?as=pdf")
        seconds = time.perf_counter() - began
        assert answer.content.startswith(b"%PDF"), answer.content[:200]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        what = f"report of {DIAGRAMS} diagrams and {THREATS} threats as PDF"
        rest = {"goal": 1, "at_most": True}
        return [
            {"what": what, "ours": seconds, "limit": 10, "unit": "s", **rest},
            {"what": f"{what}: memory of its process", "ours": peak, "limit": 300, "unit": "MB", **rest},
        ]


def repeated(text: str, size: int) -> bytes:
    """The file with its drawing again and again, with other ids each time, until it is that large."""
    found = SURFACE.search(text)
    assert found, "there is no drawing in the sample"
    copies, missing = [], size - len(text.encode())
    while missing > 0:
        mark = f"{len(copies) + 1:03x}"
        copies.append(GUID.sub(lambda one, mark=mark: mark + one[0][3:], found[0]))  # type: ignore[misc]
        missing -= len(copies[-1].encode())
    return (text[: found.end()] + "".join(copies) + text[found.end() :]).encode()


def _model(person: User) -> ThreatModel:
    model = create_threat_model(actor=person, name="Large")
    rows = [
        {"name": f"Diagram {n}", "cells": json.loads(json.dumps(shop()).replace("-8000-", f"-8{n:03x}-"))}
        for n in range(DIAGRAMS)
    ]
    diagrams = create_diagrams(threat_model=model, actor=person, rows=rows)
    threats = [
        {
            "name": f"Threat number {n}",
            "description": "What can go wrong here, in a sentence or two. " * 6,
            "mitigation": "What is done about it, by whom and until when. " * 5,
            "severity": ("critical", "high", "medium", "low")[n % 4],
            "diagram_id": diagrams[n % DIAGRAMS].pk,
            "cell_id": diagrams[n % DIAGRAMS].cells[2]["id"],
        }
        for n in range(THREATS)
    ]
    create_records(Threat, threat_model=model, actor=person, rows=threats)
    return model
