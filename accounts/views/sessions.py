"""What a person's account is opened with, and where it is open."""

from __future__ import annotations

from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.actions.session import end_all_sessions, end_session
from accounts.models import LOCAL, SignInSession, User
from tmi.lib.errors import NotFound


@require_GET
@login_required
def security(request: HttpRequest) -> HttpResponse:
    """The overview, from which one gets to everything else."""
    user = _person(request)
    factors = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    context = {
        "is_local": user.provider == LOCAL and user.has_usable_password(),
        "factors": factors.count(),
        "identities": SocialAccount.objects.filter(user=user).count(),
        "sign_ins": SignInSession.objects.live().filter(user=user).count(),
        "credentials": user.client_credentials.count(),
    }
    return render(request, "accounts/security.html", context)


@require_GET
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    """Where the person is signed in, the latest used first."""
    live = SignInSession.objects.live().filter(user=_person(request))
    listed = live.select_related("credential", "client").order_by("-last_seen", "-pk")
    present = getattr(request, "sign_in_session", None)
    return render(request, "accounts/sessions.html", {"sessions": listed, "present": present})


@require_POST
@login_required
def end(request: HttpRequest, session_id: UUID) -> HttpResponse:
    mine = SignInSession.objects.live().select_related("user").filter(user=_person(request))
    found = mine.filter(pk=session_id).first()
    if found is None:
        raise NotFound
    end_session(found)
    messages.success(request, _("Signed out there."))
    return redirect("sessions")


@require_POST
@login_required
def end_others(request: HttpRequest) -> HttpResponse:
    """Signs out everywhere else."""
    ended = end_all_sessions(_person(request), but=getattr(request, "sign_in_session", None))
    said = ngettext("%(count)d other sign-in has ended.", "%(count)d other sign-ins have ended.", ended)
    messages.success(request, said % {"count": ended})
    return redirect("sessions")


def no_password(request: HttpRequest) -> HttpResponse:
    raise NotFound


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
