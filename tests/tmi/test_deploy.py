"""The files of a deployment name only commands, files and configuration keys that there are."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class

from tests.conftest import Cast
from threatmodels.models import ThreatModel
from threatmodels.pictures import png
from threatmodels.reporting import report_of
from threatmodels.reports import pdf
from threatmodels.reports.contents import Choices
from threatmodels.reports.formats import FORMATS
from threatmodels.templatetags.tmi import ICONS
from tmi.config import BASE_DIR, load
from tmi.server.gateway import longest_body

COMPOSE = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())
DOCKERFILE = (BASE_DIR / "Dockerfile").read_text()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("image") == "tmi"}


@pytest.fixture(scope="module")
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the directory, with the secrets that `prepare` makes."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tmi") / "deploy"
    shutil.copytree(BASE_DIR / "deploy", folder, ignore=shutil.ignore_patterns("secrets"))
    subprocess.run(["sh", folder / "prepare"], check=True, env={**os.environ, "TMI_SITE": "tmi.test"})
    return folder


def filled_in(text: str, **environ: str) -> str:
    """What compose makes of a value: variables with their defaults, and "$$" for a dollar."""
    text = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: environ.get(found[1]) or found[2], text)
    assert "${" not in text
    return text.replace("$$", "$")


def test_the_compose_file_is_one() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*command, "docker-compose.yml"], cwd=BASE_DIR, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_everything_runs_without_rights_on_a_file_system_that_is_read_only() -> None:
    for name, service in SERVICES.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service
    for name in SERVICES.keys() - OURS.keys() - {"proxy"}:  # whose image has no rights by itself
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", SERVICES[name]["user"]), name
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.M)[-1] == "10001:10001"


def test_everything_that_serves_has_a_health_check_and_waits_for_what_it_needs() -> None:
    for name, service in SERVICES.items():
        assert service["healthcheck"].get("test") or service["healthcheck"] == {"disable": True}, name
        for needed, how in service.get("depends_on", {}).items():
            once = SERVICES[needed]["healthcheck"] == {"disable": True}
            assert how["condition"] == ("service_completed_successfully" if once else "service_healthy")
    assert SERVICES["migrate"]["restart"] == "no"
    assert "migrate" in SERVICES["web"]["depends_on"]
    assert SERVICES["web"]["environment"]["TMI_SERVER_PROCESSES"] > "1"


def test_every_command_is_one_of_manage_py() -> None:
    commands = get_commands()
    entry = json.loads(re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.M)[-1])
    assert entry == ["python", "manage.py"]
    asked = [json.loads(re.findall(r"^CMD (.*)$", DOCKERFILE, re.M)[-1])]
    asked += [service["command"] for service in OURS.values()]
    for name, *options in asked:
        parser = load_command_class(commands[name], name).create_parser("manage.py", name)
        assert set(options) <= {one for action in parser._actions for one in action.option_strings}


def test_every_module_of_a_health_check_is_there() -> None:
    checks = [SERVICES["web"]["healthcheck"]["test"][1:]]
    checks += [json.loads(found) for found in re.findall(r"HEALTHCHECK .*\\\n +CMD (.*)", DOCKERFILE)]
    assert len(checks) == 2
    for program, option, module in checks:
        assert (program, option) == ("python", "-m")
        assert importlib.util.find_spec(module) is not None


def test_every_key_of_the_environment_is_one_and_the_secrets_are_accepted(
    deploy: Path, tmp_path: Path
) -> None:
    for service in OURS.values():
        environ = {
            key: filled_in(value, TMI_SITE="tmi.test").replace("/run/secrets", str(deploy / "secrets"))
            for key, value in service["environment"].items()
        }
        config = load({**environ, "TMI_DATA_DIR": str(tmp_path)})
        assert config.server.public_url == "https://tmi.test"
        assert config.server.allowed_hosts == ["tmi.test"]
        assert config.database.redis.password == (deploy / "secrets" / "redis_password").read_text().strip()
    baked = dict(re.findall(r"(TMI_[A-Z_]+)=(\S+)", DOCKERFILE.split("\nFROM")[-1]))
    load({**OURS["web"]["environment"], **environ, **baked, "TMI_DATA_DIR": str(tmp_path)})


def test_every_secret_is_made_once_and_given_to_those_who_need_it(deploy: Path) -> None:
    secrets = deploy / "secrets"
    named = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert {path.name for path in secrets.iterdir()} == named
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    assert len(set(before.values())) == len(before)
    subprocess.run(["sh", deploy / "prepare"], check=True)
    assert {path.name: path.read_bytes() for path in secrets.iterdir()} == before
    for name, service in SERVICES.items():
        used = set(re.findall(r"/run/secrets/(\w+)", json.dumps(service)))
        if name == "proxy":
            used |= set(re.findall(r"/run/secrets/(\w+)", (deploy / "nginx.conf").read_text()))
        assert used == set(service.get("secrets", [])), name
    ignored = (BASE_DIR / ".gitignore").read_text().splitlines()
    assert "deploy/secrets/" in ignored


def test_every_path_that_is_copied_or_mounted_is_there() -> None:
    kept = {line[1:] for line in (BASE_DIR / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M):
        for source in line.split()[:-1]:
            assert (BASE_DIR / source).exists(), source
            assert source in kept, source
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = mount.partition(":")[0]
            assert source in COMPOSE["volumes"] or (BASE_DIR / source).is_file(), source
    for package in ("tmi", "accounts", "threatmodels", "collaboration", "templates", "static"):
        assert package in kept


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The node_modules of the image: what its build copies of ours."""
    folder = tmp_path / "kept"
    steps = DOCKERFILE.replace("\\\n", " ")
    (copying,) = re.findall(r"^RUN (mkdir /kept.*)$", steps, re.M)
    assert "\nCOPY --from=browser /kept /app/node_modules\n" in steps.split("\nFROM")[-1]
    subprocess.run(["sh", "-eu", "-c", copying.replace("/kept", str(folder))], check=True, cwd=BASE_DIR)
    return folder


