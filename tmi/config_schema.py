"""What may be configured: every key with its type and default, without any input or output."""

import base64
import binascii
import ipaddress
import re
import ssl
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PrivateAttr,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

MASK = "********"
SYMMETRIC = ("HS256", "HS384", "HS512")

DEFAULT_PORTS = {"http": ":80", "https": ":443"}

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_PROVIDER_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class ConfigError(Exception):
    """The configuration cannot be used; the text is one line that names the key."""


def wrong(key: str, reason: str) -> PydanticCustomError:
    """An error of a rule over several keys that names the one to change."""
    return PydanticCustomError("rule", "{reason}", {"key": key, "reason": reason})


class Secret:
    """Marks a field whose value is never shown."""


def parse_duration(value: object) -> object:
    """Seconds of "30s", "5m", "1h30m", "250ms"; numbers are seconds already."""
    if not isinstance(value, str):
        return value
    parts = _DURATION.findall(value)
    if not parts or "".join(number + unit for number, unit in parts) != value:
        raise ValueError('must be a duration such as "30s", "5m" or "1h"')
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def format_duration(seconds: float) -> str:
    """The seed's form of a duration: 120.0 -> "120s"."""
    return f"{seconds:g}s"


def no_bool(value: object) -> object:
    """YAML's true is not the number 1."""
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def no_slash(value: str) -> str:
    """An absolute address without its trailing slash, or nothing."""
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment):
        raise ValueError("must be an address that begins with http:// or https://")
    return value.rstrip("/")


def network(value: str) -> str:
    """An IP address or network in CIDR form."""
    ipaddress.ip_network(value, strict=False)
    return value


def fernet_key(value: str) -> str:
    """32 bytes in URL-safe base64, what Fernet takes."""
    try:
        raw = base64.b64decode(value.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeError):
        raw = b""
    if len(raw) != 32:
        raise ValueError("must be 32 bytes in URL-safe base64")
    return value


Whole = Annotated[int, BeforeValidator(no_bool)]
Count = Annotated[Whole, Field(ge=0)]
Positive = Annotated[Whole, Field(gt=0)]
Port = Annotated[Whole, Field(ge=0, le=65535)]
Seconds = Annotated[
    float,
    BeforeValidator(parse_duration),
    BeforeValidator(no_bool),
    Field(gt=0, allow_inf_nan=False),
    PlainSerializer(format_duration),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d))+$"}),
]
SecretText = Annotated[str, Field(repr=False), Secret()]
Name = Annotated[str, Field(min_length=1)]
Url = Annotated[str, AfterValidator(no_slash)]
Network = Annotated[str, AfterValidator(network)]
FernetKey = Annotated[str, AfterValidator(fernet_key)]


class Section(BaseModel):
    """A mapping of the file: unknown keys are refused, an empty section is one without keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_section(cls, value: Any) -> Any:
        return {} if value is None else value


def _check_certificate(cert_file: str, key_file: str) -> None:
    """Raises the error that names the file with which no connection could be made."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_verify_locations(cert_file)
    except OSError:  # of which those of TLS are
        raise wrong("tls_cert_file", "must hold a certificate in PEM") from None
    try:
        # With a password nobody is asked for one.
        context.load_cert_chain(cert_file, key_file, password="")
    except (OSError, ValueError):
        raise wrong("tls_key_file", "must hold the certificate's key, in PEM without a password") from None


class Server(Section):
    """The listening socket and the processes behind it."""

    port: Port = 8080
    interface: str = "0.0.0.0"  # noqa: S104  the contract's default; allowed_hosts decides who is answered
    read_timeout: Seconds = 30
    write_timeout: Seconds = 30
    idle_timeout: Seconds = 120
    shutdown_timeout: Seconds = 10
    housekeeping_interval: Seconds = 3600
    tls_enabled: bool = False
    tls_cert_file: str = ""
    tls_key_file: str = ""
    engine: Literal["daphne", "uvicorn"] = "daphne"
    processes: Positive = 1
    max_body_bytes: Positive = 16 * 1024 * 1024
    allowed_hosts: list[str] = ["localhost", "127.0.0.1", "[::1]"]
    public_url: Url = ""
    trusted_proxies: list[Network] = []
    secret_key: SecretText = ""
    previous_secret_keys: Annotated[list[str], Field(repr=False), Secret()] = []
    # For development: an answer that the OpenAPI document does not describe becomes a 500.
    check_answers: bool = False

    @field_validator("public_url")
    @classmethod
    def _as_browsers_write_it(cls, url: str) -> str:
        """Without the port that its scheme has anyway."""
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        return url and f"{scheme}://{host.removesuffix(DEFAULT_PORTS[scheme])}{slash}{path}"

    @model_validator(mode="after")
    def _tls_is_whole(self) -> "Server":
        for key in ("tls_cert_file", "tls_key_file"):
            if self.tls_enabled and not Path(getattr(self, key)).is_file():
                raise wrong(key, "must name a readable file when server.tls_enabled is true")
        if self.tls_enabled:
            _check_certificate(self.tls_cert_file, self.tls_key_file)
        return self


