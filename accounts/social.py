"""Sign-in by other services: providers by configuration, one callback address, PKCE always.

A person of a provider is a row of their own, found by what the provider calls the person and never by an
email address: an address that another provider claims opens nothing.
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.github.provider import GitHubProvider
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.actions import identity
from accounts.actions.invitation import is_invited
from accounts.models import User
from tmi.config_schema import Provider
from tmi.errors import refused
from tmi.lib import outgoing
from tmi.lib.errors import Conflict, DomainError
from tmi.lib.text import strip_controls

logger = logging.getLogger(__name__)

GOOGLE = "https://accounts.google.com"
GITHUB = "https://github.com"
TITLES = {"google": "Google", "github": "GitHub"}

Claims = dict[str, Any]


def title(name: str, provider: Provider) -> str:
    """What people read of a provider."""
    return provider.name or TITLES.get(name, name)


def callback_url() -> str:
    return str(settings.CONFIG.auth.oauth.callback_url)


class OpenIdAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # untyped package
    """What OpenID Connect demands beyond what allauth checks: issuer, signature and subject."""

    @cached_property
    def openid_config(self) -> Claims:
        server = self.get_provider()
        with outgoing.Session() as session:
            answer = session.get(server.server_url)
            answer.raise_for_status()
            found: Claims = answer.json()
        if str(found["issuer"]).rstrip("/") != server.app.settings["server_url"]:
            raise OAuth2Error("The provider names another issuer.")
        return found

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return callback_url()

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> SocialLogin:
        # Signed by a key that the provider publishes, whichever way the token came.
        self.did_fetch_access_token = False
        claims: Claims = self._decode_id_token(app, kwargs["response"]["id_token"])
        if not isinstance(claims["sub"], str) or not identity.is_one_line(claims["sub"]):
            raise OAuth2Error("The provider calls the person by no name.")
        if "userinfo_endpoint" in self.openid_config:
            told = self._fetch_user_info(token.token)
            if told["sub"] != claims["sub"]:
                raise OAuth2Error("The provider tells of another person.")
            claims |= told
        login = self.get_provider().sociallogin_from_response(request, claims)
        login.groups = claims.get(app.settings["groups_claim"])
        return login


class OpenIdProvider(OpenIDConnectProvider):  # type: ignore[misc]  # untyped package
    oauth2_adapter_class = OpenIdAdapter

    def get_pkce_params(self) -> dict[str, str]:
        return pkce(super().get_pkce_params)

    def extract_extra_data(self, data: Claims) -> Claims:
        return kept(self.extract_common_fields(data))


class GitHubAdapter(GitHubOAuth2Adapter):  # type: ignore[misc]  # untyped package
    """GitHub, or the server of an enterprise that the configuration names as issuer."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        web = settings.CONFIG.auth.oauth.providers["github"].issuer or GITHUB
        rest = "https://api.github.com" if web == GITHUB else f"{web}/api/v3"
        self.access_token_url = f"{web}/login/oauth/access_token"
        self.authorize_url = f"{web}/login/oauth/authorize"
        self.profile_url, self.emails_url = f"{rest}/user", f"{rest}/user/emails"
        self.headers = {"Accept": "application/json"}

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return callback_url()


class GitHub(GitHubProvider):  # type: ignore[misc]  # untyped package
    oauth2_adapter_class = GitHubAdapter

    def get_default_scope(self) -> list[str]:
        return ["read:user", "user:email"]

    def get_pkce_params(self) -> dict[str, str]:
        return pkce(super().get_pkce_params)

    def extract_extra_data(self, data: Claims) -> Claims:
        return kept(self.extract_common_fields(data))


def pkce(made: Any) -> dict[str, str]:
    params: dict[str, str] = made()
    assert "code_challenge" in params, "PKCE is never left out"
    return params


