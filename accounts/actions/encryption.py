"""Everything that is encrypted at rest, under the first of the configured keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import connection, models, transaction

from tmi.lib.crypto import EncryptedField, decrypt, encrypt, is_under_first_key

# What allauth keeps of a second factor, encrypted by our adapter.
FACTOR_SECRETS = ("secret", "seed")


@dataclass
class Rotation:
    """How many values were encrypted anew, were so already, and are under no configured key."""

    renewed: int = 0
    present: int = 0
    lost: int = 0

    def turned(self, token: str) -> str | None:
        """The token under the first key; None where nothing is to be done."""
        if is_under_first_key(token):
            self.present += 1
            return None
        text = decrypt(token)
        if text is None:
            self.lost += 1
            return None
        self.renewed += 1
        return encrypt(text)


def rotate() -> Rotation:
    """Encrypts anew what is under an older key; may run while people work, and any number of times."""
    done = Rotation()
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, EncryptedField):
                _rotate_column(model, field, done)
    for pk in Authenticator.objects.values_list("pk", flat=True):
        _rotate_factor(pk, done)
    return done


def _rotate_column(model: type[models.Model], field: models.Field[Any, Any], done: Rotation) -> None:
    quote = connection.ops.quote_name
    table, column = quote(model._meta.db_table), quote(field.column)
    key = quote(str(model._meta.pk.column)) if model._meta.pk else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL")  # noqa: S608  our names
        rows = cursor.fetchall()
        for pk, token in rows:
            renewed = done.turned(token)
            if renewed is not None:
                # Only what is still there as it was read: a sign-in may have written a newer one.
                cursor.execute(
                    f"UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column} = %s",  # noqa: S608
                    [renewed, pk, token],
                )


@transaction.atomic
def _rotate_factor(pk: int, done: Rotation) -> None:
    held = Authenticator.objects.select_for_update().filter(pk=pk).first()
    if held is None:
        return
    renewed = {name: done.turned(held.data[name]) for name in FACTOR_SECRETS if name in held.data}
    changed = {name: token for name, token in renewed.items() if token is not None}
    if changed:
        held.data |= changed
        held.save(update_fields=["data"])
