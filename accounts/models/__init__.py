"""People, the groups they belong to, what stands behind a sign-in, and who did what."""

from accounts.models.audit import AuditEntry
from accounts.models.client_credential import ClientCredential
from accounts.models.group import EVERYONE_ID, Group, GroupMember
from accounts.models.kept_answer import KeptAnswer
from accounts.models.one_time_link import OneTimeLink
from accounts.models.refresh_token import RefreshToken
from accounts.models.sign_in_session import SignInSession
from accounts.models.socket_ticket import SocketTicket
from accounts.models.user import LOCAL, User

__all__ = [
    "EVERYONE_ID",
    "LOCAL",
    "AuditEntry",
    "ClientCredential",
    "Group",
    "GroupMember",
    "KeptAnswer",
    "OneTimeLink",
    "RefreshToken",
    "SignInSession",
    "SocketTicket",
    "User",
]
