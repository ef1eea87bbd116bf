"""The keys that sign access tokens or are still accepted; `kid` picks one of them and no other."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tmi.config_schema import Jwt

PublicKey = RSAPublicKey | EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class Key:
    """A key by its name; `verify` is the secret itself or a public key in PEM."""

    kid: str
    verify: str = field(repr=False)


def keys() -> list[Key]:
    """All accepted keys, the one that signs first."""
    configured: Jwt = settings.CONFIG.auth.jwt
    if configured.symmetric:
        return list(_secrets(configured.secret, *configured.previous_secrets))
    return list(_public(configured.private_key, *configured.verification_keys))


def signing_secret() -> str:
    """What signs: the secret, or the private key in PEM."""
    configured: Jwt = settings.CONFIG.auth.jwt
    return configured.secret if configured.symmetric else configured.private_key


def key_set() -> dict[str, list[dict[str, Any]]]:
    """The public keys as a JSON Web Key Set (RFC 7517); none where a shared secret signs."""
    configured: Jwt = settings.CONFIG.auth.jwt
    if configured.symmetric:
        return {"keys": []}
    return {"keys": [_jwk(key, configured.signing_method) for key in keys()]}


def _jwk(key: Key, method: str) -> dict[str, Any]:
    public = _load(key.verify)
    algorithm: Any = RSAAlgorithm if isinstance(public, RSAPublicKey) else ECAlgorithm
    shown: dict[str, Any] = algorithm.to_jwk(public, as_dict=True)
    return {**shown, "kid": key.kid, "use": "sig", "alg": method, "key_ops": ["verify"]}


@lru_cache(maxsize=8)
def _secrets(*secrets: str) -> tuple[Key, ...]:
    names = [hmac.new(secret.encode(), b"kid", hashlib.sha256).hexdigest()[:16] for secret in secrets]
    return tuple(Key(name, secret) for name, secret in zip(names, secrets, strict=True))


@lru_cache(maxsize=8)
def _public(private: str, *others: str) -> tuple[Key, ...]:
    own: Any = serialization.load_pem_private_key(private.encode(), password=None)
    texts = [_pem(own.public_key()), *(_pem(_load(text)) for text in others)]
    return tuple(Key(hashlib.sha256(text.encode()).hexdigest()[:16], text) for text in dict.fromkeys(texts))


def _load(text: str) -> PublicKey:
    found: Any = serialization.load_pem_public_key(text.encode())
    return found


def _pem(key: PublicKey) -> str:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def key_of(token: str) -> Key | None:
    """The key that a token names; the present one where it names none. Raises jwt.PyJWTError."""
    kid = jwt.get_unverified_header(token).get("kid")
    accepted = keys()
    return accepted[0] if kid is None else next((key for key in accepted if key.kid == kid), None)
