"""Who may do what at every address: one row for each, and a route without a row fails the suite.

A row is (methods, address, level). `{}` stands for any parameter of a route, KIND for the plural of any
part. The levels say who is let in; see `Level`.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

KIND = "(?:threats|assets|documents|notes|repositories|diagrams)"


class Level(Enum):
    """What a person needs; the number is the rank of the role on the threat model in the address."""

    OPEN = "anybody, signed in or not"
    SIGNED_IN = "anybody who is signed in"
    ADMIN = "administrators; others see the group but may not change it"
    MINE = "the person whom it belongs to; it does not exist for others"
    READ = 1
    WRITE = 2
    OWN = 3
    HOST = "the host of the session, and owners"
    RESTORE = "owners, and only while the model is deleted"
    RESTORE_PART = "writers, and only while the part is deleted"
    MANAGE = "owners of the webhook's model; it does not exist for others"


class Row(NamedTuple):
    methods: str
    address: str
    level: Level


M = "threat_models/{}"
D = f"{M}/diagrams/{{}}"
API = [
    Row("POST", "auth/(?:token|refresh|revoke)", Level.OPEN),
    Row("GET", "auth/providers", Level.OPEN),
    Row("GET", "openapi.json", Level.OPEN),
    Row("GET", "asyncapi.json", Level.OPEN),
    Row("GET", "schemas(?:/{})?", Level.OPEN),
    Row("POST", "ws/ticket", Level.SIGNED_IN),
    Row("GET PATCH", "me", Level.SIGNED_IN),
    Row("GET", "me/(?:groups|sessions)", Level.SIGNED_IN),
    Row("GET PUT", "me/preferences", Level.SIGNED_IN),
    Row("GET POST", "me/client_credentials", Level.SIGNED_IN),
    Row("DELETE", "me/sessions/{}", Level.MINE),
    Row("GET DELETE", "me/client_credentials/{}", Level.MINE),
    Row("GET", "users", Level.SIGNED_IN),
    Row("GET", "groups", Level.SIGNED_IN),
    Row("POST", "groups", Level.ADMIN),
    Row("PATCH DELETE", "groups/{}", Level.ADMIN),
    Row("POST", "groups/{}/members", Level.ADMIN),
    Row("DELETE", "groups/{}/members/{}", Level.ADMIN),
    Row("GET", "groups/{}(?:/members)?", Level.SIGNED_IN),
    Row("GET POST", "threat_models", Level.SIGNED_IN),
    Row("POST", "import", Level.SIGNED_IN),
    Row("GET POST", "webhooks", Level.SIGNED_IN),
    Row("GET PATCH DELETE", "webhooks/{}", Level.MANAGE),
    Row("GET", "webhooks/{}/deliveries", Level.MANAGE),
    Row("POST", "webhooks/{}/test", Level.MANAGE),
    Row("POST", "webhooks/{}/deliveries/{}/redeliver", Level.MANAGE),
    Row("GET", M, Level.READ),
    Row("PUT PATCH", M, Level.WRITE),
    Row("DELETE", M, Level.OWN),
    Row("POST", f"{M}/restore", Level.RESTORE),
    Row("POST", f"{M}/duplicate", Level.READ),
    Row("GET", f"{M}/(?:report|export|history|access)", Level.READ),
    Row("POST", f"{M}/import", Level.WRITE),
    Row("POST", f"{M}/history/{{}}/revert", Level.WRITE),
    Row("POST PUT", f"{M}/access", Level.OWN),
    Row("PATCH DELETE", f"{M}/access/{{}}", Level.OWN),
    Row("GET", f"{M}/{KIND}", Level.READ),
    Row("POST", f"{M}/{KIND}", Level.WRITE),
    Row("POST PUT PATCH DELETE", f"{M}/{KIND}/bulk", Level.WRITE),
    Row("GET", f"{M}/{KIND}/{{}}", Level.READ),
    Row("PUT PATCH DELETE", f"{M}/{KIND}/{{}}", Level.WRITE),
    Row("POST", f"{M}/{KIND}/{{}}/restore", Level.RESTORE_PART),
    *(
        Row(methods, f"{M}(?:/{KIND}/{{}}(?:/cells/{{}})?)?/metadata{rest}", level)
        for methods, rest, level in (
            ("GET", "(?:/{})?", Level.READ),
            ("POST", "", Level.WRITE),
            ("PUT DELETE", "/{}", Level.WRITE),
            ("POST PUT PATCH DELETE", "/bulk", Level.WRITE),
        )
    ),
    Row("GET", f"{D}/(?:svg|png|model|cells|coverage|operations|collaborate)", Level.READ),
    Row("GET", f"{D}/cells/{{}}", Level.READ),
    Row("PUT PATCH DELETE", f"{D}/cells/{{}}", Level.WRITE),
    Row("POST", f"{D}/operations/{{}}/revert", Level.WRITE),
    Row("POST", f"{D}/collaborate", Level.READ),
    Row("DELETE", f"{D}/collaborate", Level.HOST),
    Row("GET", f"{D}/suggestions(?:/decisions)?", Level.READ),
    Row("POST", f"{D}/suggestions", Level.READ),
    Row("POST", f"{D}/suggestions/(?:accept|dismiss)", Level.WRITE),
    Row("DELETE", f"{D}/suggestions/decisions/{{}}", Level.WRITE),
]

P = "threat-models/{}"
PAGES = [
    Row("GET POST", "healthz|readyz|metrics|api/docs|favicon.ico", Level.OPEN),
    Row("GET", "api/versions|\\.well-known/.*", Level.OPEN),
    Row("GET", "", Level.SIGNED_IN),
    Row("GET", "live-sessions", Level.SIGNED_IN),
    # The words of the scripts, which pages before the sign-in have too.
    Row("GET", "catalogue.js", Level.OPEN),
    Row("GET", "tools/(?:cwe|people|token)", Level.SIGNED_IN),
    Row("POST", "tools/markdown", Level.SIGNED_IN),
    Row("GET POST", "threat-models/(?:new|import)", Level.SIGNED_IN),
    Row("GET", "threat-models/(?:deleted|templates/{}.svg)", Level.SIGNED_IN),
    Row("POST", "threat-models/start/{}", Level.SIGNED_IN),
    Row("GET POST", "webhooks", Level.SIGNED_IN),
    Row("GET", "webhooks/{}", Level.MANAGE),
    Row("POST", "webhooks/{}/(?:change|switch|secret|test|delete)", Level.MANAGE),
    Row("POST", "webhooks/{}/deliveries/{}/redeliver", Level.MANAGE),
    Row("GET", P, Level.READ),
    Row("GET POST", f"{P}/edit", Level.WRITE),
    Row("POST", f"{P}(?:/{KIND}/{{}})?/(?:field|metadata)", Level.WRITE),
    Row("GET POST", f"{P}/delete", Level.OWN),
    Row("POST", f"{P}/restore", Level.RESTORE),
    Row("GET POST", f"{P}/import", Level.WRITE),
    Row("GET", f"{P}/(?:export|history|report|suggestions)", Level.READ),
    Row("GET", f"{P}/report/{{}}", Level.READ),
    Row("GET", f"{P}/deleted", Level.WRITE),
    Row("GET POST", f"{P}/webhooks", Level.OWN),
    Row("GET", f"{P}/sharing", Level.READ),
    Row("POST", f"{P}/sharing(?:/everyone|/transfer|/{{}}|/{{}}/remove)?", Level.OWN),
    Row("POST", f"{P}/history/{{}}/revert", Level.WRITE),
    Row("POST", f"{P}/threats/bulk", Level.WRITE),
    Row("GET POST", f"{P}/{KIND}/new", Level.WRITE),
    Row("GET", f"{P}/{KIND}/{{}}", Level.READ),
    Row("GET POST", f"{P}/{KIND}/{{}}/(?:edit|delete)", Level.WRITE),
    Row("POST", f"{P}/{KIND}/{{}}/restore", Level.RESTORE_PART),
    Row("GET", f"{P}/diagrams/{{}}/(?:details|picture.svg|timeline|suggestions)", Level.READ),
    Row("POST", f"{P}/diagrams/{{}}/suggestions", Level.WRITE),
    Row("POST", f"{P}/diagrams/{{}}/timeline/restore", Level.WRITE),
]
# Pages of accounts: their rules are tried by the tests of accounts; here, who gets in at all.
ACCOUNTS = [
    Row(
        "GET",
        "accounts/(?:login|signup|inactive|confirm-email|password/reset|password/reset/done)/",
        Level.OPEN,
    ),
    Row("GET", "accounts/password/reset/key(?:/done|/.*)/", Level.OPEN),
    Row("GET", "accounts/(?:login/code/confirm|logout|confirm-email/.*)/", Level.OPEN),
    Row("GET", "accounts/(?:first-admin|demo|sign-in-with|invitation)/{}/", Level.OPEN),
    Row("GET", "accounts/identities/(?:login/cancelled|login/error|signup)/", Level.OPEN),
    Row("GET", "accounts/mfa/(?:authenticate|webauthn/login)/", Level.OPEN),
    Row("GET", "oauth2/.*", Level.OPEN),
    Row("GET", "accounts/.*", Level.SIGNED_IN),
]


def level_of(rows: list[Row], method: str, address: str) -> list[Level]:
    """The levels of the rows that speak of an address; parameters of the route are written {}."""
    return [row.level for row in rows if method in row.methods.split() and _matches(row, address)]


def _matches(row: Row, address: str) -> bool:
    return re.fullmatch(row.address.replace("{}", "\\{\\}"), address) is not None
