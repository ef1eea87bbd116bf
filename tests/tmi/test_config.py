"""Environment over file over default; what is wrong is said in one line that names the key."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import manage
from tmi.config import BASE_DIR, Config, ConfigError, load, variables
from tmi.config_schema import MASK, format_duration, parse_duration

EXAMPLE = BASE_DIR / "config.example.yml"
STRONG = "k3Jw9-Zq7Lx2Vb5Nm8Rt1Yc4Ph6Sd0Fg"
SERVERS = {"database": {"postgres": {"host": "db.internal"}, "redis": {"host": "redis.internal"}}}
KEYS = {
    "TMI_SERVER_SECRET_KEY": STRONG,
    "TMI_AUTH_JWT_SECRET": STRONG[::-1],
    "TMI_AUTH_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
}

Read = Callable[..., Config]
Refuse = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Any], str]:
    """Writes a file and names it; data becomes YAML, text stays as it is."""

    def to_file(content: Any) -> str:
        path = tmp_path / "tmi.yml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return str(path)

    return to_file


@pytest.fixture
def read(tmp_path: Path, write: Callable[[Any], str]) -> Read:
    """`read(file, VARIABLE=...)` is the effective configuration."""

    def from_both(content: Any = None, **environ: str) -> Config:
        named = {} if content is None else {"TMI_CONFIG": write(content)}
        return load({"TMI_DATA_DIR": str(tmp_path / "data")} | named | environ)

    return from_both


@pytest.fixture
def refuse(
    tmp_path: Path,
    write: Callable[[Any], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Refuse:
    """`refuse(file, VARIABLE=...)` is the one line with which a command of that instance ends, with 2."""

    def said(content: Any = None, **environ: str) -> str:
        for name in [name for name in os.environ if name.startswith("TMI_")]:
            monkeypatch.delenv(name)
        named = {} if content is None else {"TMI_CONFIG": write(content)}
        for name, value in ({"TMI_DATA_DIR": str(tmp_path / "data")} | named | environ).items():
            monkeypatch.setenv(name, value)
        assert manage.main(["tmi_config"]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert err.startswith("configuration: ")
        return err.removeprefix("configuration: ").rstrip("\n")

    return said


# -- precedence


@pytest.mark.asvs("v5.0.0-13.4.2")
def test_without_file_and_variables_everything_has_its_default(read: Read) -> None:
    config = read()
    assert (config.server.port, config.server.interface) == (8080, "0.0.0.0")  # noqa: S104  compared
    assert (config.server.read_timeout, config.server.idle_timeout) == (30, 120)
    assert (config.auth.jwt.expiration_seconds, config.auth.jwt.signing_method) == (3600, "HS256")
    assert config.logging.also_log_to_console is True


def test_a_file_wins_over_the_default_and_a_variable_over_the_file(read: Read) -> None:
    content = {"server": {"port": "9000", "processes": 3}, "mail": {"from": "a@example.org"}}
    assert read(content).server.port == 9000
    config = read(content, TMI_SERVER_PORT="9001", TMI_MAIL_FROM="b@example.org")
    assert (config.server.port, config.server.processes) == (9001, 3)
    assert config.mail.from_ == "b@example.org"


def test_an_empty_section_is_one_without_keys(read: Read) -> None:
    assert read("server:\nlogging:\n").server.port == 8080


def test_every_key_has_a_variable_and_no_two_share_one(read: Read) -> None:
    assert variables()["TMI_DATABASE_POSTGRES_SSLMODE"] == ("database", "postgres", "sslmode")
    assert variables()["TMI_COLLABORATION_SLOW_CLOSE_BYTES"] == ("collaboration", "slow_close_bytes")
    leaves = {path for path in _leaves(_defaults()) if "providers" not in path}
    assert set(variables().values()) == leaves
    assert len(variables()) == len(leaves)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("false", False), ("off", False)])
def test_a_variable_can_be_true_or_false(read: Read, text: str, value: bool) -> None:
    assert read(TMI_LOGGING_IS_DEV=text).logging.is_dev is value


def test_a_list_in_a_variable_is_separated_by_commas(read: Read) -> None:
    config = read(TMI_SERVER_ALLOWED_HOSTS="a.example, b.example", TMI_SERVER_TRUSTED_PROXIES="")
    assert config.server.allowed_hosts == ["a.example", "b.example"]
    assert config.server.trusted_proxies == []


def test_several_keys_in_pem_are_told_apart(read: Read) -> None:
    pem = "-----BEGIN PUBLIC KEY-----\nMC,ow\n-----END PUBLIC KEY-----"
    assert read(TMI_AUTH_JWT_VERIFICATION_KEYS=f"{pem}\n{pem}").auth.jwt.verification_keys == [pem, pem]


def test_a_provider_is_named_in_a_variable(read: Read) -> None:
    prefix = "TMI_AUTH_OAUTH_PROVIDERS_ACME_CLIENT_"
    environ = {f"{prefix}ISSUER": "https://id.acme.example/", f"{prefix}CLIENT_ID": "tmi"}
    acme = read(**environ).auth.oauth.active["acme_client"]
    assert (acme.issuer, acme.client_id) == ("https://id.acme.example", "tmi")


def test_a_provider_of_the_file_is_meant_whatever_its_dashes(read: Read) -> None:
    provider = {"issuer": "https://id.acme.example", "client_id": "tmi"}
    content = {"auth": {"oauth": {"providers": {"acme-corp": provider}}}}
    config = read(content, TMI_AUTH_OAUTH_PROVIDERS_ACME_CORP_CLIENT_SECRET="s")
    assert list(config.auth.oauth.providers) == ["acme-corp"]
    assert config.auth.oauth.providers["acme-corp"].client_secret == "s"


def test_variables_that_kubernetes_sets_for_a_service_are_left_alone(read: Read) -> None:
    links = {"TMI_SERVICE_HOST": "10.0.0.1", "TMI_PORT": "tcp://10.0.0.1:80", "TMI_PORT_80_TCP_PORT": "80"}
    assert read(**links).server.port == 8080


# -- values


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("250ms", 0.25), ("1h30m", 5400), ("1.5m", 90), ("2d", 172800)]
)
def test_durations_have_units(read: Read, text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
    assert read(TMI_SERVER_READ_TIMEOUT=text).server.read_timeout == seconds


def test_a_duration_is_shown_in_seconds() -> None:
    assert (format_duration(120.0), format_duration(0.25)) == ("120s", "0.25s")


@pytest.mark.parametrize("text", ["30", "soon", "5 m", "1h-5m", "-1s", "0s", "", "5M"])
def test_a_bad_duration_is_refused(refuse: Refuse, text: str) -> None:
    assert refuse({"server": {"read_timeout": text}}).startswith("server.read_timeout: ")


@pytest.mark.parametrize("number", [".inf", ".nan", "true", "0", "-3"])
def test_a_number_of_seconds_must_be_a_time(refuse: Refuse, number: str) -> None:
    assert refuse(f"server: {{idle_timeout: {number}}}").startswith("server.idle_timeout: ")


# -- what is wrong


@pytest.mark.parametrize(
    ("content", "begin"),
    [
        ({"sever": {}}, "sever: unknown key"),
        ({"server": {"prot": 1}}, "server.prot: unknown key"),
        ({"auth": {"oauth": {"providers": {"google": {"id": "x"}}}}}, "auth.oauth.providers.google.id: unk"),
        ({"server": {"port": "http"}}, "server.port: "),
        ({"server": {"port": 70000}}, "server.port: "),
        ({"server": {"processes": True}}, "server.processes: "),
        ({"server": {"processes": 0}}, "server.processes: "),
        ({"server": {"engine": "gunicorn"}}, "server.engine: "),
        ({"server": 5}, "server: must be a section with keys"),
        ({"server": {"allowed_hosts": "a.example"}}, "server.allowed_hosts: "),
        ({"server": {"trusted_proxies": ["10.0.0.0/8", "proxy"]}}, "server.trusted_proxies.1: "),
        ({"server": {"public_url": "tmi.example"}}, "server.public_url: "),
        ({"server": {"tls_enabled": True}}, "server.tls_cert_file: "),
        ({"database": {"postgres": {"sslmode": "on"}}}, "database.postgres.sslmode: "),
        ({"auth": {"encryption_keys": ["short"]}}, "auth.encryption_keys.0: "),
        ({"auth": {"jwt": {"signing_method": "RS256"}}}, "auth.jwt.private_key: is missing"),
        (
            {"auth": {"oauth": {"providers": {"acme": {"client_id": "x"}}}}},
            "auth.oauth.providers.acme.issuer: is missing",
        ),
        (
            {"auth": {"oauth": {"providers": {"github": {"client_id": "x"}}}}},
            "auth.oauth.providers.github.client_secret: is missing",
        ),
        ({"auth": {"oauth": {"providers": {"No Name": {}}}}}, "auth.oauth.providers.No Name: is no name"),
        ({"collaboration": {"silence_seconds": 20}}, "collaboration.silence_seconds: "),
        ({"mail": {"host": "smtp.example"}}, "mail.from: is missing"),
    ],
)
def test_a_wrong_file_names_its_key(refuse: Refuse, content: Any, begin: str) -> None:
    assert refuse(content).startswith(begin)


def test_a_wrong_variable_is_named_beside_its_key(refuse: Refuse) -> None:
    line = refuse(TMI_SERVER_PORT="http")
    assert line.startswith("server.port: ")
    assert line.endswith("(TMI_SERVER_PORT)")


@pytest.mark.parametrize(
    "name", ["TMI_SERVER_PROT", "TMI_CONFG", "TMI_AUTH_OAUTH_PROVIDERS_ACME_COLOUR", "TMI_SERVER"]
)
def test_a_misspelled_variable_is_told(refuse: Refuse, name: str) -> None:
    assert refuse(**{name: "1"}) == f"{name}: unknown configuration variable"


@pytest.mark.parametrize(
    "content",
    [
        "server:\n  port: 1\n  port: 2\n",
        "server: [",
        "- server",
        "a\x00b",
        "? [a]\n: 1\n",
        "server: {public_url: 2024-13-45}",
        "server: {port: *nobody}",
        "server: !!python/object:os.system {}",
    ],
)
def test_a_file_that_cannot_be_read_is_said_in_one_line(refuse: Refuse, content: str) -> None:
    assert "tmi.yml" in refuse(content)


def test_a_key_given_twice_is_named_with_its_line(refuse: Refuse) -> None:
    assert refuse("server:\n  port: 1\n  port: 2\n").endswith("tmi.yml, line 3: port: is given twice")


def test_a_missing_file_is_named(refuse: Refuse, tmp_path: Path) -> None:
    missing = str(tmp_path / "none.yml")
    assert refuse(TMI_CONFIG=missing) == f"TMI_CONFIG: cannot read {missing}: No such file or directory"
    assert refuse(TMI_CONFIG=str(tmp_path)).endswith("Is a directory")


# -- secrets


def test_a_secret_can_come_from_a_file_of_its_own(read: Read, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("pass word\n")
    config = read(SERVERS, TMI_DATABASE_POSTGRES_PASSWORD_FILE=str(tmp_path / "password"), **KEYS)
    assert config.database.postgres.password == "pass word"


def test_a_key_that_ends_in_file_is_itself(read: Read) -> None:
    assert read(TMI_SERVER_TLS_CERT_FILE="/etc/tls.pem").server.tls_cert_file == "/etc/tls.pem"


def test_a_secret_file_that_is_not_there_is_named(refuse: Refuse, tmp_path: Path) -> None:
    line = refuse(TMI_AUTH_JWT_SECRET_FILE=str(tmp_path / "none"))
    assert line == f"TMI_AUTH_JWT_SECRET_FILE: cannot read {tmp_path / 'none'}: No such file or directory"


def test_a_value_and_its_file_together_are_refused(refuse: Refuse, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(STRONG)
    line = refuse(TMI_AUTH_JWT_SECRET=STRONG, TMI_AUTH_JWT_SECRET_FILE=str(tmp_path / "secret"))
    assert line == "auth.jwt.secret: both TMI_AUTH_JWT_SECRET and TMI_AUTH_JWT_SECRET_FILE are set"


@pytest.mark.parametrize("left_out", sorted(KEYS))
def test_with_a_configured_database_every_secret_is_demanded(refuse: Refuse, left_out: str) -> None:
    given = {name: value for name, value in KEYS.items() if name != left_out}
    assert refuse(SERVERS, **given).startswith(".".join(variables()[left_out]) + ": is missing")


@pytest.mark.asvs("v5.0.0-13.2.3")
@pytest.mark.parametrize(
    "weak",
    [
        "changeme" * 5,
        "a-placeholder-for-a-secret-of-a-server",
        "a" * 40,
        "your-256-bit-secret-goes-here-soon",
    ],
)
@pytest.mark.parametrize("name", ["TMI_SERVER_SECRET_KEY", "TMI_AUTH_JWT_SECRET"])
def test_a_default_secret_is_refused_outside_development(
    refuse: Refuse, read: Read, name: str, weak: str
) -> None:
    key = ".".join(variables()[name])
    line = refuse(SERVERS, **KEYS | {name: weak})
    assert line == f"{key}: is a placeholder, not a secret"
    assert read(SERVERS, TMI_LOGGING_IS_DEV="true", **KEYS | {name: weak})


@pytest.mark.asvs("v5.0.0-11.2.3")
def test_a_short_secret_is_refused_and_not_repeated(refuse: Refuse) -> None:
    line = refuse(TMI_AUTH_JWT_SECRET="Xy7-short")
    assert line.startswith("auth.jwt.secret: is too short")
    assert "Xy7" not in line


@pytest.mark.asvs("v5.0.0-6.3.2", "v5.0.0-11.5.1")
def test_an_embedded_instance_makes_its_secrets_once(read: Read, tmp_path: Path) -> None:
    first, second = read(), read()
    assert len(first.auth.jwt.secret) >= 32
    assert first.auth == second.auth
    assert first.server.secret_key == second.server.secret_key != first.auth.jwt.secret
    kept = tmp_path / "data" / "secrets.json"
    assert kept.stat().st_mode & 0o077 == 0
    assert json.loads(kept.read_text())["auth.jwt.secret"] == first.auth.jwt.secret


@pytest.mark.parametrize("content", ["not JSON", '{"auth.jwt.secret": "x', "[]"])
def test_damaged_secrets_are_named_and_left_as_they_are(refuse: Refuse, tmp_path: Path, content: str) -> None:
    kept = tmp_path / "data" / "secrets.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(content)
    line = refuse()
    assert line.startswith("server.secret_key: not configured, and ")
    assert f"{kept} is damaged" in line
    assert kept.read_text() == content


def test_what_is_added_to_the_secrets_is_there_whole_or_not_at_all(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "data" / "secrets.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text('{"auth.jwt.secret": "' + STRONG + '"}')
    before = kept.read_text()

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(ConfigError, match="No space left"):
            read()
    assert kept.read_text() == before
    assert read().auth.jwt.secret == STRONG


# -- as a command


@pytest.mark.asvs("v5.0.0-13.3.2")
def test_tmi_config_prints_what_counts_without_secrets(tmp_path: Path, write: Callable[[Any], str]) -> None:
    content = {"mail": {"host": "smtp.example", "from": "tmi@example.org", "password": "Hidden-1"}}
    environ = {"TMI_AUTH_OAUTH_PROVIDERS_GITHUB_CLIENT_SECRET": "Hidden-2", "TMI_SERVER_PORT": "9001"}
    done = _manage(tmp_path, TMI_CONFIG=write(content), TMI_DATABASE_REDIS_PASSWORD="Hidden-3", **environ)
    assert (done.returncode, done.stderr) == (0, "")
    shown = yaml.safe_load(done.stdout)
    assert (shown["server"]["port"], shown["server"]["idle_timeout"]) == (9001, "120s")
    assert shown["mail"]["password"] == shown["server"]["secret_key"] == MASK
    assert shown["auth"]["oauth"]["providers"]["github"]["client_secret"] == MASK
    assert shown["auth"]["encryption_keys"] == [MASK]
    assert shown["database"]["postgres"]["password"] == ""
    made = json.loads((tmp_path / "data" / "secrets.json").read_text())
    for secret in (
        "Hidden",
        made["server.secret_key"],
        made["auth.jwt.secret"],
        *made["auth.encryption_keys"],
    ):
        assert secret not in done.stdout


def test_what_tmi_config_prints_is_a_configuration(read: Read) -> None:
    first = read({"server": {"read_timeout": "1h30m"}})
    again = yaml.safe_dump(first.masked()).replace(f"- '{MASK}'", f"- {KEYS['TMI_AUTH_ENCRYPTION_KEYS']}")
    again = again.replace(f"'{MASK}'", STRONG)
    assert read(again).server == first.server.model_copy(update={"secret_key": STRONG})


def test_a_wrong_configuration_ends_every_command_in_one_line(tmp_path: Path) -> None:
    for command in ("tmi_config", "migrate", "serve"):
        done = _manage(tmp_path, command, TMI_SERVER_PORT="http")
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("configuration: server.port: ")
        assert done.stderr.count("\n") == 1


def _manage(tmp_path: Path, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("TMI_")}
    return subprocess.run(
        [sys.executable, BASE_DIR / "manage.py", *(command or ("tmi_config",))],
        env=own | {"TMI_DATA_DIR": str(tmp_path / "data")} | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


# -- the example


def test_the_example_has_every_key_in_order_with_its_default() -> None:
    example = yaml.safe_load(EXAMPLE.read_text())
    assert list(_leaves(example)) == list(_leaves(_defaults()))
    normal = Config.model_validate(example)
    assert normal.model_dump() == Config().model_dump()


def test_the_example_can_be_used(read: Read, tmp_path: Path) -> None:
    config = load({"TMI_CONFIG": str(EXAMPLE), "TMI_DATA_DIR": str(tmp_path / "data")})
    assert config == read()


def _defaults() -> dict[str, Any]:
    return Config().model_dump(by_alias=True)


def _leaves(tree: dict[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in tree.items():
        path = (*prefix, key)
        if isinstance(value, dict):
            yield from _leaves(value, path)
        else:
            yield path


def test_variables_of_compose_and_of_the_examples_are_none_of_ours(read: Read) -> None:
    read(TMI_SITE="tmi.test", TMI_HTTP_PORT="81", TMI_HTTPS_PORT="8443", TMI_URL="https://tmi.test/api/v1")


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        ("https://tmi.test:443", "https://tmi.test"),
        ("https://tmi.test:443/", "https://tmi.test"),
        ("http://tmi.test:80/below", "http://tmi.test/below"),
        ("https://tmi.test:8443", "https://tmi.test:8443"),
        ("http://[::1]:443", "http://[::1]:443"),
        ("", ""),
    ],
)
def test_a_port_that_browsers_leave_out_is_not_in_the_public_address(
    read: Read, given: str, counts: str
) -> None:
    assert read({"server": {"public_url": given}}).server.public_url == counts


def test_keys_are_made_before_there_is_a_configuration(tmp_path: Path) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "TMI_DATA_DIR": str(tmp_path / "data"),
        "TMI_DATABASE_POSTGRES_HOST": "db.invalid",
        "TMI_DATABASE_REDIS_HOST": "redis.invalid",
    }
    command = [sys.executable, "manage.py", "new_key"]
    made = [
        subprocess.run(
            [*command, kind], cwd=BASE_DIR, env=environ, capture_output=True, text=True, check=True
        ).stdout.strip()
        for kind in ("secret", "secret", "encryption")
    ]
    named = zip(("SERVER_SECRET_KEY", "AUTH_JWT_SECRET", "AUTH_ENCRYPTION_KEYS"), made, strict=True)
    load({**environ, **{f"TMI_{name}": value for name, value in named}})
    assert not (tmp_path / "data").exists()
    wrong = subprocess.run(
        [*command, "nonsense"], cwd=BASE_DIR, env=environ, capture_output=True, text=True, check=False
    )
    assert wrong.returncode != 0
    assert "Traceback" not in wrong.stderr


def test_what_an_earlier_secret_key_signed_is_still_read(tmp_path: Path) -> None:
    def signing(code: str, **keys: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": os.environ["PATH"], "TMI_DATA_DIR": str(tmp_path), **keys}
        code = f"from django.core import signing; print({code})"
        environ["DJANGO_SETTINGS_MODULE"] = "tmi.settings"
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=BASE_DIR, env=environ, capture_output=True, text=True, check=False)

    old, new = STRONG, STRONG[::-1]
    signed = signing("signing.dumps('kept')", TMI_SERVER_SECRET_KEY=old).stdout.strip()
    reading = f"signing.loads({signed!r})"
    assert "BadSignature" in signing(reading, TMI_SERVER_SECRET_KEY=new).stderr
    both = {"TMI_SERVER_SECRET_KEY": new, "TMI_SERVER_PREVIOUS_SECRET_KEYS": old}
    assert signing(reading, **both).stdout == "kept\n"
