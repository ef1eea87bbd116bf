"""ON DELETE in the database, the append-only log, metadata that dies with its entity, and the two views."""

from django.db import migrations

from tmi.lib.migrations import EnforceOnDelete

APPEND_ONLY = """
-- The log is shortened by housekeeping and goes with its diagram; a deleted person's name goes from it.
CREATE TRIGGER diagram_operations_append_only BEFORE UPDATE ON diagram_operations
  FOR EACH ROW WHEN (
    to_jsonb(OLD) - 'user_internal_uuid' IS DISTINCT FROM to_jsonb(NEW) - 'user_internal_uuid'
    OR coalesce(NEW.user_internal_uuid <> OLD.user_internal_uuid, NEW.user_internal_uuid IS NOT NULL)
  ) EXECUTE FUNCTION refuse_change();
"""
NOT_APPEND_ONLY = """
DROP TRIGGER diagram_operations_append_only ON diagram_operations;
"""

ENTITIES = {
    "threat_model": "threat_models",
    "threat": "threats",
    "diagram": "diagrams",
    "document": "documents",
    "repository": "repositories",
    "note": "notes",
    "asset": "assets",
}
FOLLOW = """
CREATE FUNCTION metadata_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM metadata WHERE entity_type = TG_ARGV[0] AND entity_id = OLD.id;
  RETURN OLD;
END $$;
""" + "".join(
    f"CREATE TRIGGER metadata_follow AFTER DELETE ON {table} FOR EACH ROW "
    f"EXECUTE FUNCTION metadata_follow('{kind}');\n"
    for kind, table in ENTITIES.items()
)
UNFOLLOW = "".join(f"DROP TRIGGER metadata_follow ON {table};\n" for table in ENTITIES.values()) + (
    "DROP FUNCTION metadata_follow();"
)
# Cells live in the checkpoint and in the log, which goes with the diagram: hence BEFORE.
FOLLOW_CELLS = """
CREATE FUNCTION metadata_follow_cells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM metadata m
  WHERE m.threat_model_id = OLD.threat_model_id AND m.entity_type = 'cell' AND m.entity_id::text IN (
      SELECT cell ->> 'id' FROM jsonb_path_query(OLD.cells, '$[*]') cell
      UNION ALL
      SELECT step ->> 'id' FROM diagram_operations o, jsonb_path_query(o.operation, '$.cells[*]') step
      WHERE o.diagram_id = OLD.id)
    AND NOT EXISTS (SELECT FROM diagrams d
      WHERE d.threat_model_id = OLD.threat_model_id AND d.id <> OLD.id
        AND d.cells @> jsonb_build_array(jsonb_build_object('id', m.entity_id)));
  RETURN OLD;
END $$;
CREATE TRIGGER metadata_follow_cells BEFORE DELETE ON diagrams FOR EACH ROW
  EXECUTE FUNCTION metadata_follow_cells();
"""
UNFOLLOW_CELLS = """
DROP TRIGGER metadata_follow_cells ON diagrams;
DROP FUNCTION metadata_follow_cells();
"""

OPEN = """
  NOT t.mitigated AND lower(coalesce(t.status, '')) NOT IN
    ('resolved', 'accepted', 'transferred', 'avoided', 'false positive', 'not applicable', 'closed')
"""
SUMMARY = f"""
CREATE VIEW threat_model_summary AS
SELECT m.id AS threat_model_id,
  (SELECT count(*)::int FROM diagrams c WHERE c.threat_model_id = m.id AND c.deleted_at IS NULL) AS diagram_count,
  (SELECT count(*)::int FROM threats c WHERE c.threat_model_id = m.id AND c.deleted_at IS NULL) AS threat_count,
  (SELECT count(*)::int FROM threats t WHERE t.threat_model_id = m.id AND t.deleted_at IS NULL AND {OPEN})
    AS open_threat_count,
  (SELECT count(*)::int FROM assets c WHERE c.threat_model_id = m.id AND c.deleted_at IS NULL) AS asset_count,
  (SELECT count(*)::int FROM documents c WHERE c.threat_model_id = m.id AND c.deleted_at IS NULL) AS document_count,
  (SELECT count(*)::int FROM notes c WHERE c.threat_model_id = m.id AND c.deleted_at IS NULL) AS note_count,
  (SELECT count(*)::int FROM repositories c WHERE c.threat_model_id = m.id AND c.deleted_at IS NULL)
    AS repository_count,
  (SELECT (array['critical', 'high', 'medium', 'low', 'informational', 'unknown'])[min(
      CASE lower(t.severity) WHEN 'critical' THEN 1 WHEN 'high' THEN 2 WHEN 'medium' THEN 3
        WHEN 'low' THEN 4 WHEN 'informational' THEN 5 ELSE 6 END)]
    FROM threats t WHERE t.threat_model_id = m.id AND t.deleted_at IS NULL AND {OPEN}) AS highest_severity,
  m.modified_at AS last_change
FROM threat_models m
"""
# The label is what the checkpoint says, unless an operation after it says something else.
REPORT = """
CREATE VIEW threat_report AS
SELECT t.id AS threat_id, t.threat_model_id, m.name AS threat_model_name,
  d.name AS diagram_name,
  (SELECT said.label FROM (
      SELECT d.cells_vector AS vector, 0::bigint AS place, cell #>> '{properties,label}' AS label
      FROM jsonb_path_query(d.cells, '$[*] ? (@.id == $id)', jsonb_build_object('id', t.cell_id)) cell
      UNION ALL
      SELECT o.sequence_number, step.place, step.change #>> '{data,properties,label}'
      FROM diagram_operations o
      CROSS JOIN LATERAL jsonb_path_query(o.operation, '$.cells[*]') WITH ORDINALITY AS step(change, place)
      WHERE o.diagram_id = d.id AND o.sequence_number > d.cells_vector
        AND step.change ->> 'id' = t.cell_id::text
        AND (step.change ->> 'operation' <> 'update' OR step.change #> '{data,properties}' ? 'label'
          OR step.change #> '{data,properties}' = 'null')
    ) said ORDER BY said.vector DESC, said.place DESC LIMIT 1) AS cell_label,
  a.name AS asset_name,
  t.name, t.description, t.severity, t.likelihood, t.risk_level, t.score, t.priority, t.mitigated, t.status,
  t.threat_type, t.mitigation, t.issue_uri, t.cwe_ids, t.cvss_vector, t.created_at, t.modified_at
FROM threats t
JOIN threat_models m ON m.id = t.threat_model_id
LEFT JOIN diagrams d ON d.id = t.diagram_id AND d.deleted_at IS NULL
LEFT JOIN assets a ON a.id = t.asset_id AND a.deleted_at IS NULL
WHERE t.deleted_at IS NULL AND m.deleted_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("threatmodels", "0001_initial"), ("accounts", "0002_rules")]

    operations = [
        EnforceOnDelete(
            "ThreatModel",
            "Diagram",
            "DiagramOperation",
            "Threat",
            "Asset",
            "Document",
            "Note",
            "Repository",
            "Metadata",
            "ThreatModelAccess",
            "AccessInvitation",
        ),
        migrations.RunSQL(APPEND_ONLY, NOT_APPEND_ONLY),
        migrations.RunSQL(FOLLOW, UNFOLLOW),
        migrations.RunSQL(FOLLOW_CELLS, UNFOLLOW_CELLS),
        migrations.RunSQL(SUMMARY, "DROP VIEW threat_model_summary"),
        migrations.RunSQL(REPORT, "DROP VIEW threat_report"),
    ]