class Postgres(Section):
    """Where PostgreSQL is; no host means the embedded one."""

    host: str = ""
    port: Port = 5432
    user: str = "postgres"
    password: SecretText = ""
    database: Name = "tmi"
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "disable"
    pool_size: Positive = 10
    # Whether web processes ask as a role that sees the rows of the signed-in person alone.
    row_level_security: bool = False


class Redis(Section):
    """Where Redis or Valkey is; no host means the embedded one."""

    host: str = ""
    port: Port = 6379
    password: SecretText = ""
    db: Count = 0


class Database(Section):
    """The two engines."""

    postgres: Postgres = Postgres()
    redis: Redis = Redis()


class Jwt(Section):
    """Access tokens: a secret for HS*, a private key in PEM for RS256 and ES256."""

    secret: SecretText = ""
    previous_secrets: Annotated[list[str], Field(repr=False), Secret()] = []
    expiration_seconds: Positive = 3600
    signing_method: Literal["HS256", "HS384", "HS512", "RS256", "ES256"] = "HS256"
    private_key: SecretText = ""
    verification_keys: list[str] = []
    issuer: Name = "tmi"
    audience: Name = "tmi"

    @property
    def symmetric(self) -> bool:
        """Whether one secret both signs and checks."""
        return self.signing_method in SYMMETRIC


class Provider(Section):
    """An identity provider; google and github are known, others need their issuer."""

    enabled: bool = True
    name: str = ""
    client_id: str = ""
    client_secret: SecretText = ""
    issuer: Url = ""
    scopes: list[str] = ["openid", "profile", "email"]
    groups_claim: str = "groups"
    # Whether people whom nobody invited get an account by this provider.
    signup: Literal["open", "invite", "closed"] = "open"


class OAuth(Section):
    """Sign-in by other services."""

    callback_url: Url = "http://localhost:8080/oauth2/callback"
    providers: dict[str, Provider] = {"google": Provider(), "github": Provider()}

    @field_validator("providers")
    @classmethod
    def _usable(cls, providers: dict[str, Provider]) -> dict[str, Provider]:
        for name, provider in providers.items():
            if not _PROVIDER_NAME.fullmatch(name):
                raise wrong(name, "is no name: use lower-case letters, digits, - and _")
            if name == "local":
                raise wrong(name, "is the name of accounts with a password here")
            known = name in ("google", "github")
            if provider.enabled and not known and not provider.issuer:
                raise wrong(f"{name}.issuer", "is missing")
            if provider.enabled and not known and not provider.client_id:
                raise wrong(f"{name}.client_id", "is missing")
            if provider.enabled and known and provider.client_id and not provider.client_secret:
                raise wrong(f"{name}.client_secret", "is missing")
        return providers

    @property
    def active(self) -> dict[str, Provider]:
        """The providers that people can sign in with."""
        return {name: p for name, p in self.providers.items() if p.enabled and p.client_id}


class Local(Section):
    """Accounts with a password of their own."""

    signup: Literal["open", "invite", "closed"] = "invite"


class Auth(Section):
    """Who may come in, and how it is proved."""

    jwt: Jwt = Jwt()
    oauth: OAuth = OAuth()
    local: Local = Local()
    encryption_keys: Annotated[list[FernetKey], Field(repr=False), Secret()] = []
    # Whether the admin site is open only to administrators with a second factor.
    admins_need_mfa: bool = True


class Logging(Section):
    """What is written down, where, and for how long."""

    level: Literal["debug", "info", "warn", "error"] = "info"
    is_dev: bool = False
    log_dir: str = ""
    max_age_days: Positive = 30
    max_size_mb: Positive = 100
    max_backups: Positive = 10
    also_log_to_console: bool = True


class RateLimits(Section):
    """Requests in a minute; 0 turns a limit off."""

    per_endpoint_per_minute: Count = 600
    requests_per_minute: Count = 1000
    sign_in_per_minute: Count = 10


