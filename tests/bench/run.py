"""Measures what `make bench` prints: ours beside a limit that the same machine reached in the same run."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import psutil

from tests.bench import collaboration, editor
from tests.bench.load import Request, rate
from tests.bench.row import Row
from tests.e2e.site import ROOT, Site, start
from tests.threatmodels.interchange.samples import SAMPLES

ENGINES = ("daphne", "uvicorn")
OTHERS = 100_000
VISIBLE = 1_000


def main() -> int:
    rows: list[Row] = []
    for engine in ENGINES:
        folder = Path(tempfile.mkdtemp(prefix="tmi-bench-"))
        site = None
        try:
            settings = {"TMI_SERVER_ENGINE": engine, "DJANGO_SETTINGS_MODULE": "tests.bench.settings"}
            start(folder / "d", **settings).stop()
            began = time.perf_counter()
            site = start(folder / "d", **settings)
            rows.append(
                Row(f"{engine}: start, ready to answer", time.perf_counter() - began, 3, "s", 1, True)
            )
            rows.append(Row(f"{engine}: memory of a web process, idle", _memory(site), 120, "MB", 1, True))
            rows += _rest(engine, site)
            if engine == ENGINES[0]:
                rows += _in_process(site)
                rows += _files(site)
        finally:
            if site is not None:
                site.stop()
            shutil.rmtree(folder, ignore_errors=True)
        rows += collaboration.rows(engine)
    rows += editor.rows()
    _print(rows)
    target = ROOT / "var" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    told = [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in rows]
    target.write_text(json.dumps(told, indent=1))
    return 0


def _memory(site: Site) -> float:
    """Megabytes of the web process, after a first request."""
    parent = psutil.Process(site.process.pid)
    web = [one for one in parent.children() if "tmi.server.web" in " ".join(one.cmdline())]
    return max(one.memory_info().rss for one in web) / 1e6


def _rest(engine: str, site: Site) -> list[Row]:
    """REST calls beside bare views with as many queries and bytes."""
    owner = site.make_person("Owner")
    made = [site.api(owner, "POST", "/threat_models", {"name": f"Model {n}"})["id"] for n in range(50)]
    base = f"/api/v1/threat_models/{made[0]}"
    headers = {"Authorization": f"Bearer {site.tokens[owner]}", "Content-Type": "application/json"}
    threat = json.dumps({"name": "Threat", "severity": "high", "description": "text " * 40}).encode()
    calls = {
        "one threat model": Request("GET", base),
        "list of 50": Request("GET", "/api/v1/threat_models?limit=50"),
        "create a threat": Request("POST", f"{base}/threats", threat),
    }
    rows = []
    for what, call in calls.items():
        queries, size = _asked(site, call, headers)
        bare = Request(call.method, f"/bare/{queries}/{size}", call.body)
        ours, limit = [], []
        for _ in range(3):
            ours.append(rate(site.url, call, headers))
            limit.append(rate(site.url, bare, headers))
        told = f"{engine}: {what} ({queries} queries, {size} bytes)"
        rows.append(Row(told, statistics.median(ours), statistics.median(limit), "/s", 0.5))
    return rows


def _asked(site: Site, call: Request, headers: dict[str, str]) -> tuple[int, int]:
    """The number of queries and bytes of a call, counted in a process of its own."""
    body = (call.body or b"").decode()
    told = site.manage("bench_count", call.method, call.path, headers["Authorization"], text=body)
    queries, size = told.split()
    return int(queries), int(size)


def _in_process(site: Site) -> list[Row]:
    told = json.loads(site.manage("bench_pages", str(OTHERS), str(VISIBLE), timeout=600))
    return [Row(**row) for row in told]


def _files(site: Site) -> list[Row]:
    sample = SAMPLES / "tm7" / "MTMT_example.tm7.gz"
    if not sample.exists():
        print("no sample files beside the project: the row of the import is left out")
    told = json.loads(site.manage("bench_files", str(sample) if sample.exists() else "", timeout=300))
    return [Row(**row) for row in told]


def _print(rows: list[Row]) -> None:
    width = max(len(row.what) for row in rows)
    print(f"{'what':{width}}  {'ours':>10} {'limit':>10}  ratio  goal")
    for row in rows:
        sign = "<=" if row.at_most else ">="
        mark = "" if row.met else "  short"
        figures = f"{row.ours:10.2f} {row.limit:10.2f}"
        print(f"{row.what:{width}}  {figures} {row.ratio:6.2f} {sign} {row.goal} {row.unit}{mark}")


if __name__ == "__main__":
    sys.exit(main())
