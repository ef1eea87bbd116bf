"""Operations are added to the log by a function, whose plans a connection keeps."""

from django.db import migrations

# False, and nothing is kept, where the diagram is not at `vector` (any more), or it or its model is deleted.
FUNCTION = """
CREATE FUNCTION append_operations(diagram uuid, vector bigint, moment timestamptz, entries jsonb)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  model uuid;
BEGIN
  UPDATE diagrams d SET update_vector = vector + jsonb_array_length(entries), modified_at = moment
  FROM threat_models t
  WHERE d.id = diagram AND d.update_vector = vector AND d.deleted_at IS NULL
    AND t.id = d.threat_model_id AND t.deleted_at IS NULL
  RETURNING d.threat_model_id INTO model;
  IF model IS NULL THEN
    RETURN false;
  END IF;
  INSERT INTO diagram_operations (id, diagram_id, sequence_number, operation_id, user_internal_uuid, operation,
    inverse, digest, undo_of, redo_of, created_at)
  SELECT (entry ->> 'id')::uuid, diagram, vector + place, (entry ->> 'operation_id')::uuid,
    (entry ->> 'actor_id')::uuid, entry -> 'operation', entry -> 'inverse', entry ->> 'digest',
    (entry ->> 'undo_of')::uuid, (entry ->> 'redo_of')::uuid, moment
  FROM jsonb_array_elements(entries) WITH ORDINALITY AS e(entry, place);
  UPDATE threat_models SET modified_at = moment WHERE id = model;
  RETURN true;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("threatmodels", "0003_operation_digest")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION append_operations(uuid, bigint, timestamptz, jsonb)")
    ]
