"""The whole site map."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from accounts.views.key_set import key_set
from tmi.api.docs import api_docs
from tmi.api.registry import OpenApiViewSet, SchemaViewSet
from tmi.api.version_list import VersionViewSet
from tmi.api.views import UnknownPath
from tmi.health import alive, ready
from tmi.icon import icon
from tmi.metrics import show as metrics

api_v1: list[URLPattern | URLResolver] = [
    # Before the route that it adds to: the sign-ins of a person and the sessions that they can join.
    path("", include("collaboration.api.urls")),
    path("", include("accounts.api.urls")),
    path("", include("threatmodels.api.urls")),
    path("schemas", SchemaViewSet.as_view({"get": "list"})),
    path("schemas/<str:name>", SchemaViewSet.as_view({"get": "retrieve"})),
    path("openapi.json", OpenApiViewSet.as_view({"get": "retrieve"}), name="openapi"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", alive),
    path("readyz", ready),
    path("favicon.ico", icon),
    path(".well-known/jwks.json", key_set, name="key_set"),
    path("metrics", metrics),
    path("api/v1/", include((api_v1, "api_v1"))),
    path("api/versions", VersionViewSet.as_view({"get": "list"})),
    path("api/docs", api_docs, name="api_docs"),
    re_path(r"^api/", UnknownPath.as_view()),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("threatmodels.account_urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/identities/", include("allauth.socialaccount.urls")),
    path("accounts/mfa/", include("allauth.mfa.urls")),
    path("oauth2/", include("accounts.oauth_urls")),
    path("admin/", admin.site.urls),
    path("", include("collaboration.urls")),
    path("", include("threatmodels.urls")),
]

handler400 = "tmi.errors.bad_request"
handler403 = "tmi.errors.permission_denied"
handler404 = "tmi.errors.not_found"
handler500 = "tmi.errors.server_error"
handler429 = "tmi.errors.too_many"  # allauth asks for it
