"""Routes below /api/v1 about people."""

from django.urls import path

from accounts.api.auth import AuthViewSet
from accounts.api.me import MeViewSet

urlpatterns = [
    path("auth/token", AuthViewSet.as_view({"post": "token"})),
    path("auth/refresh", AuthViewSet.as_view({"post": "refresh"})),
    path("auth/revoke", AuthViewSet.as_view({"post": "revoke"})),
    path("auth/providers", AuthViewSet.as_view({"get": "providers"})),
    path("me", MeViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
]
