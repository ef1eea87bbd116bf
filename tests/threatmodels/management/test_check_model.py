"""Checking a model in a build: exit codes, forms, and that files leave nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from tests.threatmodels.knowledge.test_engine import B, box, shop
from threatmodels.actions.diagram import create_diagram
from threatmodels.actions.record import create_record, update_record
from threatmodels.models import RulePack, Threat, ThreatModel

SAMPLE = next(
    iter(sorted((Path(__file__).parents[4] / "shared" / "samples").glob("threat-dragon-v2/*.json"))), None
)


def check(*args):
    """Exit code and output."""
    out, err = StringIO(), StringIO()
    try:
        call_command("check_model", *map(str, args), stdout=out, stderr=err)
    except SystemExit as ended:
        return ended.code, out.getvalue() + err.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


@pytest.fixture
def threat(threat_model, cast):
    diagram = create_diagram(threat_model=threat_model, actor=cast.owner, name="Shop", cells=shop())
    fields = {"name": "Orders are read", "severity": "High", "diagram_id": diagram.pk, "cell_id": B}
    return create_record(Threat, threat_model=threat_model, actor=cast.owner, **fields)


def test_a_high_open_threat_fails_the_build_until_it_is_mitigated(threat, cast):
    args = (threat.threat_model_id, "--only", "threat")
    code, said = check(*args)
    assert code == 1
    assert "Open threat: Orders are read" in said
    update_record(threat, actor=cast.owner, changes={"mitigated": True})
    assert check(*args)[0] == 0


@pytest.mark.parametrize(("bar", "code"), [("critical", 0), ("high", 1), ("low", 1), ("never", 0)])
def test_the_bar_decides(threat, bar, code):
    assert check(threat.threat_model_id, "--only", "threat", "--fail-on", bar)[0] == code


def test_what_nobody_considered_counts_and_hygiene_does_not_fail_at_high(threat):
    code, said = check(threat.threat_model_id, "--only", "uncovered")
    assert code == 1
    assert "A stranger's script runs in pages of Shop" in said
    code, said = check(threat.threat_model_id, "--only", "hygiene")
    assert code == 0
    assert "Nothing leaves it" in said


def test_an_element_of_which_the_rules_say_nothing_is_uncovered_all_the_same(threat_model, cast):
    cells = [box(B, "process", {"label": "Till"})]
    create_diagram(threat_model=threat_model, actor=cast.owner, name="Shop", cells=cells)
    RulePack.objects.update_or_create(key="stride", defaults={"is_enabled": False})
    args = (threat_model.pk, "--only", "uncovered", "--fail-on")
    code, said = check(*args, "informational")
    assert code == 1
    assert "Shop / Till: Not considered: Spoofing, Tampering, Repudiation" in said
    assert check(*args, "low")[0] == 0


def test_json_and_sarif_say_the_same(threat):
    told = json.loads(check(threat.threat_model_id, "--format", "json")[1])
    log = json.loads(check(threat.threat_model_id, "--format", "sarif")[1])
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert [r["message"]["text"] for r in run["results"]] == [f["message"] for f in told["findings"]]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[r["ruleIndex"]] == r["ruleId"] for r in run["results"])
    first = next(r for r in run["results"] if r["ruleId"] == "open-threat/high")
    assert first["level"] == "error"
    assert first["properties"]["security-severity"] == "8.0"
    # This is where code scanning looks.
    rule = run["tool"]["driver"]["rules"][first["ruleIndex"]]
    assert rule["properties"]["security-severity"] == "8.0"
    prints = [r["partialFingerprints"]["tmi/v1"] for r in run["results"]]
    assert len(set(prints)) == len(prints)
    again = json.loads(check(threat.threat_model_id, "--format", "sarif")[1])
    assert again == log


@pytest.mark.skipif(SAMPLE is None, reason="the sample files are not there")
def test_a_file_is_checked_and_nothing_of_it_stays(db):
    people = User.objects.count()
    code, said = check(SAMPLE, "--fail-on", "never")
    assert code == 0
    assert "open threats" in said
    assert (ThreatModel.objects.count(), User.objects.count()) == (0, people)


@pytest.mark.skipif(SAMPLE is None, reason="the sample files are not there")
def test_findings_of_a_file_are_known_again_by_code_scanning(db):
    """Each reading gives new ids; what is found is the same."""
    logs = [json.loads(check(SAMPLE, "--format", "sarif", "--fail-on", "never")[1]) for _ in range(2)]
    assert logs[0]["runs"][0]["results"]
    assert logs[0] == logs[1]


def test_what_cannot_be_checked_has_a_code_of_its_own(db, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    assert check("01a219f0-e005-7576-9e54-def462f36f56")[0] == 2
    assert check(tmp_path / "missing.json")[0] == 2
    assert check(broken)[0] == 2


JOB = Path(__file__).parents[3] / "docs" / "examples" / "check-model.yml"


def test_the_build_of_the_handbook_fails_until_the_threat_is_mitigated(django_db_setup, db, tmp_path):
    """The step runs as it is written there, as a process, in a directory with the model."""
    [step] = [one["run"] for one in yaml.safe_load(JOB.read_text())["jobs"]["check"]["steps"] if "run" in one]
    environ = {
        **os.environ,
        "TMI": f"{sys.executable} {Path(__file__).parents[3] / 'manage.py'}",
        "MODEL": "threat-model.json",
        "TMI_DATABASE_POSTGRES_DATABASE": str(connection.settings_dict["NAME"]),
    }
    codes, found = [], []
    for is_mitigated in (False, True):
        threat = {"key": "t", "name": "Forged orders", "severity": "high", "mitigated": is_mitigated}
        model = {"name": "Shop", "threats": [threat]}
        file = {"format": "tmi-threat-model", "version": 1, "threat_model": model}
        (tmp_path / "threat-model.json").write_text(json.dumps(file))
        codes.append(subprocess.run(["sh", "-c", step], cwd=tmp_path, env=environ, check=False).returncode)
        [run] = json.loads((tmp_path / "findings.sarif").read_text())["runs"]
        found.append(len(run["results"]))
    assert (codes, found) == ([1, 0], [1, 0])


def test_a_file_with_signs_in_its_name_has_an_address(threat_model, tmp_path, db):
    file = tmp_path / "our models #1.json"
    model = {"name": "Shop", "threats": [{"key": "t", "name": "Forged orders", "severity": "high"}]}
    file.write_text(json.dumps({"format": "tmi-threat-model", "version": 1, "threat_model": model}))
    [run] = json.loads(check(file, "--format", "sarif")[1])["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place.endswith("/our%20models%20%231.json")


def test_a_machine_that_has_no_database_yet_checks_a_file_too():
    with tempfile.TemporaryDirectory(prefix="tmi-", ignore_cleanup_errors=True) as folder:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TMI_")}
        file = Path(folder) / "threat-model.json"
        model = {"name": "Shop", "threats": [{"key": "t", "name": "Forged orders", "severity": "high"}]}
        file.write_text(json.dumps({"format": "tmi-threat-model", "version": 1, "threat_model": model}))
        done = subprocess.run(
            [sys.executable, "manage.py", "check_model", file, "--only", "threat"],
            cwd=Path(__file__).parents[3],
            env={**environ, "TMI_DATA_DIR": f"{folder}/data"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1, done.stderr
    assert "Forged orders" in done.stdout


def test_the_job_of_the_handbook_may_hand_over_what_it_found():
    job = yaml.safe_load(JOB.read_text())["jobs"]["check"]
    assert job["permissions"] == {"contents": "read", "security-events": "write"}
    assert "container" not in job
    folder, image = "${{ github.workspace }}", "${{ vars.TMI_IMAGE }}"
    assert job["env"]["TMI"] == f"docker run --rm --volume {folder}:/model:ro {image}"
    assert job["env"]["MODEL"] == "/model/threat-model.json"
