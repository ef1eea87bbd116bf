"""The handbooks name only commands, keys, figures and pages that there are; what can be run is run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from prometheus_client import REGISTRY

from tests.tools.databases import Server
from tmi.config import BASE_DIR
from tmi.config_schema import Config
from tmi.lib import metrics
from tmi.metrics import Facts

pytestmark = pytest.mark.xdist_group("backup")

DOCS = sorted((BASE_DIR / "docs").glob("*.md"))
HANDBOOKS = [BASE_DIR / "README.md", *DOCS]
OURS = [
    BASE_DIR / "docs" / f"{name}.md"
    for name in (
        "administration",
        "analysts",
        "architecture",
        "decisions",
        "install",
        "integrators",
        "operations",
        "rules",
        "running",
        "scaling",
    )
]
BLOCK = re.compile(r"(<!-- run -->\n)?```sh\n(.*?)```", re.S)
NAMES = pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)


def commands_in(text: str) -> list[list[str]]:
    """The words after `manage.py` of each command in it."""
    found = re.findall(r"manage\.py ([a-z_]+(?: +[^`\n|;]+)?)", text)
    return [shlex.split(line.rstrip("\\ ")) for line in found]


@cache
def options_of(name: str) -> set[str]:
    command = load_command_class(get_commands()[name], name)
    parser = command.create_parser("manage.py", name)
    return {option for action in parser._actions for option in action.option_strings}


@NAMES
def test_every_command_and_option_is_one(path: Path) -> None:
    for name, *words in commands_in(path.read_text()):
        assert name in get_commands(), name
        for word in words:
            option = word.strip("[]").partition("=")[0]
            assert not option.startswith("--") or option in options_of(name), f"{name} {option}"


@NAMES
def test_every_key_and_variable_is_one(path: Path) -> None:
    text = path.read_text()
    sections = "|".join(Config.model_fields)
    for key in re.findall(rf"`((?:{sections})(?:\.[a-z_]+)+)[`:]", text):
        found: Any = Config
        for part in key.split("."):
            assert part in found.model_fields, key
            found = found.model_fields[part].annotation
    from tmi.config import OTHER_VARIABLES, variables

    for name in re.findall(r"\b(TMI_[A-Z_]+[A-Z])\b", text):
        known = {*variables(), *OTHER_VARIABLES}
        assert name.removesuffix("_FILE") in known or name in known, name


@pytest.mark.parametrize("path", HANDBOOKS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", path.read_text()):
        file, _, place = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        if place:
            headings = re.findall(r"^#+ (.*)$", there.read_text(), re.M)
            assert place in {re.sub(r"[^a-z0-9 -]", "", one.lower()).replace(" ", "-") for one in headings}


def test_every_figure_of_the_handbook_is_shown_and_every_figure_is_in_the_handbook(db: None) -> None:
    named = set(re.findall(r"`(tmi_[a-z_]+)`", (BASE_DIR / "docs" / "operations.md").read_text()))
    families = [*REGISTRY.collect(), *Facts().collect()]
    shown = {
        f"{one.name}_total" if one.type == "counter" else one.name
        for one in families
        if one.name.startswith("tmi_")
    }
    assert metrics.SAMPLE_SECONDS > 0
    assert named == shown


def test_what_can_be_run_of_the_handbook_runs_as_it_is_written(
    django_db_setup: None, django_db_blocker: Any, tmp_path: Path
) -> None:
    from django.db import connection

    blocks = [block for run, block in BLOCK.findall((BASE_DIR / "docs" / "operations.md").read_text()) if run]
    assert len(blocks) == 3
    with django_db_blocker.unblock():
        connection.close()
    server = Server(str(connection.settings_dict["HOST"]), str(connection.settings_dict["NAME"]))
    database = server.database("handbook", server.base)
    empty = server.database("handbook_empty")
    environ = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "BACKUPS": str(tmp_path),
        "EMPTY": empty,
        "TMI_DATABASE_POSTGRES_DATABASE": database,
    }
    try:
        for block in blocks:
            done = subprocess.run(
                ["sh", "-eu", "-c", block],
                cwd=BASE_DIR,
                env=environ,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{block}{done.stderr}"
    finally:
        server.drop(database)
        server.drop(empty)
