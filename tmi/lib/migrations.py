"""Migration operations that Django does not have."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

SQL_RULE = {
    models.CASCADE: "CASCADE",
    models.SET_NULL: "SET NULL",
    models.RESTRICT: "RESTRICT",
    models.PROTECT: "RESTRICT",
    models.DO_NOTHING: "NO ACTION",
}


def own_foreign_keys(model: type[models.Model]) -> list[models.ForeignKey[Any, Any]]:
    """The foreign keys of the model that are constraints in the database."""
    fields = model._meta.local_concrete_fields
    return [f for f in fields if isinstance(f, models.ForeignKey) and f.db_constraint]  # type: ignore[attr-defined]  # the stubs miss it


class EnforceOnDelete(Operation):
    """Gives every foreign key of the named models the ON DELETE rule of its field, checked at once.

    Django keeps `on_delete` in Python alone; with this a row deleted by SQL leaves no orphan either. The
    constraints keep the names that Django gave them, so that later migrations find them.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, *model_names: str) -> None:
        self.model_names = model_names

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, list(self.model_names), {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The rule stands in the model already."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        # Django defers the making of foreign keys to the end of the migration; ours must come after.
        for sql in schema_editor.deferred_sql:
            schema_editor.execute(sql, None)
        schema_editor.deferred_sql.clear()
        for name in self.model_names:
            model = to_state.apps.get_model(app_label, name)
            for field in own_foreign_keys(model):
                self._enforce(schema_editor, model, field)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Nothing to undo: a stricter rule disturbs no earlier state, and the tables go as they came."""

    def describe(self) -> str:
        return f"Enforce ON DELETE in the database on {', '.join(self.model_names)}"

    @staticmethod
    def _enforce(
        schema_editor: BaseDatabaseSchemaEditor,
        model: type[models.Model],
        field: models.ForeignKey[Any, Any],
    ) -> None:
        table, column = model._meta.db_table, field.column
        name = _constraint_name(schema_editor, table, column)
        target = field.remote_field.model._meta
        quote = schema_editor.quote_name
        rule = SQL_RULE[field.remote_field.on_delete]
        schema_editor.execute(
            f"ALTER TABLE {quote(table)} DROP CONSTRAINT {quote(name)}, "
            f"ADD CONSTRAINT {quote(name)} FOREIGN KEY ({quote(column)}) "
            f"REFERENCES {quote(target.db_table)} ({quote(field.target_field.column)}) ON DELETE {rule}"
        )


def _constraint_name(schema_editor: BaseDatabaseSchemaEditor, table: str, column: str) -> str:
    with schema_editor.connection.cursor() as cursor:
        found = schema_editor.connection.introspection.get_constraints(cursor, table)
    return next(str(n) for n, c in found.items() if c["foreign_key"] and c["columns"] == [column])
