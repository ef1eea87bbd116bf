"""Django's settings, all of them derived from the configuration."""

from __future__ import annotations

import sys
from datetime import timedelta

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from tmi.api.versions import VERSIONS
from tmi.config import BASE_DIR, load
from tmi.engines import endpoints
from tmi.generics import allow_generics
from tmi.logs import logging_config

allow_generics()

CONFIG = load()
if not CONFIG.tracing.endpoint:
    # The client of Redis loads this wherever it is installed, which takes longer than the client itself.
    sys.modules.setdefault("opentelemetry.metrics", None)  # type: ignore[arg-type]  # Python's own way to say no
_ENDPOINTS = endpoints(CONFIG)

SECRET_KEY = CONFIG.server.secret_key
SECRET_KEY_FALLBACKS = CONFIG.server.previous_secret_keys
DEBUG = False
ALLOWED_HOSTS = CONFIG.server.allowed_hosts
PUBLIC_URL = CONFIG.server.public_url
ENCRYPTION_KEYS = CONFIG.auth.encryption_keys

INSTALLED_APPS = [
    "daphne",
    "tmi.admin.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "csp",
    "tmi",
    "accounts",
    "threatmodels",
    "collaboration",
]

MIDDLEWARE = [
    "tmi.middleware.RequestContext",
    "tmi.middleware.CompressedPages",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tmi.middleware.PrivateAnswers",
    "tmi.middleware.Probes",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "accounts.program_origins.ProgramOrigins",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.LiveSession",
    "accounts.middleware.SlowedSignIn",
    "tmi.middleware.Refusals",
    "django_htmx.middleware.HtmxMiddleware",
]

if CONFIG.tracing.endpoint:
    MIDDLEWARE.insert(0, "tmi.middleware.Traces")
if CONFIG.server.check_answers:
    MIDDLEWARE.insert(
        MIDDLEWARE.index("tmi.middleware.RequestContext") + 1, "tmi.api.conformance.CheckAnswers"
    )

ROOT_URLCONF = "tmi.urls"
ASGI_APPLICATION = "tmi.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tmi.context_processors.site",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# -- database, cache, channel layer

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **_ENDPOINTS.postgres,
        "CONN_HEALTH_CHECKS": False,
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": _ENDPOINTS.redis_url}
}
REDIS_URL = _ENDPOINTS.redis_url
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [_ENDPOINTS.redis_url]},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- people

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backend.LocalPasswords"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"

_JWT = CONFIG.auth.jwt
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=_JWT.expiration_seconds),
    "ALGORITHM": _JWT.signing_method,
    "SIGNING_KEY": _JWT.secret if _JWT.symmetric else _JWT.private_key,
    "VERIFYING_KEY": "" if _JWT.symmetric else next(iter(_JWT.verification_keys), ""),
    "AUDIENCE": _JWT.audience,
    "ISSUER": _JWT.issuer,
    "USER_ID_CLAIM": "sub",
    "LEEWAY": 0,
}

ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "signup": "accounts.forms.SignUpForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
}
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if CONFIG.mail.host else "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
# A second address, another password or factor: whoever is signed in proves it once more.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = bool(CONFIG.mail.host)
# Who owns an address is not told to whoever asks for a new password for it.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
# allauth's own limits of its pages, beside the sign-in throttle; switched off together with it.
ACCOUNT_RATE_LIMITS: dict[str, str] | bool = (
    {"login_failed": ""} if CONFIG.rate_limits.sign_in_per_minute else False
)

SOCIALACCOUNT_ADAPTER = "accounts.social.SocialAdapter"
SOCIALACCOUNT_AUTO_SIGNUP = True
SOCIALACCOUNT_EMAIL_REQUIRED = False
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_QUERY_EMAIL = True
# The tokens of providers are kept encrypted, with the person.
SOCIALACCOUNT_STORE_TOKENS = False

