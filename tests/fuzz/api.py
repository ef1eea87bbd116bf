"""Throws requests at a real server: what its OpenAPI document allows, and what it does not.

`make fuzz` runs it. The server checks each of its answers against the document and answers 500 where one does
not fit; so a 500 is any fault. A private threat model holds a mark that nobody but its owner may ever see.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from tests.e2e.furniture import furnished
from tests.e2e.site import ROOT, Site, start

PEOPLE = ("owner", "writer", "reader", "outsider", "admin", None)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
# After so many requests what was deleted is made anew.
FRESH_EVERY = 400
# What would sign the fuzzer itself out, or make it wait for ever.
LEFT_OUT = {"auth_revoke_create"}


@dataclass
class Target:
    """A server, the tokens of its people, and ids that exist, by the name of the path parameter."""

    url: str
    tokens: dict[str, str]
    mark: str
    ids: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Found:
    """What happened: requests by status and person, and what must not happen."""

    statuses: Counter[int] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    odd: Counter[str] = field(default_factory=Counter)


def populate(site: Site) -> Target:
    """Two threat models: one that people share, one that is the outsider's alone."""
    mark = f"mark{uuid.uuid4().hex}"
    shared = furnished(site)
    ask = lambda *args: site.api("outsider@example.org", *args)  # noqa: E731
    private = ask("POST", "/threat_models", {"name": mark, "description": mark})
    base = f"/threat_models/{private['id']}"
    ids = {
        "threat_model_id": [shared["id"], private["id"]],
        "record_id": [],
        "cell_id": [shared["cells"][0]["id"]],
    }
    for kind, body in {
        "threats": {"name": mark, "description": mark},
        "assets": {"name": mark, "type": "data"},
        "documents": {"name": mark, "uri": "https://example.org/"},
        "notes": {"name": mark, "content": mark},
        "repositories": {"name": mark, "uri": "https://example.org/"},
        "diagrams": {"name": mark, "content": mark},
    }.items():
        one = kind.removesuffix("s") if kind != "repositories" else "repository"
        ids[kind] = [shared[one], ask("POST", f"{base}/{kind}", body)["id"]]
    ask("POST", f"{base}/metadata", {"key": "mark", "value": mark})
    ids["key"] = ["team", "mark"]
    ids["entry_id"] = [one["id"] for one in ask("GET", f"{base}/history")]
    ids["user_id"] = [ask("GET", "/me")["id"]]
    ids["group_id"] = [ask("GET", "/me/groups")[0]["id"]]
    ids["sequence_number"] = ["0", "1", "2"]
    return Target(site.url, dict(site.tokens), mark, ids)


def throw(target: Target, site: Site, amount: int, seed: int, until: float) -> Found:
    """Throws `amount` requests, or as many as there is time for."""
    found, chance = Found(), random.Random(seed)  # noqa: S311
    document = requests.get(f"{target.url}/api/v1/openapi.json", timeout=60).json()
    operations = [one.ok() for one in schemathesis.openapi.from_dict(document).get_all_operations()]
    operations = [one for one in operations if one.definition.raw["operationId"] not in LEFT_OUT]
    session, thrown = requests.Session(), 0
    while thrown < amount and time.monotonic() < until:
        chance.shuffle(operations)
        for operation in operations:
            for case in _cases(operation, MODES[chance.random() < 0.5], 10, chance.random()):
                _send(case, target, session, chance, found)
                thrown += 1
                if thrown % FRESH_EVERY == 0:
                    target = populate(site)
            if thrown >= amount or time.monotonic() > until:
                break
    return found