def kept(fields: Claims) -> Claims:
    """Of what a provider tells only what the person is shown."""
    told = {name: str(fields[name]) for name in ("name", "email") if fields.get(name)}
    return {name: strip_controls(text, multiline=False)[:254] for name, text in told.items()}


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # untyped package
    """What allauth asks about people of other services."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        active = settings.CONFIG.auth.oauth.active
        return [_app(name, one) for name, one in active.items() if provider in (None, name)]

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        app = self.get_app(request, provider)
        return (GitHub if app.provider == "github" else OpenIdProvider)(request, app=app)

    def list_providers(self, request: HttpRequest) -> list[Any]:
        return [self.get_provider(request, name) for name in settings.CONFIG.auth.oauth.active]

    def get_requests_session(self) -> outgoing.Session:
        return outgoing.Session()

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, **_more: Any
    ) -> None:
        logger.warning("Sign-in by %s failed: %s", provider.sub_id, type(exception).__name__)

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: Claims) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        account = sociallogin.account
        user.provider, user.provider_user_id = account.provider, account.uid
        identity.describe(user, name=str(data.get("name") or data.get("username") or ""), email=user.email)
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Notes what is claimed, and takes it away from allauth, which would go by addresses."""
        sociallogin.claimed = identity.Claimed(
            provider=sociallogin.account.provider,
            name=sociallogin.account.extra_data.get("name", ""),
            **_address(sociallogin),
            groups=getattr(sociallogin, "groups", None),
            access_token=sociallogin.token.token if sociallogin.token else None,
            refresh_token=(sociallogin.token.token_secret or None) if sociallogin.token else None,
            token_expiry=sociallogin.token.expires_at if sociallogin.token else None,
        )
        sociallogin.email_addresses, sociallogin.token = [], None
        if not sociallogin.is_existing:
            row = User.objects.filter(
                provider=sociallogin.account.provider, provider_user_id=sociallogin.account.uid
            ).first()
            if row is not None:
                sociallogin.account.user = sociallogin.user = row
                sociallogin.account.save()
        if sociallogin.is_existing and sociallogin.state.get("process") != AuthProcess.CONNECT:
            identity.signed_in(sociallogin.user, sociallogin.claimed)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        mode = settings.CONFIG.auth.oauth.providers[sociallogin.account.provider].signup
        claimed: identity.Claimed = sociallogin.claimed
        return mode == "open" or (mode == "invite" and claimed.email_verified and is_invited(claimed.email))

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        try:
            return self._save_person(sociallogin)
        except DomainError as error:
            raise ImmediateHttpResponse(refused(request, error)) from error
        except IntegrityError as error:
            twice = Conflict(_("This person is signing in for the first time in another window."))
            raise ImmediateHttpResponse(refused(request, twice)) from error

    @transaction.atomic
    def _save_person(self, sociallogin: SocialLogin) -> User:
        user = identity.create_person(sociallogin.user, sociallogin.claimed)
        sociallogin.account.user = user
        sociallogin.account.save()
        identity.signed_in(user, sociallogin.claimed)
        return user

    def validate_disconnect(self, account: SocialAccount, accounts: Any) -> None:
        if account.user.provider == account.provider:
            raise ValidationError(_("This account was made with that identity, which stays."))


def _app(name: str, provider: Provider) -> SocialApp:
    is_github = name == "github"
    return SocialApp(
        provider="github" if is_github else "openid_connect",
        provider_id="" if is_github else name,
        name=title(name, provider),
        client_id=provider.client_id,
        secret=provider.client_secret,
        settings={
            "server_url": provider.issuer or GOOGLE,
            "groups_claim": provider.groups_claim,
            "oauth_pkce_enabled": True,
            **({} if is_github else {"scope": provider.scopes}),
        },
    )


def _address(sociallogin: SocialLogin) -> Claims:
    """The address that is proved, the first one where several are; else one that is only said."""
    addresses = sorted(sociallogin.email_addresses, key=lambda a: (not a.verified, not a.primary))
    if not addresses:
        return {"email": sociallogin.account.extra_data.get("email", ""), "email_verified": False}
    return {"email": addresses[0].email, "email_verified": addresses[0].verified is True}
