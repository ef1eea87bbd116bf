"""Tickets with which a program opens one WebSocket."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.sign_in_session import SignInSession
from tmi.lib.models import Row


class SocketTicket(Row):
    """A ticket that was not spent yet: spending deletes the row. `ticket` is its SHA-256, in hexadecimal."""

    session = models.ForeignKey(SignInSession, models.CASCADE, related_name="+")
    ticket = models.TextField(unique=True)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "socket_tickets"
        verbose_name = _("WebSocket ticket")
        verbose_name_plural = _("WebSocket tickets")
        indexes = [models.Index(fields=["expires_at"], name="socket_tickets_expires_idx")]

    def __str__(self) -> str:
        return str(self.id)