def _cases(operation: Any, mode: GenerationMode, amount: int, seed: float) -> Iterator[Any]:
    cases: list[Any] = []

    @settings(
        max_examples=amount,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        cases.append(case)

    collect._hypothesis_internal_use_seed = int(seed * 2**32)  # type: ignore[attr-defined]
    try:
        collect()
    except Exception as error:
        if "Unsatisfiable" not in type(error).__name__:
            raise
    return iter(cases)


def _send(case: Any, target: Target, session: Any, chance: random.Random, found: Found) -> None:
    person = chance.choice(PEOPLE)
    _name_what_is_there(case, target, chance)
    headers = {k: v for k, v in (case.headers or {}).items() if k.lower() not in ("authorization", "cookie")}
    case.headers = headers
    token = {"Authorization": f"Bearer {target.tokens[f'{person}@example.org']}"} if person else {}
    session.cookies.clear()
    case.cookies = {}
    try:
        answer = case.call(base_url=target.url, session=session, headers=token, timeout=60)
    except (requests.exceptions.InvalidHeader, UnicodeError, requests.exceptions.InvalidURL, ValueError):
        found.odd["not sendable"] += 1
        return
    except requests.exceptions.RequestException as error:
        found.faults.append(f"{case.method} {case.path}: {type(error).__name__} {error}"[:500])
        return
    found.statuses[answer.status_code] += 1
    found.people[str(person)] += 1
    where = f"{person} {case.method} {answer.request.url} {answer.status_code}"
    if answer.status_code >= 500 and answer.status_code != 503:
        body = answer.request.body
        found.faults.append(f"{where}: sent {str(body)[:600]!r} {dict(headers)!r}"[:1500])
    if person != "outsider" and target.mark.encode() in answer.content:
        found.faults.append(f"LEAK {where}")


def _name_what_is_there(case: Any, target: Target, chance: random.Random) -> None:
    """Mostly ids that exist, and that belong together."""
    which = chance.randrange(2)
    for name in case.path_parameters or {}:
        if chance.random() > 0.85:
            continue
        if name == "threat_model_id":
            case.path_parameters[name] = target.ids[name][which]
        elif name == "record_id":
            case.path_parameters[name] = target.ids[case.path.split("/")[5]][which]
        elif name in target.ids:
            case.path_parameters[name] = chance.choice(target.ids[name])
    for name, kind in (("diagram_id", "diagrams"), ("asset_id", "assets"), ("entity_id", "threats")):
        if case.query and name in case.query and chance.random() < 0.5:
            case.query[name] = chance.choice(target.ids[kind])


def _work(target: Target, site_env: dict[str, Any], amount: int, seed: int, seconds: float, out: str) -> None:
    site = Site(site_env["url"], site_env["env"], None, dict(target.tokens))  # type: ignore[arg-type]
    found = throw(target, site, amount, seed, time.monotonic() + seconds)
    told = {
        "statuses": found.statuses,
        "people": found.people,
        "faults": found.faults,
        "odd": found.odd,
    }
    Path(out).write_text(json.dumps(told))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))  # noqa: S311
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tmi-fuzz-"))
    site = start(folder / "d", TMI_SERVER_CHECK_ANSWERS="true", TMI_SERVER_ENGINE="uvicorn")
    began = time.monotonic()
    try:
        for name in PEOPLE[:-1]:
            site.make_person(str(name).capitalize(), *(["--admin"] if name == "admin" else []))
            site.api(f"{name}@example.org", "GET", "/me")
        target = populate(site)
        outs = [str(folder / f"{number}.json") for number in range(options.workers)]
        each, seconds = options.requests // options.workers, options.minutes * 60
        known = {"url": site.url, "env": site.env}
        workers = [
            multiprocessing.Process(target=_work, args=(target, known, each, options.seed + n, seconds, out))
            for n, out in enumerate(outs)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return report(
            [json.loads(Path(out).read_text()) for out in outs], options.seed, time.monotonic() - began
        )
    finally:
        site.stop()
        log = next(folder.glob("serve-*.log"), None)
        if log is not None:
            (ROOT / "var").mkdir(exist_ok=True)
            shutil.copy(log, ROOT / "var" / "fuzz-server.log")
        shutil.rmtree(folder, ignore_errors=True)


def report(told: list[dict[str, Any]], seed: int, seconds: float) -> int:
    """Prints the figures; 1 where something happened that must not."""
    statuses: Counter[str] = Counter()
    faults = [fault for one in told for fault in one["faults"]]
    for one in told:
        statuses.update(one["statuses"])
    total = sum(statuses.values())
    print(f"{total} requests in {seconds:.0f} s (seed {seed}), {total / seconds:.0f} a second")
    print("by status: " + ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items())))
    for fault in faults[:50]:
        print("FAULT", fault)
    print(f"{len(faults)} faults")
    return 1 if faults or not total else 0


if __name__ == "__main__":
    sys.exit(main())
