"""Prints a new secret or key for the configuration."""

from __future__ import annotations

import base64
import secrets
from argparse import ArgumentParser
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.core.management.base import BaseCommand


def _pem(key: Any) -> str:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return (private + public).decode().strip()


MADE = {
    "secret": lambda: secrets.token_urlsafe(48),
    "encryption": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "rs256": lambda: _pem(rsa.generate_private_key(public_exponent=65537, key_size=3072)),
    "es256": lambda: _pem(ec.generate_private_key(ec.SECP256R1())),
}


class Command(BaseCommand):
    help = "Prints a new secret (HS256), encryption key, or RS256 or ES256 key pair for the configuration."
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=sorted(MADE))

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(MADE[options["kind"]]())
