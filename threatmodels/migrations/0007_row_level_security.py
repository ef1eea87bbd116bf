"""Policies of row-level security. They sleep until `manage.py tmi_rls enable` turns them on."""

from django.db import migrations

# Whether the person for whom the transaction asks has any role on a model, deleted or not.
SEES = """
CREATE FUNCTION sees_model(model uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  said text := coalesce(current_setting('tmi.user_id', true), '');
BEGIN
  IF said = 'everything' THEN
    RETURN true;
  END IF;
  IF said = '' OR model IS NULL THEN
    RETURN false;
  END IF;
  RETURN role_on_model(said::uuid, model) > 0;
END $$;
"""
MINE = "{column}::text = current_setting('tmi.user_id', true)"
INSIDE = "sees_model(threat_model_id)"
PARTS = (
    "diagrams",
    "threats",
    "assets",
    "documents",
    "notes",
    "repositories",
    "metadata",
    "threat_model_access",
    "access_invitations",
    "suggestion_decisions",
)
POLICIES = {
    "threat_models": f"{MINE.format(column='owner_internal_uuid')} OR sees_model(id)",
    **dict.fromkeys(PARTS, INSIDE),
    "diagram_operations": "EXISTS (SELECT FROM diagrams d WHERE d.id = diagram_id)",
    "webhooks": f"{MINE.format(column='user_internal_uuid')} OR {INSIDE} "
    "OR current_setting('tmi.user_id', true) = 'everything'",
    "webhook_deliveries": "EXISTS (SELECT FROM webhooks w WHERE w.id = webhook_id)",
    "audit_entries": f"threat_model_id IS NULL OR {INSIDE}",
}
MAKE = SEES + "".join(
    f"CREATE POLICY for_person ON {table} USING ({rule}) WITH CHECK ({rule});\n"
    for table, rule in POLICIES.items()
)
UNMAKE = (
    "".join(f"DROP POLICY for_person ON {table};\n" for table in POLICIES) + "DROP FUNCTION sees_model(uuid);"
)
# They read what the person who asks may not: others' roles and webhooks.
DEFINERS = ("role_on_model(uuid, uuid)", "webhook_outbox(text, uuid, uuid, uuid, jsonb, uuid)")
RAISE = "".join(
    f"ALTER FUNCTION {name} SECURITY DEFINER; ALTER FUNCTION {name} SET search_path FROM CURRENT;\n"
    for name in DEFINERS
)
LOWER = "".join(f"ALTER FUNCTION {name} SECURITY INVOKER RESET search_path;\n" for name in DEFINERS)
# A view reads with the rights of who made it, past all policies, unless it is told otherwise.
VIEWS = ("threat_model_summary", "threat_report")
ASK = "".join(f"ALTER VIEW {view} SET (security_invoker = true);\n" for view in VIEWS)
UNASK = "".join(f"ALTER VIEW {view} RESET (security_invoker);\n" for view in VIEWS)


class Migration(migrations.Migration):
    dependencies = [
        ("threatmodels", "0006_webhooks"),
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(RAISE, LOWER),
        migrations.RunSQL(MAKE, UNMAKE),
        migrations.RunSQL(ASK, UNASK),
    ]
