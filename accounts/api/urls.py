"""Routes below /api/v1 about people."""

from django.urls import path

from accounts.api.auth import AuthViewSet
from accounts.api.credential import CredentialViewSet
from accounts.api.group import GroupViewSet
from accounts.api.me import MeViewSet, SessionViewSet
from accounts.api.ticket import TicketViewSet

urlpatterns = [
    path("auth/token", AuthViewSet.as_view({"post": "token"})),
    path("auth/refresh", AuthViewSet.as_view({"post": "refresh"})),
    path("auth/revoke", AuthViewSet.as_view({"post": "revoke"})),
    path("auth/providers", AuthViewSet.as_view({"get": "providers"})),
    path("ws/ticket", TicketViewSet.as_view({"post": "create"})),
    path("me", MeViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    path("me/groups", MeViewSet.as_view({"get": "groups"})),
    path("me/preferences", MeViewSet.as_view({"get": "preferences", "put": "replace_preferences"})),
    path("me/sessions/<str:session_id>", SessionViewSet.as_view({"delete": "destroy"})),
    path("me/client_credentials", CredentialViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "me/client_credentials/<str:credential_id>",
        CredentialViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
    ),
    path("groups", GroupViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "groups/<str:group_id>",
        GroupViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("groups/<str:group_id>/members", GroupViewSet.as_view({"get": "members", "post": "add_member"})),
    path(
        "groups/<str:group_id>/members/<str:user_id>",
        GroupViewSet.as_view({"delete": "remove_member"}),
    ),
]
