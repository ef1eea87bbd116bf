"""Collects the words to translate."""

from __future__ import annotations

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    """Django's own, which also knows how our scripts ask for their words: `say` and `sayMany`."""

    xgettext_options = [
        *makemessages.Command.xgettext_options,
        "--keyword=say",
        "--keyword=sayMany:1,2",
    ]
