"""People, groups and sign-ins in the admin site; no secret is shown anywhere."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import Group as DjangoGroup
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actions import invitation
from accounts.actions.credential import delete_credential
from accounts.actions.session import end_all_sessions, end_session, end_sessions_of
from accounts.actions.user import set_active
from accounts.audited_admin import AuditedAdmin, ReadOnlyAdmin, ReadOnlyInline, written
from accounts.forms import RedirectUris
from accounts.mail import absolute_url, send_invitation
from accounts.models import (
    ANY_PROVIDER,
    AuthorizationCode,
    ClientCredential,
    Group,
    GroupMember,
    OAuthClient,
    RefreshToken,
    SignInSession,
    SignUpInvitation,
    SocketTicket,
    User,
)
from accounts.tokens import new_secret

# Groups of Django give nobody anything here: TMI has groups of its own.
for _model in (DjangoGroup, EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(_model)


class MembershipInline(ReadOnlyInline):
    model = GroupMember
    fk_name = "user"
    fields = ("group", "added_by", "added_at")


@admin.register(User)
class UserAdmin(AuditedAdmin):
    list_display = ("email", "name", "provider", "is_active", "is_admin", "last_login", "created_at")
    list_filter = ("is_active", "is_admin", "provider", "email_verified")
    search_fields = ("email", "name")
    date_hierarchy = "created_at"
    fields = (
        "email",
        "name",
        "provider",
        "provider_user_id",
        "email_verified",
        "is_active",
        "is_admin",
        "last_login",
        "created_at",
    )
    readonly_fields = (
        "email",
        "provider",
        "provider_user_id",
        "email_verified",
        "is_active",
        "last_login",
        "created_at",
    )
    inlines = (MembershipInline,)
    actions = ("deactivate", "activate", "sign_out", "remove_factors")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Accounts are made by signing up, by providers and by `manage.py create_user`."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A person's models are handed over first; until then the account is deactivated."""
        return False

    @admin.action(description=gettext_lazy("Deactivate and sign out"))
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        actor = _actor(request)
        for user in queryset.exclude(pk=actor.pk):
            set_active(user, is_active=False, actor=actor)
        if queryset.filter(pk=actor.pk).exists():
            self.message_user(request, _("You cannot deactivate yourself."), messages.WARNING)

    @admin.action(description=gettext_lazy("Activate"))
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            set_active(user, is_active=True, actor=_actor(request))

    @admin.action(description=gettext_lazy("Sign out everywhere"))
    def sign_out(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            end_all_sessions(user)
            written(request, user, "sign_out", {})

    @admin.action(description=gettext_lazy("Remove second factors and sign out"))
    def remove_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """For whoever lost theirs, once the administrator knows who asks."""
        for user in queryset:
            removed = list(Authenticator.objects.filter(user=user).values_list("type", flat=True))
            Authenticator.objects.filter(user=user).delete()
            end_all_sessions(user)
            written(request, user, "remove_factors", {"types": (removed, [])})


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


class MemberInline(admin.TabularInline[Any, Any]):
    model = GroupMember
    fk_name = "group"
    fields = ("user",)
    autocomplete_fields = ("user",)
    extra = 1


class ClaimedMemberInline(ReadOnlyInline):
    """Who is in a provider's group is what the provider says at each sign-in."""

    model = GroupMember
    fk_name = "group"
    fields = ("user", "added_at")


@admin.register(Group)
class GroupAdmin(AuditedAdmin):
    list_display = ("group_name", "provider", "name", "usage_count", "last_used")
    list_filter = ("provider",)
    search_fields = ("group_name", "name")
    fields = ("provider", "group_name", "name", "description")
    inlines = (MemberInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        """Everyone stays as it is; the name of a provider's group is the provider's."""
        if obj is None:
            return ()
        if obj.is_everyone:
            return self.fields
        return ("provider",) if obj.provider == ANY_PROVIDER else ("provider", "group_name")

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Everyone is in the group of everyone; others' members are a provider's or an administrator's."""
        if obj is None or obj.provider == ANY_PROVIDER:
            return () if obj is not None and obj.is_everyone else self.inlines
        return (ClaimedMemberInline,)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for one in formset.forms:
            if one.instance._state.adding:
                one.instance.added_by = _actor(request)
        super().save_formset(request, form, formset, change)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return obj is not None and not obj.is_everyone


@admin.register(SignInSession)
class SignInSessionAdmin(ReadOnlyAdmin):
    list_display = ("user", "address", "created_at", "last_seen", "expires_at", "ended_at")
    list_filter = (("ended_at", admin.EmptyFieldListFilter),)
    search_fields = ("user__email", "address")
    list_select_related = ("user",)
    date_hierarchy = "created_at"
    actions = ("end_sessions",)

    @admin.action(description=gettext_lazy("End the sign-in"))
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[SignInSession]) -> None:
        for session in queryset.select_related("user"):
            end_session(session)
            written(request, session, "end", {})


@admin.register(RefreshToken)
class RefreshTokenAdmin(ReadOnlyAdmin):
    list_display = ("id", "user", "created_at", "used_at", "expires_at", "revoked_at")
    list_filter = (("used_at", admin.EmptyFieldListFilter), ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("user__email",)
    list_select_related = ("user",)
    exclude = ("token",)
    actions = ("revoke",)

    @admin.action(description=gettext_lazy("Revoke with the sign-in and all its tokens"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[RefreshToken]) -> None:
        for token in queryset.select_related("session__user"):
            end_session(token.session)
            written(request, token, "revoke", {})


@admin.register(SocketTicket)
class SocketTicketAdmin(ReadOnlyAdmin):
    list_display = ("id", "session", "created_at", "expires_at")
    list_filter = ("expires_at",)
    search_fields = ("session__user__email",)
    list_select_related = ("session__user",)
    exclude = ("ticket",)


@admin.register(ClientCredential)
class ClientCredentialAdmin(ReadOnlyAdmin):
    list_display = ("name", "client_id", "owner", "is_active", "expires_at", "last_used_at")
    list_filter = ("is_active",)
    search_fields = ("name", "client_id", "owner__email")
    list_select_related = ("owner",)
    exclude = ("secret_hash",)
    actions = ("revoke",)

    @admin.action(description=gettext_lazy("Delete and end the sign-ins"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ClientCredential]) -> None:
        for credential in queryset:
            delete_credential(credential, actor=_actor(request))


@admin.register(SocialAccount)
class IdentityAdmin(ReadOnlyAdmin):
    list_display = ("user", "provider", "uid", "last_login", "date_joined")
    list_filter = ("provider",)
    search_fields = ("user__email", "uid")
    list_select_related = ("user",)


@admin.register(Authenticator)
class FactorAdmin(ReadOnlyAdmin):
    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__email",)
    list_select_related = ("user",)
    exclude = ("data",)


@admin.register(SignUpInvitation)
class InvitationAdmin(AuditedAdmin):
    """An invitation is sent by mail; without mail its link is shown once, to be handed on."""

    list_display = ("email", "invited_by", "created_at", "expires_at", "used_at")
    list_filter = (("used_at", admin.EmptyFieldListFilter),)
    search_fields = ("email",)
    list_select_related = ("invited_by",)
    fields = ("email",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: SignUpInvitation, form: Any, change: bool) -> None:
        made, secret = invitation.invite(form.cleaned_data["email"], actor=_actor(request))
        obj.pk, obj._state.adding = made.pk, False
        link = absolute_url(request, reverse("invitation", args=[secret]))
        if settings.CONFIG.mail.host:
            send_invitation(made.email, link)
            self.message_user(request, _("The invitation is on its way."))
        else:
            said = _("No mail is configured. Hand this link on; it is shown this once: %(link)s")
            self.message_user(request, said % {"link": link}, messages.WARNING)

    def delete_model(self, request: HttpRequest, obj: SignUpInvitation) -> None:
        invitation.withdraw(obj, actor=_actor(request))


@admin.register(OAuthClient)
class OAuthClientAdmin(AuditedAdmin):
    """Native and single-page programs that people may let in."""

    list_display = ("name", "client_id", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "client_id")
    fields = ("name", "client_id", "redirect_uris", "is_active")
    readonly_fields = ("client_id",)

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "redirect_uris":
            return RedirectUris(label=db_field.verbose_name, help_text=db_field.help_text)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: OAuthClient, form: Any, change: bool) -> None:
        obj.client_id = obj.client_id or f"app_{new_secret()[:22]}"
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            end_sessions_of(client=obj)

    def delete_model(self, request: HttpRequest, obj: OAuthClient) -> None:
        end_sessions_of(client=obj)
        super().delete_model(request, obj)


@admin.register(AuthorizationCode)
class AuthorizationCodeAdmin(ReadOnlyAdmin):
    list_display = ("id", "client", "user", "created_at", "expires_at", "used_at")
    list_filter = (("used_at", admin.EmptyFieldListFilter),)
    search_fields = ("client__name", "user__email")
    list_select_related = ("client", "user")
    exclude = ("code_hash", "code_challenge")
