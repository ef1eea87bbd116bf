"""Who has which role on a threat model besides its owner."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, User
from threatmodels.choices import RoleName, SubjectType
from threatmodels.models.threat_model import ThreatModel
from tmi.lib.fields import LineField
from tmi.lib.models import ChangingRow, one_of
from tmi.lib.text import NotBlank


class ThreatModelAccess(ChangingRow):
    """A role for one person or one group."""

    threat_model = models.ForeignKey(ThreatModel, models.CASCADE, related_name="access_entries")
    user = models.ForeignKey(
        User, models.CASCADE, null=True, blank=True, related_name="+", db_column="user_internal_uuid"
    )
    group = models.ForeignKey(
        Group, models.CASCADE, null=True, blank=True, related_name="+", db_column="group_internal_uuid"
    )
    subject_type = LineField(choices=SubjectType)
    role = LineField(_("role"), choices=RoleName)
    granted_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", db_column="granted_by_internal_uuid"
    )

    class Meta:
        db_table = "threat_model_access"
        verbose_name = _("access entry")
        verbose_name_plural = _("access entries")
        constraints: ClassVar[list[Any]] = [
            one_of("subject_type", SubjectType.values, name="threat_model_access_subject_type_check"),
            one_of("role", RoleName.values, name="threat_model_access_role_check"),
            models.CheckConstraint(
                condition=(Q(subject_type="user") & Q(user__isnull=False) & Q(group__isnull=True))
                | (Q(subject_type="group") & Q(group__isnull=False) & Q(user__isnull=True)),
                name="exactly_one_subject",
            ),
            # One row a user and one row a group; NULLS NOT DISTINCT would allow one of each a model.
            models.UniqueConstraint(
                fields=["threat_model", "user"],
                condition=Q(user__isnull=False),
                name="threat_model_access_user_key",
            ),
            models.UniqueConstraint(
                fields=["threat_model", "group"],
                condition=Q(group__isnull=False),
                name="threat_model_access_group_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.group}: {self.role}"


class AccessInvitation(ChangingRow):
    """A role for whoever has this verified email; an access entry from the day they open the model."""

    threat_model = models.ForeignKey(ThreatModel, models.CASCADE, related_name="invitations")
    email = LineField(_("email address"), max_length=254, validators=[NotBlank()])
    role = LineField(_("role"), choices=RoleName)
    granted_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", db_column="granted_by_internal_uuid"
    )

    class Meta:
        db_table = "access_invitations"
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints: ClassVar[list[Any]] = [
            one_of("role", RoleName.values, name="access_invitations_role_check"),
            models.UniqueConstraint("threat_model", Lower("email"), name="access_invitations_email_key"),
        ]
        indexes: ClassVar[list[Any]] = [models.Index(Lower("email"), name="access_invitations_email_idx")]

    def __str__(self) -> str:
        return f"{self.email}: {self.role}"
