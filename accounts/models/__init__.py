"""People, the groups they belong to, what stands behind a sign-in, and who did what."""

from accounts.models.audit import AuditEntry
from accounts.models.client_credential import ClientCredential
from accounts.models.group import ANY_PROVIDER, EVERYONE_ID, Group, GroupMember
from accounts.models.kept_answer import KeptAnswer
from accounts.models.oauth_client import AuthorizationCode, OAuthClient
from accounts.models.one_time_link import OneTimeLink
from accounts.models.refresh_token import RefreshToken
from accounts.models.sign_in_session import SignInSession
from accounts.models.sign_up_invitation import SignUpInvitation
from accounts.models.socket_ticket import SocketTicket
from accounts.models.user import LOCAL, User

__all__ = [
    "ANY_PROVIDER",
    "EVERYONE_ID",
    "LOCAL",
    "AuditEntry",
    "AuthorizationCode",
    "ClientCredential",
    "Group",
    "GroupMember",
    "KeptAnswer",
    "OAuthClient",
    "OneTimeLink",
    "RefreshToken",
    "SignInSession",
    "SignUpInvitation",
    "SocketTicket",
    "User",
]
