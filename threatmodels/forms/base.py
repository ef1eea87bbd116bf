"""What the forms over rows share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from threatmodels.models.deletable import DeletableRow
from tmi.lib.errors import Conflict, ValidationFailed

Choices = Sequence[tuple[str, Any]]


class RowForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs' generic is none at run time
    """A form over one row. `seen` is the state that the person saw: what came after is not overwritten."""

    # Fields of a column of their own, where a form has too many for one.
    aside: ClassVar[tuple[str, ...]] = ()
    # What a field writes, where that is not the column of its name.
    writes: ClassVar[dict[str, tuple[str, ...]]] = {}

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial["seen"] = self.instance.modified_at.isoformat()

    def columns(self, field: str) -> tuple[str, ...]:
        """The values that a field decides."""
        return self.writes.get(field, (field,))

    def wrong_with(self, field: str) -> list[str]:
        """What is wrong with one field, or with one that decides the same values; the others may be wrong."""
        columns = set(self.columns(field))
        names = [name for name in self.fields if columns & set(self.columns(name))]
        found = [*self.non_field_errors(), *(one for name in names for one in self.errors.get(name, []))]
        return [str(one) for one in found]

    def main_fields(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name not in self.aside]

    def side_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.aside]

    def offer(self, name: str, choices: Choices) -> None:
        """Makes a field of free text a choice; what the row says already stays among the choices."""
        present = getattr(self.instance, name)
        listed = [("", _("not set")), *choices]
        if present and present not in dict(choices):
            listed.append((present, present))
        old = self.fields[name]
        self.fields[name] = forms.TypedChoiceField(
            choices=listed, required=False, label=old.label, help_text=old.help_text, empty_value=None
        )

    def changes(self, locked: DeletableRow) -> dict[str, Any]:
        """The new values for the actions; raises Conflict where somebody changed the row in the meantime."""
        if self.cleaned_data.get("seen") != locked.modified_at.isoformat():
            raise Conflict(str(_("Somebody else changed this in the meantime.")))
        return self.values()

    def values(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}

    def refuse(self, error: ValidationFailed) -> None:
        """Shows the errors of an action at the fields they speak of."""
        for problem in error.errors:
            name = problem.field.split("/")[1] if problem.field.startswith("/") else problem.field
            name = name.removesuffix("_id") if name not in self.fields else name
            self.add_error(name if name in self.fields else None, problem.reason)