class Collaboration(Section):
    """Limits of editing together."""

    message_bytes: Positive = 65536
    operation_cells: Positive = 200
    operations_per_second: Positive = 50
    operations_burst: Positive = 200
    connections_per_user: Positive = 5
    connections_per_diagram: Positive = 500
    ping_seconds: Positive = 20
    silence_seconds: Positive = 45
    inactive_seconds: Positive = 28800
    idle_session_seconds: Positive = 300
    host_grace_seconds: Positive = 30
    slow_presence_bytes: Positive = 1024 * 1024
    slow_close_bytes: Positive = 4 * 1024 * 1024
    session_hours: Positive = 24
    log_retention_days: Count = 0

    @model_validator(mode="after")
    def _silence_is_longer_than_a_ping(self) -> "Collaboration":
        if self.silence_seconds <= self.ping_seconds:
            raise wrong("silence_seconds", "must be more than collaboration.ping_seconds")
        return self


class Retention(Section):
    """How long deleted things can be restored, and how long what nobody uses is kept."""

    deleted_days: Positive = 30
    sessions_days: Positive = 90
    unconfirmed_days: Count = 7
    audit_days: Count = 0

    @field_validator("audit_days")
    @classmethod
    def _young_entries_stay(cls, days: int) -> int:
        if 0 < days <= 30:
            raise ValueError("must be more than 30, or 0")
        return days


class Metrics(Section):
    """Figures for Prometheus at /metrics."""

    allowed_networks: list[Network] = ["127.0.0.0/8", "::1/128"]


class Tracing(Section):
    """Traces for an OpenTelemetry collector; no endpoint means none."""

    endpoint: Url = ""
    service_name: Name = "tmi"
    sample_ratio: Annotated[float, BeforeValidator(no_bool), Field(ge=0, le=1)] = 1.0

    @field_validator("endpoint")
    @classmethod
    def _has_its_packages(cls, endpoint: str) -> str:
        if endpoint and find_spec("opentelemetry") is None:
            raise ValueError('needs the packages of the extra "tracing"')
        return endpoint


class Outgoing(Section):
    """Requests of the server to others: webhooks and identity providers."""

    allowed_networks: list[Network] = []
    # Certificates in PEM that are trusted beside the public ones.
    ca_file: str = ""

    @model_validator(mode="after")
    def _certificates_are_there(self) -> "Outgoing":
        if self.ca_file and not Path(self.ca_file).is_file():
            raise wrong("ca_file", "must name a readable file")
        return self


class Webhooks(Section):
    """Telling other servers of changes."""

    attempts: Positive = 8
    first_retry_seconds: Positive = 30
    disable_after: Positive = 20
    kept_days: Positive = 30


class Imports(Section):
    """Files of other tools."""

    max_bytes: Positive = 20 * 1024 * 1024


class Mail(Section):
    """The SMTP server; no host means no mail."""

    host: str = ""
    port: Port = 587
    user: str = ""
    password: SecretText = ""
    from_: Annotated[str, Field(alias="from")] = ""
    tls: Literal["starttls", "implicit", "none"] = "starttls"

    @model_validator(mode="after")
    def _has_a_sender(self) -> "Mail":
        if self.host and not self.from_:
            raise wrong("from", "is missing, and mail.host is set")
        return self


class Config(Section):
    """The whole configuration; attributes are the file's keys (`mail.from` is `mail.from_`)."""

    server: Server = Server()
    database: Database = Database()
    auth: Auth = Auth()
    logging: Logging = Logging()
    rate_limits: RateLimits = RateLimits()
    collaboration: Collaboration = Collaboration()
    retention: Retention = Retention()
    imports: Imports = Imports()
    metrics: Metrics = Metrics()
    tracing: Tracing = Tracing()
    outgoing: Outgoing = Outgoing()
    webhooks: Webhooks = Webhooks()
    mail: Mail = Mail()

    _data_dir: Path = PrivateAttr(default=Path("var"))

    @property
    def data_dir(self) -> Path:
        """Absolute directory of everything that this instance keeps outside its databases."""
        return self._data_dir

    @property
    def embedded(self) -> bool:
        """Whether PostgreSQL runs as our own child process."""
        return not self.database.postgres.host

    def masked(self) -> dict[str, Any]:
        """The configuration as the file would have it, every secret replaced by a mask."""
        return mask(self)


def mask(section: BaseModel) -> dict[str, Any]:
    """Plain data of a section; a secret that is set shows as MASK, one that is not as itself."""
    shown = section.model_dump(mode="json", by_alias=True)
    for name, field in type(section).model_fields.items():
        key, value = field.alias or name, getattr(section, name)
        if any(isinstance(mark, Secret) for mark in field.metadata):
            shown[key] = [MASK for _ in value] if isinstance(value, list) else value and MASK
        elif isinstance(value, BaseModel):
            shown[key] = mask(value)
        elif isinstance(value, dict):
            shown[key] = {k: mask(v) for k, v in value.items()}
    return shown