MFA_ADAPTER = "accounts.mfa.MfaAdapter"
MFA_FORMS = {
    "authenticate": "accounts.forms.CodeForm",
    "reauthenticate": "accounts.forms.CodeAgainForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "TMI"
# One step to either side: clocks of telephones differ.
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_USER_VERIFICATION = "required"
# Browsers offer passkeys without TLS on localhost alone.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not (
    CONFIG.server.tls_enabled or CONFIG.server.public_url.startswith("https://")
)
MFA_ALLOW_UNVERIFIED_EMAIL = not CONFIG.mail.host
MFA_RATE_LIMITS: dict[str, str] | bool = {} if CONFIG.rate_limits.sign_in_per_minute else False

EMAIL_BACKEND = (
    "tmi.lib.mail.EmailBackend" if CONFIG.mail.host else "django.core.mail.backends.dummy.EmailBackend"
)
EMAIL_TIMEOUT = 10
EMAIL_HOST = CONFIG.mail.host
EMAIL_PORT = CONFIG.mail.port
EMAIL_HOST_USER = CONFIG.mail.user
EMAIL_HOST_PASSWORD = CONFIG.mail.password
EMAIL_USE_TLS = CONFIG.mail.tls == "starttls"
EMAIL_USE_SSL = CONFIG.mail.tls == "implicit"
DEFAULT_FROM_EMAIL = CONFIG.mail.from_ or "tmi@localhost"

# -- cookies and headers

_SECURE = CONFIG.server.tls_enabled or PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 30 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SECURE = _SECURE
LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "tmi.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "base-uri": [NONE],
        "form-action": [SELF],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = CONFIG.server.max_body_bytes
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# -- language and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
FORMAT_MODULE_PATH = ["tmi.formats"]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = "UTC"

# -- static files: ours, and what npm installed, none of it through a bundler

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static_root"
NODE_MODULES = BASE_DIR / "node_modules"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    *(
        (f"vendor/{name}", NODE_MODULES / path)
        for name, path in {
            "bootstrap/css": "bootstrap/dist/css",
            "htmx": "htmx.org/dist",
            "dagre": "@dagrejs/dagre/dist",
            "x6": "@antv/x6/dist",
            "arimo/regular": "@expo-google-fonts/arimo/400Regular",
            "arimo/bold": "@expo-google-fonts/arimo/700Bold",
        }.items()
        if (NODE_MODULES / path).is_dir()
    ),
]
# With collected files their names carry a hash and never change; without them they are served as they are.
_COLLECTED = (STATIC_ROOT / "staticfiles.json").is_file() or sys.argv[1:2] == ["collectstatic"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "tmi.static.HashedStaticFiles"
        if _COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not _COLLECTED
WHITENOISE_AUTOREFRESH = not _COLLECTED
MEDIA_ROOT = CONFIG.data_dir / "media"

# -- REST

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.BearerOrSession"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["tmi.api.render.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "tmi.api.render.Negotiation",
    "DEFAULT_PARSER_CLASSES": ["tmi.api.parse.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "tmi.api.schema.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": None,
    # OPTIONS is a method like others that an address may not take.
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "tmi.api.errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "TMI",
    "DESCRIPTION": "Collaborative threat modelling: threat models, diagrams, threats, assets, reports.",
    "VERSION": VERSIONS[-1].number,
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "OAS_VERSION": "3.1.1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "RoleEnum": "threatmodels.choices.RoleName.choices",
        "StatusEnum": ["current", "deprecated"],
        "WebhookStatusEnum": "threatmodels.choices.WebhookStatus.choices",
        "WebhookSwitchEnum": "threatmodels.choices.SWITCHES",
        "DeliveryStatusEnum": "threatmodels.choices.DeliveryStatus.choices",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "threatmodels.api.schema.add_components",
        "tmi.api.schema.wrap_answers",
    ],
}

LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_config(CONFIG)

SILENCED_SYSTEM_CHECKS = [
    # The address is unique among local accounts alone: two providers may know one address.
    "auth.W004",
]
