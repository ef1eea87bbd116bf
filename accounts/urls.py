"""Pages about accounts, beside allauth's."""

from django.urls import path

from accounts.views import credentials, emails, invitation, links, oauth, preferences, sessions

urlpatterns = [
    path("email/", emails.Emails.as_view(), name="account_email"),
    path("preferences/", preferences.preferences, name="preferences"),
    path("sign-in-with/<str:name>/", oauth.leave, name="leave_for_provider"),
    path("security/", sessions.security, name="security"),
    path("sessions/", sessions.sessions, name="sessions"),
    path("sessions/<uuid:session_id>/end/", sessions.end, name="end_session"),
    path("sessions/end-others/", sessions.end_others, name="end_other_sessions"),
    path("credentials/", credentials.credentials, name="credentials"),
    path("credentials/<uuid:credential_id>/delete/", credentials.delete, name="delete_credential"),
    path("invitation/<str:secret>/", invitation.sign_up, name="invitation"),
    # Whoever comes by a provider has no password here, and gets none.
    path("password/set/", sessions.no_password),
    path("first-admin/<str:secret>/", links.first_admin, name="first_admin"),
    path("demo/<str:secret>/", links.demo, name="demo"),
]
