"""Writes docs/performance.md from the figures of the last `make bench`: `python -m tests.bench.document`."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.site import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
HEAD = """# Performance

Written by `python -m tests.bench.document` from what `make bench` measured on a shared machine with two
cores, on which the load, PostgreSQL and Valkey run too. A figure means something beside the limit of the
same run only: the bare hub is a loop over sockets that stores nothing, the bare view runs as many of the
simplest queries and returns as many bytes, bare X6 draws the same cells. What falls short of its goal
says so; below stands why.

| what | ours | limit | ratio | goal | |
|---|---:|---:|---:|---|---|
"""
FOOT = """
## Why some fall short

**Requests.** Half of the time of one threat model and of a list is Django's ORM putting SQL together and
making objects; queries that every request asks are put together once (`tmi/lib/compiled.py`), lists are
read as `values()` and written by orjson. Creating a threat runs eleven statements (audit, events,
constraints that are looked at before the database refuses) where the bare view runs the simplest.

**Pages.** Templates: each row of a table of threats has selects. They are put together once for a table;
what is left is Django's template language.

**Latency of edits.** A commit is one statement of 0.2 ms; the rest is that socket, thread of the database
and event loop of one process share the interpreter with 4,000 deliveries a second. The bare hub stores
nothing.

**Two processes.** Both of them, the load, PostgreSQL and Valkey have two cores; a message between
processes passes Redis, and is told apart, checked and counted once more.

**Memory and start.** Importing the application alone takes 128 MB (Django, allauth, DRF, Twisted,
psycopg, pydantic) and most of the start; it is done twice, by the web process and by what prepares the
database.
"""


def document(rows: list[dict[str, Any]]) -> str:
    lines = [HEAD.rstrip("\n")]
    for row in rows:
        sign = "≤" if row["at_most"] else "≥"
        unit = row["unit"] if row["unit"].startswith("/") else f" {row['unit']}"
        met = "" if row["met"] else "short"
        lines.append(
            f"| {row['what']} | {row['ours']:.2f}{unit} | {row['limit']:.2f}{unit} | {row['ratio']:.2f} "
            f"| {sign} {row['goal']:g} | {met} |"
        )
    return "\n".join(lines) + "\n" + FOOT


if __name__ == "__main__":
    DOCUMENT.write_text(document(json.loads((ROOT / "var" / "bench.json").read_text())), encoding="utf-8")
