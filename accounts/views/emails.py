"""The addresses of a local account: allauth's page, but for an address that somebody else has by now."""

from __future__ import annotations

from typing import Any

from allauth.account.views import EmailView
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _


class Emails(EmailView):  # type: ignore[misc]  # untyped package
    def _action_primary(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """Two people may have added one address; the database lets one account have it."""
        try:
            with transaction.atomic():
                answer: HttpResponse | None = super()._action_primary(request, *args, **kwargs)
        except IntegrityError:
            messages.error(request, _("Another account here has this address."))
            return redirect("account_email")
        return answer
