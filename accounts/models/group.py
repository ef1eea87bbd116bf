"""Groups of people, from identity providers or made by administrators."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.user import User
from tmi.lib.fields import DatabaseNow, LineField, ProseField
from tmi.lib.ids import new_id
from tmi.lib.models import IdentifiedRow
from tmi.lib.text import NotBlank

# The group that matches every signed-in person; made by the first migration.
EVERYONE_ID = UUID(int=0)
# The provider of groups that belong to no identity provider.
ANY_PROVIDER = "*"


class Group(models.Model):
    """A group named by (provider, group_name). `*` is the provider of groups made here."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False, db_column="internal_uuid")
    provider = LineField(_("provider"), max_length=100, default=ANY_PROVIDER)
    group_name = LineField(_("group name"), max_length=200, validators=[NotBlank()])
    name = LineField(_("display name"), max_length=200, null=True, blank=True)
    description = ProseField(_("description"), max_length=2000, null=True, blank=True)
    first_used = models.DateTimeField(default=timezone.now, db_default=DatabaseNow(), editable=False)
    last_used = models.DateTimeField(default=timezone.now, db_default=DatabaseNow(), editable=False)
    usage_count = models.IntegerField(default=1, db_default=1, editable=False)

    class Meta:
        db_table = "groups"
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        constraints = [
            models.UniqueConstraint(fields=["provider", "group_name"], name="groups_provider_group_name_key")
        ]

    def __str__(self) -> str:
        return self.name or self.group_name

    @property
    def is_everyone(self) -> bool:
        return self.id == EVERYONE_ID


class GroupMember(IdentifiedRow):
    """A person's membership of a group."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="members", db_column="group_internal_uuid")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", db_column="user_internal_uuid")
    added_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", db_column="added_by_internal_uuid"
    )
    added_at = models.DateTimeField(default=timezone.now, db_default=DatabaseNow(), editable=False)

    class Meta:
        db_table = "group_members"
        verbose_name = _("group member")
        verbose_name_plural = _("group members")
        constraints = [models.UniqueConstraint(fields=["group", "user"], name="group_members_group_user_key")]

    def __str__(self) -> str:
        return f"{self.user} in {self.group}"