def test_the_image_keeps_every_file_of_a_browser_package_that_is_read_while_it_runs(
    kept: Path, cast: Cast, threat_model: ThreatModel
) -> None:
    reading = {
        str(path.relative_to(BASE_DIR))
        for package in ("tmi", "accounts", "threatmodels", "collaboration")
        for path in (BASE_DIR / package).rglob("*.py")
        if re.search("node_modules", path.read_text(), re.I)
    }
    assert reading == {
        "tmi/settings.py",  # for collectstatic alone
        "threatmodels/templatetags/tmi.py",
        "threatmodels/api/diagram.py",
        "threatmodels/api/report.py",
        "threatmodels/export.py",
        "threatmodels/views/report.py",
    }
    icons = ICONS.relative_to(settings.NODE_MODULES)
    assert {path.name for path in (kept / icons).iterdir()} == {path.name for path in ICONS.iterdir()}
    for name in {*png.FONTS, *pdf.FONTS.values(), *pdf.FURTHER.values()}:
        assert (kept / name).read_bytes() == (settings.NODE_MODULES / name).read_bytes()
    report = report_of(threat_model, Choices())
    for form in FORMATS.values():
        assert form.write(report, kept)


def test_the_web_processes_stop_in_the_time_that_they_are_given() -> None:
    web = SERVICES["web"]
    grace = float(web["stop_grace_period"].rstrip("s"))
    assert grace > float(web["environment"]["TMI_SERVER_SHUTDOWN_TIMEOUT"].rstrip("s")) + 2


@pytest.mark.parametrize(
    ("port", "public_url", "redirect"),
    [
        ("", "https://tmi.test", '""'),
        ("443", "https://tmi.test", '""'),
        ("8443", "https://tmi.test:8443", '":8443"'),
    ],
)
def test_another_port_is_in_links_and_redirects_and_reaches_the_check_of_forms(
    tmp_path: Path, port: str, public_url: str, redirect: str
) -> None:
    chosen = {"TMI_SITE": "tmi.test", "TMI_HTTPS_PORT": port}
    url = filled_in(SERVICES["web"]["environment"]["TMI_SERVER_PUBLIC_URL"], **chosen)
    assert load({"TMI_SERVER_PUBLIC_URL": url, "TMI_DATA_DIR": str(tmp_path)}).server.public_url == public_url
    proxy = SERVICES["proxy"]
    assert proxy["ports"][1].startswith("${TMI_HTTPS_PORT:-443}:")
    shell, option, line = proxy["command"]
    line = filled_in(line).replace("/etc/nginx/", f"{BASE_DIR}/deploy/").replace("/tmp/", f"{tmp_path}/")  # noqa: S108  compose's
    line, starting = line.split(" && exec ")
    assert starting == f'nginx -c {tmp_path}/nginx.conf -g "daemon off;"'
    environ = {
        "HTTPS_PORT": filled_in(proxy["environment"]["HTTPS_PORT"], **chosen),
        "PATH": os.environ["PATH"],
    }
    subprocess.run([shell, option, line], check=True, env=environ)
    made = (tmp_path / "nginx.conf").read_text()
    assert f"set $https_port {redirect};" in made
    assert "return 301 https://$host$https_port$request_uri;" in made
    assert "proxy_set_header Host $http_host;" in made
    assert made.count("\n") == (BASE_DIR / "deploy" / "nginx.conf").read_text().count("\n")


def test_the_proxy_asks_again_where_the_web_processes_are() -> None:
    """Parameters of nginx that came with 1.27.3."""
    found = re.fullmatch(r"nginxinc/nginx-unprivileged:(\d+)\.(\d+)", SERVICES["proxy"]["image"])
    assert found is not None
    assert (int(found[1]), int(found[2])) >= (1, 28)
    upstream = re.findall(r"upstream web \{(.*?)\}", (BASE_DIR / "deploy" / "nginx.conf").read_text(), re.S)[
        0
    ]
    for line in ("zone web 64k;", "resolver 127.0.0.11 ", "server web:8080 resolve;"):
        assert line in upstream


def test_the_proxy_lets_through_what_can_be_imported(tmp_path: Path) -> None:
    found = re.findall(r"client_max_body_size (\d+)m;", (BASE_DIR / "deploy" / "nginx.conf").read_text())
    assert int(found[0]) * 1024 * 1024 >= longest_body(load({"TMI_DATA_DIR": str(tmp_path)}))


def test_nginx_takes_its_configuration(deploy: Path, tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    said = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
    if tuple(map(int, re.findall(r"nginx/(\d+)\.(\d+)\.(\d+)", said)[0])) < (1, 27, 3):
        pytest.skip("nginx is older than 1.27.3")
    text = (deploy / "nginx.conf").read_text()
    text = text.replace("/run/secrets", str(deploy / "secrets")).replace("web:8080", "127.0.0.1:8080")
    text = text.replace("pid /tmp/nginx.pid", f"pid {tmp_path}/nginx.pid")
    (tmp_path / "nginx.conf").write_text(text)
    done = subprocess.run(
        [nginx, "-t", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
