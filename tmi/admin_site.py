"""The admin site of this project."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import mfa
from tmi.lib import rows

# Lists that would be called the same.
NAMES = {
    "SignUpInvitation": _("Invitations to sign up"),
    "AccessInvitation": _("Invitations to threat models"),
}


class Site(admin.AdminSite):
    """Signs in where everybody does, and is open to administrators with a second factor."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Who may be here sees the rows of everybody."""
        allowed = super().has_permission(request) and mfa.may_administer(request.user)
        if allowed:
            rows.become(rows.EVERYTHING)
        return allowed

    def login(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """Never a form of its own, which would ask for no second factor and count no failures."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next", "/admin/"))
        if self.has_permission(request):
            return redirect("admin:index")
        if super().has_permission(request):
            messages.warning(request, gettext("The administration is open to accounts with a second factor."))
            return redirect("mfa_index")
        raise PermissionDenied

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        found: list[Any] = super().get_app_list(request, app_label)
        for listed in (model for app in found for model in app["models"]):
            listed["name"] = NAMES.get(listed["object_name"], listed["name"])
        return found

    site_header = _("TMI administration")
    site_title = _("TMI administration")
    index_title = _("Administration")
