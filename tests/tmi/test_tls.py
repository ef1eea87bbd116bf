"""HTTPS without a proxy: both servers, with a certificate of their own."""

from __future__ import annotations

import datetime
import ipaddress
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.tmi.instance import Instance
from tmi.config import BASE_DIR, ConfigError, load

pytestmark = pytest.mark.xdist_group("serve")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tmi-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    alternatives = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "tls.crt", folder / "tls.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def served(
    request: pytest.FixtureRequest, folder: Path, certificate: tuple[Path, Path]
) -> Iterator[Instance]:
    """One data directory, so that the second server finds everything prepared."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    instance = Instance(
        folder / "d",
        TMI_SERVER_ENGINE=request.param,
        TMI_SERVER_PORT=str(port),
        TMI_SERVER_TLS_ENABLED="true",
        TMI_SERVER_TLS_CERT_FILE=str(certificate[0]),
        TMI_SERVER_TLS_KEY_FILE=str(certificate[1]),
    )
    yield instance.start()
    instance.stop(signal.SIGTERM)
    instance.clean_up()


def test_pages_come_over_tls_that_lasts_and_cookies_stay_on_it(
    served: Instance, certificate: tuple[Path, Path]
) -> None:
    assert served.url.startswith("https://")
    answer = requests.get(f"{served.url}/accounts/login/", timeout=20, verify=str(certificate[0]))
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    cookie = answer.headers["Set-Cookie"].lower()
    assert all(f"; {word}" in cookie for word in ("secure", "httponly", "samesite=lax"))


def test_sockets_come_over_tls(served: Instance, certificate: tuple[Path, Path]) -> None:
    """Nobody is signed in, which is said by a close code: the handshake was made."""
    context = ssl.create_default_context(cafile=str(certificate[0]))
    nobodys = "/ws/diagrams/01890000-0000-7000-8000-000000000000"

    address = served.url.replace("https", "wss") + nobodys
    with connect(address, ssl=context) as opened, pytest.raises(ConnectionClosed) as closed:
        opened.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


@pytest.mark.parametrize(
    ("broken", "key"), [("tls.crt", "tls_cert_file"), ("tls.key", "tls_key_file"), ("other", "tls_key_file")]
)
def test_files_that_make_no_connection_are_named_before_the_start(
    certificate: tuple[Path, Path], tmp_path: Path, broken: str, key: str
) -> None:
    files = [Path(shutil.copy(path, tmp_path)) for path in certificate]
    if broken == "other":
        other = ec.generate_private_key(ec.SECP256R1())
        pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        files[1].write_bytes(other.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    else:
        (tmp_path / broken).write_text("no PEM")
    environ = {"TMI_DATA_DIR": str(tmp_path), "TMI_SERVER_TLS_ENABLED": "true"}
    environ |= {"TMI_SERVER_TLS_CERT_FILE": str(files[0]), "TMI_SERVER_TLS_KEY_FILE": str(files[1])}
    with pytest.raises(ConfigError, match=rf"^server\.{key}: must hold "):
        load(environ)


def test_old_versions_of_tls_are_refused(served: Instance) -> None:
    context = ssl._create_unverified_context()  # noqa: S323  it is refused before that matters
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    port = int(served.env["TMI_SERVER_PORT"])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(plain)


def test_who_speaks_without_tls_gets_nothing_and_the_server_goes_on(
    served: Instance, certificate: tuple[Path, Path]
) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(served.url.replace("https", "http") + "/healthz", timeout=10)
    answer = requests.get(f"{served.url}/healthz", timeout=20, verify=str(certificate[0]))
    assert answer.json() == {"status": "ok"}


def test_the_health_check_of_a_container_speaks_tls_too(served: Instance) -> None:
    command = [sys.executable, "-m", "tmi.server.check"]
    names = {"TMI_SERVER_ALLOWED_HOSTS": "localhost"}
    done = subprocess.run(
        command, cwd=BASE_DIR, env=served.env | names, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    away = served.env | {"TMI_SERVER_PORT": "1"}
    done = subprocess.run(command, cwd=BASE_DIR, env=away, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Connection refused" in done.stderr
