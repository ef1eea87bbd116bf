"""ON DELETE in the database, the group of everyone, and the append-only audit."""

import uuid

from django.db import migrations

from tmi.lib.migrations import EnforceOnDelete

EVERYONE = uuid.UUID(int=0)


def groups(apps, schema_editor):
    return apps.get_model("accounts", "Group").objects.using(schema_editor.connection.alias)


def make_everyone(apps, schema_editor):
    groups(apps, schema_editor).create(
        id=EVERYONE,
        provider="*",
        group_name="everyone",
        name="Everyone signed in",
        description="Every signed-in person is in this group.",
    )


def remove_everyone(apps, schema_editor):
    groups(apps, schema_editor).filter(id=EVERYONE).delete()


GUARD = """
CREATE FUNCTION groups_keep_everyone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR (NEW.internal_uuid, NEW.provider, NEW.group_name, NEW.name)
      IS DISTINCT FROM (OLD.internal_uuid, OLD.provider, OLD.group_name, OLD.name) THEN
    RAISE EXCEPTION 'the group everyone cannot be renamed or deleted' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER groups_keep_everyone BEFORE UPDATE OR DELETE ON groups FOR EACH ROW
  WHEN (OLD.internal_uuid = '00000000-0000-0000-0000-000000000000')
  EXECUTE FUNCTION groups_keep_everyone();
"""
UNGUARD = """
DROP TRIGGER groups_keep_everyone ON groups;
DROP FUNCTION groups_keep_everyone();
"""
APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""
NOT_APPEND_ONLY = """
DROP TRIGGER audit_entries_append_only ON audit_entries;
DROP FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        EnforceOnDelete("GroupMember", "SignInSession", "RefreshToken", "ClientCredential"),
        migrations.RunPython(make_everyone, remove_everyone),
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunSQL(APPEND_ONLY, NOT_APPEND_ONLY),
    ]
