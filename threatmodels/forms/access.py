"""Sharing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import EVERYONE_ID, Group, User
from threatmodels.choices import RoleName
from threatmodels.models import ThreatModel


class AccessForm(forms.Form):
    """A role for a person by email, or for a group."""

    email = forms.EmailField(
        required=False,
        max_length=254,
        label=_("Email"),
        help_text=_("Whoever has this verified address gets the role, also when they sign up later."),
        widget=forms.EmailInput(
            attrs={
                "autocomplete": "off",
                "list": "people-found",
                "hx-get": reverse_lazy("people"),
                "hx-trigger": "input changed delay:200ms",
                "hx-target": "#people-found",
            }
        ),
    )
    group = forms.ModelChoiceField(
        queryset=Group.objects.none(), required=False, label=_("or group"), empty_label=_("none")
    )
    role = forms.ChoiceField(choices=RoleName.choices, initial=RoleName.READER, label=_("Role"))

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Group.objects.filter(members__user=actor).exclude(pk=EVERYONE_ID)
        field: Any = self.fields["group"]
        field.queryset = own.order_by("group_name")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and bool(cleaned.get("email")) == bool(cleaned.get("group")):
            self.add_error("email", _("Give an email address or a group."))
        return cleaned


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=RoleName.choices)


class EveryoneForm(RoleForm):
    """The switch for everyone signed in, with the role that they get."""

    is_on = forms.BooleanField(required=False)


class TransferForm(forms.Form):
    """The new owner: somebody who has a role on the model already."""

    owner = forms.ModelChoiceField(queryset=User.objects.none(), label=_("New owner"))

    def __init__(self, *args: Any, threat_model: ThreatModel, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sharing = threat_model.access_entries.exclude(user=None).values("user_id")
        field: Any = self.fields["owner"]
        field.queryset = User.objects.active().filter(pk__in=sharing).order_by("name")
