"""Pages about editing together."""

from django.urls import path

from collaboration.views import session

urlpatterns = [path("live-sessions", session.live_sessions, name="live_sessions")]
