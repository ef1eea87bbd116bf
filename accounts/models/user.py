"""A person, as known from one identity provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.validators import validate_email
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from tmi.lib.crypto import EncryptedField
from tmi.lib.fields import LineField, created_at, modified_at
from tmi.lib.ids import new_id
from tmi.lib.text import NotBlank

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from accounts.models.group import GroupMember

# The provider of accounts that sign in with a password kept here.
LOCAL = "local"


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> UserQuerySet:
        return self.filter(is_active=True)

    def with_email(self, email: str) -> UserQuerySet:
        """Everyone with this address, whatever its case; at most one of them is a local account."""
        return self.alias(lower_email=Lower("email")).filter(lower_email=email.strip().lower())

    def local(self) -> UserQuerySet:
        return self.filter(provider=LOCAL)


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    use_in_migrations = False

    def get_by_natural_key(self, email: str | None) -> User:
        """The local account of an address: the only kind that signs in with a password."""
        user: User = self.local().with_email(email or "").get()
        return user


class User(AbstractBaseUser):
    """A person. `is_admin` opens the admin site; it gives no role on any threat model."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False, db_column="internal_uuid")
    email = LineField(_("email address"), max_length=254, validators=[NotBlank(), validate_email])
    name = LineField(_("name"), max_length=200, validators=[NotBlank()])
    provider = LineField(
        _("provider"), max_length=100, default=LOCAL, help_text=_("Identity provider, or “local”.")
    )
    provider_user_id = LineField(_("id at the provider"), max_length=255)
    email_verified = models.BooleanField(_("email verified"), default=False, db_default=False)
    access_token = EncryptedField(null=True, blank=True, editable=False)
    refresh_token = EncryptedField(null=True, blank=True, editable=False)
    token_expiry = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = created_at()
    modified_at = modified_at()
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    is_admin = models.BooleanField(_("administrator"), default=False, db_default=False)
    preferences = models.JSONField(_("preferences"), default=dict, db_default={}, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    objects = UserManager()

    if TYPE_CHECKING:
        memberships: RelatedManager[GroupMember]

    class Meta:
        db_table = "users"
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_user_id"], name="users_provider_provider_user_id_key"
            ),
            models.UniqueConstraint(
                Lower("email"),
                condition=Q(provider=LOCAL),
                name="users_local_email_key",
                violation_error_message=_("A local account with this email address exists already."),
            ),
        ]
        indexes = [models.Index(Lower("email"), name="users_email_idx")]

    def __str__(self) -> str:
        return self.name or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.provider == LOCAL and not self.provider_user_id:
            self.provider_user_id = str(self.id)
        super().save(*args, **kwargs)

    @property
    def is_staff(self) -> bool:
        """What Django's admin site asks for."""
        return self.is_admin

    @property
    def is_superuser(self) -> bool:
        return self.is_admin

    def has_perm(self, _perm: str, _obj: object = None) -> bool:
        """Administrators manage everything in the admin site; nobody else has a Django permission."""
        return self.is_active and self.is_admin

    def has_module_perms(self, _app_label: str) -> bool:
        return self.is_active and self.is_admin

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ", 1)[0] or self.email
