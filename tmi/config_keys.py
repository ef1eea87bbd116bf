"""Keys that sign access tokens are read when the configuration is, not when somebody signs in."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from tmi.config_schema import ConfigError, Jwt

SMALLEST_RSA = 2048
WANTED = {"RS256": f"an RSA key of {SMALLEST_RSA} bits at least", "ES256": "a key of the curve P-256"}
UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)


def refuse_unfit(jwt: Jwt) -> None:
    """ConfigError for a key in PEM that cannot be read or is none for the signing method."""
    if jwt.symmetric:
        return
    if not _is_private(jwt):
        raise ConfigError(f"auth.jwt.private_key: must be {WANTED[jwt.signing_method]}, private, in PEM")
    for text in jwt.verification_keys:
        if not _is_public(jwt.signing_method, text):
            raise ConfigError(
                f"auth.jwt.verification_keys: must be {WANTED[jwt.signing_method]} each, public, in PEM"
            )


def _is_private(jwt: Jwt) -> bool:
    try:
        key = load_pem_private_key(jwt.private_key.encode(), password=None)
    except UNREADABLE:
        return False
    if jwt.signing_method == "RS256":
        return isinstance(key, RSAPrivateKey) and key.key_size >= SMALLEST_RSA
    return isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1)


def _is_public(method: str, text: str) -> bool:
    try:
        key = load_pem_public_key(text.encode())
    except UNREADABLE:
        return False
    if method == "RS256":
        return isinstance(key, RSAPublicKey) and key.key_size >= SMALLEST_RSA
    return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
