"""Collaboration sessions in the admin site."""

from __future__ import annotations

from django.contrib import admin

from accounts.audited_admin import ReadOnlyAdmin, ReadOnlyInline
from collaboration.models import CollaborationSession, SessionParticipant, SessionRemoval, SkippedUndo


class ParticipantInline(ReadOnlyInline):
    model = SessionParticipant
    fields = ("user", "joined_at", "left_at")


class RemovalInline(ReadOnlyInline):
    model = SessionRemoval
    fields = ("user", "removed_by", "created_at")
    fk_name = "session"


@admin.register(CollaborationSession)
class CollaborationSessionAdmin(ReadOnlyAdmin):
    list_display = ("diagram", "threat_model", "host", "created_at", "expires_at", "ended_at")
    list_filter = (("ended_at", admin.EmptyFieldListFilter),)
    search_fields = ("diagram__name", "threat_model__name", "host__email")
    list_select_related = ("diagram", "threat_model", "host")
    date_hierarchy = "created_at"
    inlines = [ParticipantInline, RemovalInline]


@admin.register(SessionParticipant)
class SessionParticipantAdmin(ReadOnlyAdmin):
    list_display = ("user", "session", "joined_at", "left_at")
    list_filter = (("left_at", admin.EmptyFieldListFilter),)
    search_fields = ("user__email", "session__id__exact")
    list_select_related = ("user", "session")
    date_hierarchy = "joined_at"


@admin.register(SessionRemoval)
class SessionRemovalAdmin(ReadOnlyAdmin):
    list_display = ("user", "session", "removed_by", "created_at")
    list_filter = ("created_at",)
    search_fields = ("user__email", "session__id__exact")
    list_select_related = ("user", "session", "removed_by")


@admin.register(SkippedUndo)
class SkippedUndoAdmin(ReadOnlyAdmin):
    list_display = ("user", "diagram", "operation_id")
    list_filter = (("user", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("user__email", "diagram__name", "operation_id__exact")
    list_select_related = ("user", "diagram")
