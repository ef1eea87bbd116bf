"""Below /oauth2: where identity providers send people back to, and where programs begin."""

from django.urls import path

from accounts.views import authorize, oauth

urlpatterns = [
    path("callback", oauth.callback, name="oauth_callback"),
    path("authorize", authorize.authorize, name="oauth_authorize"),
]
