"""Webhooks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from threatmodels.outbox import SUBSCRIBABLE


class WebhookForm(forms.Form):
    """An address and what it is told of."""

    url = forms.CharField(
        max_length=1000,
        label=_("Address"),
        help_text=_("It begins with https:// and answers a challenge before anything else is sent to it."),
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
    )
    events = forms.MultipleChoiceField(
        choices=[(name, _("every change") if name == "*" else name) for name in SUBSCRIBABLE],
        label=_("Events"),
        initial=["*"],
        widget=forms.SelectMultiple(attrs={"size": 8}),
    )

    def refuse(self, errors: Any) -> None:
        """Shows the errors of an action at the fields they speak of."""
        for problem in errors:
            self.add_error(problem.field if problem.field in self.fields else None, problem.reason)
