"""Keys that cannot sign stop the start, not the first sign-in."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.tmi.test_config import KEYS
from tmi.config import load
from tmi.config_schema import ConfigError


def private(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture(scope="module")
def made():
    return {
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "short": rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505  what is refused
        "p256": ec.generate_private_key(ec.SECP256R1()),
        "p384": ec.generate_private_key(ec.SECP384R1()),
        "ed": ed25519.Ed25519PrivateKey.generate(),
    }


@pytest.fixture
def start(tmp_path):
    def read(method, private_key, verification_keys=""):
        given = {"SIGNING_METHOD": method, "PRIVATE_KEY": private_key, "VERIFICATION_KEYS": verification_keys}
        named = {f"TMI_AUTH_JWT_{name}": value for name, value in given.items() if value}
        return load({"TMI_DATA_DIR": str(tmp_path), **KEYS, **named})

    return read


@pytest.mark.parametrize(("method", "name"), [("RS256", "rsa"), ("ES256", "p256")])
def test_a_key_of_the_right_kind_is_taken_with_those_before_it(start, made, method, name):
    both = f"{public(made[name])}{public(made[name])}"
    config = start(method, private(made[name]), both)
    assert len(config.auth.jwt.verification_keys) == 2


@pytest.mark.parametrize(
    ("method", "name"),
    [("RS256", "p256"), ("RS256", "short"), ("RS256", "ed"), ("ES256", "rsa"), ("ES256", "p384")],
)
def test_a_key_of_another_kind_is_refused(start, made, method, name):
    good = {"RS256": "rsa", "ES256": "p256"}[method]
    with pytest.raises(ConfigError, match=r"^auth\.jwt\.private_key: must be "):
        start(method, private(made[name]))
    with pytest.raises(ConfigError, match=r"^auth\.jwt\.verification_keys: must be "):
        start(method, private(made[good]), public(made[name]))


@pytest.mark.parametrize("text", ["x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
def test_what_is_no_key_is_refused(start, made, text):
    with pytest.raises(ConfigError, match=r"^auth\.jwt\.private_key: must be "):
        start("ES256", text)
    with pytest.raises(ConfigError, match=r"^auth\.jwt\.private_key: must be "):
        start("ES256", public(made["p256"]))
    with pytest.raises(ConfigError, match=r"^auth\.jwt\.verification_keys: must be "):
        start("ES256", private(made["p256"]), private(made["p256"]))
