"""Native and single-page programs that people let in, and the codes with which they come in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.sign_in_session import SignInSession
from accounts.models.user import User
from tmi.lib.fields import LineField
from tmi.lib.models import ChangingRow, Row
from tmi.lib.text import NotBlank
from tmi.lib.uris import RedirectUri


class OAuthClient(ChangingRow):
    """A program without a secret of its own: what keeps it honest are its registered addresses and PKCE."""

    client_id = LineField(max_length=100, unique=True, editable=False)
    name = LineField(_("name"), max_length=200, validators=[NotBlank()])
    redirect_uris = ArrayField(
        LineField(max_length=1000, validators=[RedirectUri()]),
        verbose_name=_("redirect addresses"),
        help_text=_("One a line: https, http on 127.0.0.1, or a scheme such as com.example.app."),
    )
    is_active = models.BooleanField(_("active"), default=True, db_default=True)

    class Meta:
        db_table = "oauth_clients"
        verbose_name = _("native client")
        verbose_name_plural = _("native clients")

    def __str__(self) -> str:
        return self.name


class AuthorizationCode(Row):
    """A code that a person gave a program in the sign-in `session`; `code_hash` is its SHA-256."""

    client = models.ForeignKey(OAuthClient, models.CASCADE, related_name="+")
    session = models.ForeignKey(SignInSession, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_column="user_internal_uuid")
    code_hash = models.TextField(unique=True)
    redirect_uri = models.TextField()
    code_challenge = models.TextField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    # The sign-in that the code was exchanged for: it ends when the code comes back.
    made = models.ForeignKey(SignInSession, models.CASCADE, related_name="+", null=True)

    class Meta:
        db_table = "authorization_codes"
        verbose_name = _("authorization code")
        verbose_name_plural = _("authorization codes")
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["expires_at"], name="authorization_codes_expiry_idx")
        ]

    def __str__(self) -> str:
        return str(self.id)
