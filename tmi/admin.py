"""The admin site of this project."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.utils.translation import gettext_lazy as _


class Site(admin.AdminSite):
    """Signs in where everybody does."""

    site_header = _("TMI administration")
    site_title = _("TMI administration")
    index_title = _("Administration")


class AdminConfig(DjangoAdminConfig):
    default_site = "tmi.admin.Site"
