"""Everything that is removed when its time is past, on whatever node, by one process at a time."""

from __future__ import annotations

import logging

from django.conf import settings

from accounts.actions.housekeeping import forget_expired, forget_old_audit_entries, forget_unconfirmed
from collaboration.actions.housekeeping import forget_sessions
from threatmodels.actions.housekeeping import drop_old_operations, purge_deleted
from threatmodels.delivering import forget_old as forget_deliveries
from tmi.logs import forget_old_files

logger = logging.getLogger(__name__)


def run() -> dict[str, int]:
    """Removes it; how many of each kind. Raises ElsewhereError; what was done until then stays."""
    removed = {
        # First: they are of this machine, whoever does the rest.
        "log files": forget_old_files(settings.CONFIG.logging),
        **purge_deleted(),
        "operations": drop_old_operations(),
        **forget_sessions(),
        **forget_expired(),
        "unconfirmed accounts": forget_unconfirmed(),
        "webhook deliveries": forget_deliveries(),
        "audit entries": forget_old_audit_entries(),
    }
    found = {kind: number for kind, number in removed.items() if number}
    if found:
        logger.info("housekeeping removed %s", ", ".join(f"{n} {kind}" for kind, n in found.items()))
    return removed
