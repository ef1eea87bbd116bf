"""A rule pack in the admin site: uploaded as a file, switched off as a whole or by single rules."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from threatmodels.knowledge.packs import Pack, builtin_packs, pack_of, read_content
from threatmodels.models import RulePack
from tmi.lib.errors import ValidationFailed


class RulePackForm(forms.ModelForm):  # type: ignore[type-arg]  # is not generic when the code runs
    """`content` is what the file holds; a pack of TMI takes none."""

    file = forms.FileField(
        label=gettext_lazy("file"),
        required=False,
        help_text=gettext_lazy("YAML or JSON, in the form that the handbook describes (docs/rules.md)."),
    )
    off = forms.MultipleChoiceField(
        label=gettext_lazy("rules that are off"), required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = RulePack
        fields: ClassVar[list[str]] = ["is_enabled"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pack = pack_in(self.instance)
        if "off" in self.fields:
            self._offer_rules()
        if "file" in self.fields:
            self.fields["file"].required = self.instance._state.adding

    def _offer_rules(self) -> None:
        rules = self.pack.rules if self.pack else []
        chosen = self.fields["off"]
        assert isinstance(chosen, forms.MultipleChoiceField)
        chosen.choices = [(rule.id, f"{rule.title} ({rule.category}, {rule.severity})") for rule in rules]
        self.initial["off"] = self.instance.off

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        upload = cleaned.get("file")
        if upload is None:
            return cleaned
        try:
            self.instance.content = content = read_content(upload.read())
        except ValidationFailed as error:
            for problem in error.errors:
                place = "" if problem.field == "file" else f"{problem.field}: "
                self.add_error("file", f"{place}{problem.reason}")
            return cleaned
        self._check_key(content["key"])
        ids = {rule["id"] for rule in content["rules"]}
        cleaned["off"] = [rule for rule in cleaned.get("off", []) if rule in ids]
        return cleaned

    def _check_key(self, key: str) -> None:
        if key in builtin_packs():
            self.add_error("file", _("/key: %(key)s is a pack of TMI; choose another key.") % {"key": key})
        elif self.instance._state.adding and RulePack.objects.filter(key=key).exists():
            text = _("/key: there is a pack %(key)s; open it to upload a new version.")
            self.add_error("file", text % {"key": key})
        elif not self.instance._state.adding and key != self.instance.key:
            text = _("/key: this is the pack %(known)s, and the file is %(key)s.")
            self.add_error("file", text % {"known": self.instance.key, "key": key})
        else:
            self.instance.key = key

    def save(self, commit: bool = True) -> RulePack:
        self.instance.off = sorted(self.cleaned_data.get("off", []))
        return super().save(commit)


def pack_in(row: RulePack) -> Pack | None:
    """The pack of a row; None for a new row, and where an upload of old is not sound any more."""
    if row.content is None:
        return builtin_packs().get(row.key)
    try:
        return pack_of(row.content)
    except ValidationFailed:
        return None
