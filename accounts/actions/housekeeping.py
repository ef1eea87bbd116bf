"""Forgetting what is past its time: sign-ins, tokens, tickets, kept answers, invitations, audit entries."""

from __future__ import annotations

from datetime import timedelta

from allauth.account import app_settings
from allauth.account.models import EmailAddress, EmailConfirmation
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Exists, ForeignObjectRel, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.actions.links import FIRST_ADMIN, needs_first_admin
from accounts.models import (
    AuditEntry,
    AuthorizationCode,
    KeptAnswer,
    OneTimeLink,
    RefreshToken,
    SignInSession,
    SignUpInvitation,
    SocketTicket,
    User,
)
from accounts.models.kept_answer import KEPT_FOR
from tmi.lib import sweep

# A sign-in that has ended is still told apart from one that never was, for whoever asks why.
ENDED_FOR = timedelta(days=1)
# An invitation that nobody accepted can be seen a while.
INVITED_FOR = timedelta(days=30)


def forget_expired() -> dict[str, int]:
    """Removes what can open no door any more; how many of each kind."""
    now = timezone.now()
    over = Q(expires_at__lt=now - ENDED_FOR) | Q(ended_at__lt=now - ENDED_FOR)
    stale = Q(expires_at__lt=now - INVITED_FOR) | Q(used_at__lt=now - INVITED_FOR)
    mailed = now - timedelta(days=app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS)
    return {
        "sign-in sessions": sweep.in_batches(sweep.rows(SignInSession.objects.filter(over))),
        "refresh tokens": sweep.in_batches(sweep.rows(RefreshToken.objects.filter(expires_at__lt=now))),
        "browser sessions": sweep.in_batches(sweep.rows(Session.objects.filter(expire_date__lt=now))),
        "tickets": sweep.in_batches(sweep.rows(SocketTicket.objects.filter(expires_at__lt=now))),
        # A code that comes back ends the sign-in that it was exchanged for: it is known a while.
        "authorization codes": sweep.in_batches(
            sweep.rows(AuthorizationCode.objects.filter(expires_at__lt=now - ENDED_FOR))
        ),
        "kept answers": sweep.in_batches(
            sweep.rows(KeptAnswer.objects.filter(created_at__lt=now - KEPT_FOR))
        ),
        "invitations": sweep.in_batches(sweep.rows(SignUpInvitation.objects.filter(stale))),
        "one-time links": 0
        if needs_first_admin()
        else sweep.in_batches(sweep.rows(OneTimeLink.objects.filter(purpose=FIRST_ADMIN))),
        "mailed links": sweep.in_batches(sweep.rows(EmailConfirmation.objects.filter(created__lt=mailed))),
    }


def forget_unconfirmed() -> int:
    """Removes accounts that somebody signed up for and never opened; their addresses are free again."""
    days = settings.CONFIG.retention.unconfirmed_days
    if not days:
        return 0
    found = _never_opened().filter(created_at__lt=timezone.now() - timedelta(days=days))

    def remove(limit: int) -> int:
        # Whoever proves the address at this moment holds the row.
        held = found.select_for_update(skip_locked=True).order_by().values_list("pk", flat=True)
        ids = list(held[:limit])
        EmailAddress.objects.filter(user__in=ids).delete()
        sweep.delete(User, ids)
        return len(ids)

    return sweep.in_batches(remove)


def _never_opened() -> QuerySet[User]:
    """Those that people made themselves, with an address that is not proved, and that nothing else refers to.

    An account that somebody else made begins with an audit entry, and with an address that counts as proved.
    """
    mine = EmailAddress.objects.filter(user=OuterRef("pk"))
    made = AuditEntry.objects.filter(entity_type="user", entity_id=OuterRef("pk"), action="create")
    found = User.objects.local().filter(email_verified=False, is_admin=False, last_login=None)
    found = found.filter(
        Exists(mine.filter(verified=False)), ~Exists(mine.filter(verified=True)), ~Exists(made)
    )
    for relation in User._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel) and relation.related_model is not EmailAddress:
            model: type[Model] = relation.field.model
            others = model._base_manager.filter(**{relation.field.name: OuterRef("pk")})
            found = found.filter(~Exists(others))
    return found


def forget_old_audit_entries() -> int:
    """Removes audit entries past their retention; none where that is 0."""
    days = settings.CONFIG.retention.audit_days
    if not days:
        return 0
    old = sweep.rows(AuditEntry.objects.filter(created_at__lt=timezone.now() - timedelta(days=days)))

    def remove(limit: int) -> int:
        # The table is append-only but for this word, and for young entries even then.
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('tmi.retention', 'on', true)")
            removed = old(limit)
            cursor.execute("SELECT set_config('tmi.retention', '', true)")
        return removed

    return sweep.in_batches(remove)
