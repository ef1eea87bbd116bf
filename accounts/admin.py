"""People, groups and sign-ins in the admin site; no secret is shown anywhere."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actions.session import end_all_sessions, end_session
from accounts.actions.user import set_active
from accounts.audited_admin import AuditedAdmin, ReadOnlyAdmin, ReadOnlyInline, written
from accounts.models import ClientCredential, Group, GroupMember, RefreshToken, SignInSession, User

admin.site.unregister(EmailAddress)


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
    actions = ("deactivate", "activate", "sign_out")

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


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


class MemberInline(admin.TabularInline[Any, Any]):
    model = GroupMember
    fk_name = "group"
    fields = ("user",)
    autocomplete_fields = ("user",)
    extra = 1


@admin.register(Group)
class GroupAdmin(AuditedAdmin):
    list_display = ("group_name", "provider", "name", "usage_count", "last_used")
    list_filter = ("provider",)
    search_fields = ("group_name", "name")
    fields = ("provider", "group_name", "name", "description")
    inlines = (MemberInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        return ("provider", "group_name") if obj is not None and obj.is_everyone else ()

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Everyone is in the group of everyone; others' members are a provider's or an administrator's."""
        return () if obj is not None and obj.is_everyone else self.inlines

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
    search_fields = ("user__email",)
    list_select_related = ("user",)
    exclude = ("token",)


@admin.register(ClientCredential)
class ClientCredentialAdmin(ReadOnlyAdmin):
    list_display = ("name", "client_id", "owner", "is_active", "expires_at", "last_used_at")
    list_filter = ("is_active",)
    search_fields = ("name", "client_id", "owner__email")
    list_select_related = ("owner",)
    exclude = ("secret_hash",)
