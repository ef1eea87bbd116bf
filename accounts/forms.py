"""Forms of the pages about accounts."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import available_timezones

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm, ResetPasswordKeyForm, SignupForm
from allauth.account.forms import ResetPasswordForm as AllauthResetForm
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django import forms
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import mfa, throttle
from accounts.models import User
from tmi.lib.uris import is_redirect_uri


class SignInForm(LoginForm):  # type: ignore[misc]  # untyped package
    """Labels say what goes where; a lost password can be replaced only where mail is sent."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        if not settings.CONFIG.mail.host:
            self.fields["password"].help_text = ""


class SignUpForm(SignupForm):  # type: ignore[misc]  # untyped package
    """Whether an address is taken is asked of local accounts alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)

    def validate_unique_email(self, value: str) -> str:
        taken = User.objects.local().with_email(value).exists()
        if taken and not settings.CONFIG.mail.host:
            raise forms.ValidationError(_("A local account with this email address exists already."))
        # With mail nobody is told but the owner of the address, who gets one.
        self.account_already_exists = taken
        return value


class ResetPasswordForm(AllauthResetForm):  # type: ignore[misc]  # untyped package
    """Only local accounts have a password that could be replaced."""

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        # Whoever is inside under an address that is only claimed has what its owner may not see.
        known = Q(email_verified=True) | Q(last_login=None)
        self.users = list(User.objects.local().active().with_email(email).filter(known))
        return email


class NewPasswordForm(ResetPasswordKeyForm):  # type: ignore[misc]  # untyped package
    """The password of whoever followed the link in a mail, which proves the address too."""

    @transaction.atomic
    def save(self) -> None:
        super().save()
        if self.user.email_verified:
            return
        address, _made = EmailAddress.objects.get_or_create(
            user=self.user, email=self.user.email.lower(), defaults={"primary": True}
        )
        get_adapter().confirm_email(context.request, address)


class _SlowedCode(forms.Form):
    """Guessing codes is slowed down like guessing passwords, here and at the token endpoint together."""

    user: User

    def clean_code(self) -> str:
        account = throttle.code_account(self.user)
        get_adapter().slow_down(context.request, account)
        code: str = self.cleaned_data["code"]
        found = mfa.use_code(self.user, code)
        if found is None:
            throttle.failed(account)
            raise get_mfa_adapter().validation_error("incorrect_code")
        throttle.succeeded(account)
        found.user = self.user
        self.authenticator = found
        return code


class CodeForm(_SlowedCode, AuthenticateForm):  # type: ignore[misc]  # untyped package
    """A code of a second factor at sign-in."""


class CodeAgainForm(_SlowedCode, ReauthenticateForm):  # type: ignore[misc]  # untyped package
    """A code of whoever is signed in and has to prove it once more."""


class CredentialForm(forms.Form):
    """A client credential: what it is for, and until when it is good."""

    name = forms.CharField(
        label=_("Name"),
        max_length=200,
        help_text=_("The program that it is for."),
    )
    expires_at = forms.DateField(
        label=_("Good until"),
        required=False,
        help_text=_("The end of this day, in UTC. Without a day it is good until you delete it."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def clean_expires_at(self) -> datetime | None:
        day: date | None = self.cleaned_data["expires_at"]
        return None if day is None else datetime.combine(day, time.max, tzinfo=UTC)


class RedirectUris(forms.CharField):
    """Addresses of a program, one a line."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or []) != str(self.to_python(data)).split()

    def clean(self, value: Any) -> Any:
        listed = str(super().clean(value)).split()
        for uri in listed:
            if not is_redirect_uri(uri):
                raise forms.ValidationError(_("Programs cannot be sent to %(uri)s."), params={"uri": uri})
        return listed


class InvitedForm(forms.Form):
    """The account of somebody who was invited; the address is that of the invitation."""

    name = forms.CharField(
        label=_("Name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("At least ten characters, and none of the common ones."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class FirstAdminForm(forms.Form):
    """The account of the first administrator."""

    email = forms.EmailField(
        label=_("Email"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    name = forms.CharField(
        label=_("Name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("At least ten characters, and none of the common ones."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class PreferencesForm(forms.Form):
    """How the pages look to the person."""

    theme = forms.ChoiceField(
        label=_("Theme"),
        choices=[("auto", _("As the system has it")), ("light", _("Light")), ("dark", _("Dark"))],
        initial="auto",
        widget=forms.RadioSelect,
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, initial=settings.LANGUAGE_CODE
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        help_text=_("In which times are shown."),
        choices=lambda: [
            ("", _("As the browser has it")),
            *((name, name.replace("_", " ")) for name in sorted(available_timezones()) if _is_place(name)),
        ],
    )


def _is_place(name: str) -> bool:
    """Old names and abbreviations of the same zones are left out."""
    return name == "UTC" or (
        name.partition("/")[2] != "" and not name.startswith(("Etc/", "SystemV/", "US/"))
    )
