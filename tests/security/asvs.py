"""Writes docs/security.md: which requirement of OWASP ASVS 5.0 which test proves.

    .venv/bin/python -m tests.security.asvs

The tests say it themselves, by the marker `asvs`; what applies, and what is not met, stands in asvs.txt.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "security.md"
PREFIX = "v5.0.0-"
CHAPTERS = {
    1: "Encoding and sanitisation",
    2: "Validation and business logic",
    3: "Web front end",
    4: "API and web service",
    5: "Files",
    6: "Authentication",
    7: "Sessions",
    8: "Authorisation",
    9: "Self-contained tokens",
    10: "OAuth and OpenID Connect",
    11: "Cryptography",
    12: "Secure communication",
    13: "Configuration",
    14: "Data protection",
    15: "Secure coding",
    16: "Logging and errors",
    17: "WebRTC",
}
HEAD = """# Security

How the requirements of OWASP ASVS 5.0.0 stand here: all of levels 1 and 2, and those of level 3 that are met.
The words are ours; the standard's count. `python -m tests.security.asvs` writes this page from the markers of
the tests, and a test holds it against them.

Who may do what at every address is tried by `tests/security/test_matrix.py` from the table in
`tests/security/rules.py`; with `database.postgres.row_level_security` the database itself shows a person no
other rows (`tests/security/test_rows.py`). Webhooks are signed: `X-TMI-Signature: t=TIME,v1=HEX`, where HEX
is HMAC-SHA256 of `TIME.BODY` under the secret of the webhook.
"""

COLUMNS = "| number | level | requirement | stands | proved by |\n|---|---|---|---|---|"


class Requirement(NamedTuple):
    number: str
    level: int
    what: str
    note: str

    @property
    def chapter(self) -> int:
        return int(self.number.split(".")[0])


def requirements() -> list[Requirement]:
    lines = (Path(__file__).parent / "asvs.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split("|") for line in lines if line and not line.startswith("#")]
    return [Requirement(number, int(level), what, note) for number, level, what, note in rows]


def proofs() -> dict[str, list[str]]:
    """The tests that carry the marker, by number of the requirement."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for number in _marked(node):
                    found[number].append(f"{path.relative_to(ROOT / 'tests')}::{node.name}")
    return found


def _marked(node: ast.FunctionDef) -> list[str]:
    calls = [one for one in node.decorator_list if isinstance(one, ast.Call)]
    marks = [one for one in calls if ast.unparse(one.func) == "pytest.mark.asvs"]
    return [ast.literal_eval(argument).removeprefix(PREFIX) for one in marks for argument in one.args]


def standing(one: Requirement, tests: list[str]) -> str:
    if one.note:
        return one.note
    return "met" if tests else "not met: no test shows it"


def document() -> str:
    found, listed = proofs(), requirements()
    said = [HEAD, _summary(listed, found)]
    for chapter, title in CHAPTERS.items():
        said.append(f"\n## {chapter}. {title}\n\n{COLUMNS}")
        for one in (one for one in listed if one.chapter == chapter):
            tests = found.get(one.number, [])
            named = "<br>".join(f"`{test}`" for test in tests)
            said.append(f"| {one.number} | {one.level} | {one.what} | {standing(one, tests)} | {named} |")
    return "\n".join(said) + "\n"


def _summary(listed: list[Requirement], found: dict[str, list[str]]) -> str:
    lines = [
        "| level | met, with a test | documented | not met | operator | does not apply |",
        "|---|---|---|---|---|---|",
    ]
    for level in (1, 2, 3):
        states = [standing(one, found.get(one.number, [])) for one in listed if one.level == level]
        counts = [sum(state.startswith(kind) for state in states) for kind in KINDS]
        lines.append(f"| {level} | {' | '.join(map(str, counts))} |")
    return "\n".join(lines)


COLUMNS = "| number | level | requirement | stands | proved by |\n|---|---|---|---|---|"
KINDS = ("met", "documented", "not met", "operator", "n/a")

if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
