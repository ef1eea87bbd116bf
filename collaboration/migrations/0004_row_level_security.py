"""Policies of row-level security on what belongs to sessions at diagrams."""

from django.db import migrations

POLICIES = {
    "collaboration_sessions": "sees_model(threat_model_id)",
    "session_participants": "EXISTS (SELECT FROM collaboration_sessions s WHERE s.id = session_id)",
    "session_removals": "EXISTS (SELECT FROM collaboration_sessions s WHERE s.id = session_id)",
    "skipped_undos": "EXISTS (SELECT FROM diagrams d WHERE d.id = diagram_id)",
}
MAKE = "".join(
    f"CREATE POLICY for_person ON {table} USING ({rule}) WITH CHECK ({rule});\n"
    for table, rule in POLICIES.items()
)
UNMAKE = "".join(f"DROP POLICY for_person ON {table};\n" for table in POLICIES)


class Migration(migrations.Migration):
    dependencies = [
        ("collaboration", "0003_undo_and_activity"),
        ("threatmodels", "0007_row_level_security"),
    ]

    operations = [migrations.RunSQL(MAKE, UNMAKE)]
