"""Webhooks, and the outbox that the database fills in the transaction of each change."""

from importlib import import_module

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import tmi.lib.crypto
import tmi.lib.fields
import tmi.lib.ids
import tmi.lib.text
from tmi.lib.migrations import EnforceOnDelete

# A UUIDv7, for rows that the database makes.
NEW_ID = """
CREATE FUNCTION new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
    substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
    FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;
"""
# The rank of a person's role on a threat model, deleted or not: 0 none, 1 reader, 2 writer, 3 owner.
ROLE = """
CREATE FUNCTION role_on_model(person uuid, model uuid) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT coalesce(greatest(
    (SELECT 3 FROM threat_models m WHERE m.id = model AND m.owner_internal_uuid = person),
    (SELECT max(CASE x.role WHEN 'owner' THEN 3 WHEN 'writer' THEN 2 ELSE 1 END)
      FROM threat_model_access x WHERE x.threat_model_id = model AND (x.user_internal_uuid = person
        OR x.group_internal_uuid = '00000000-0000-0000-0000-000000000000'
        OR x.group_internal_uuid IN
          (SELECT g.group_internal_uuid FROM group_members g WHERE g.user_internal_uuid = person))),
    (SELECT max(CASE i.role WHEN 'owner' THEN 3 WHEN 'writer' THEN 2 ELSE 1 END)
      FROM access_invitations i JOIN users u ON lower(u.email) = lower(i.email) AND u.email_verified
      WHERE i.threat_model_id = model AND u.internal_uuid = person)), 0)
$$;
"""
OUTBOX = """
CREATE FUNCTION webhook_outbox(
  kind text, entity uuid, model uuid, actor uuid, data jsonb, event uuid DEFAULT new_id()
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO webhook_deliveries (id, webhook_id, event_id, event, created_at, next_attempt_at, payload)
  SELECT new_id(), w.id, event, kind, clock_timestamp(), clock_timestamp(), jsonb_build_object(
      'id', event, 'event', kind, 'created_at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'threat_model_id', model, 'entity_type', split_part(kind, '.', 1), 'entity_id', entity, 'actor_id', actor,
      'data', data)
  FROM webhooks w JOIN users u ON u.internal_uuid = w.user_internal_uuid AND u.is_active
  WHERE w.status = 'active' AND (w.threat_model_id = model OR w.threat_model_id IS NULL)
    AND w.events && ARRAY[kind, split_part(kind, '.', 1) || '.*', '*']
    AND role_on_model(w.user_internal_uuid, model) >= CASE WHEN w.threat_model_id IS NULL THEN 1 ELSE 3 END;
END $$;
"""
# As it was, and with the outbox.
APPEND_BEFORE = import_module("threatmodels.migrations.0004_append_operations").FUNCTION
APPEND = APPEND_BEFORE.replace(
    "  RETURN true;\n",
    """  PERFORM webhook_outbox('diagram.operation', diagram, model, (entries -> -1 ->> 'actor_id')::uuid,
    jsonb_build_object('sequence_number', vector + jsonb_array_length(entries)));
  RETURN true;
""",
)


def replaced(function: str) -> str:
    return function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [
        ("threatmodels", "0005_suggestions_and_packs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Webhook",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tmi.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=tmi.lib.fields.DatabaseNow(),
                        default=django.utils.timezone.now,
                        editable=False,
                    ),
                ),
                (
                    "modified_at",
                    models.DateTimeField(
                        db_default=tmi.lib.fields.DatabaseNow(),
                        default=django.utils.timezone.now,
                        editable=False,
                    ),
                ),
                (
                    "url",
                    tmi.lib.fields.LineField(
                        max_length=1000, validators=[tmi.lib.text.NotBlank()], verbose_name="address"
                    ),
                ),
                (
                    "events",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=tmi.lib.fields.LineField(max_length=100), size=None, verbose_name="events"
                    ),
                ),
                ("secret", tmi.lib.crypto.EncryptedField(editable=False)),
                ("challenge", models.TextField(editable=False)),
                (
                    "status",
                    tmi.lib.fields.LineField(
                        choices=[
                            ("pending", "waiting for the receiver's answer"),
                            ("active", "active"),
                            ("disabled", "disabled"),
                        ],
                        db_default="pending",
                        default="pending",
                        verbose_name="status",
                    ),
                ),
                (
                    "failures",
                    models.IntegerField(db_default=0, default=0, verbose_name="failures in a row"),
                ),
                (
                    "threat_model",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhooks",
                        to="threatmodels.threatmodel",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_column="user_internal_uuid",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhooks",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="made by",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook",
                "verbose_name_plural": "webhooks",
                "db_table": "webhooks",
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tmi.lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=tmi.lib.fields.DatabaseNow(),
                        default=django.utils.timezone.now,
                        editable=False,
                    ),
                ),
                ("event_id", models.UUIDField()),
                ("event", tmi.lib.fields.LineField(max_length=100, verbose_name="event")),
                ("payload", models.JSONField(verbose_name="payload")),
                (
                    "status",
                    tmi.lib.fields.LineField(
                        choices=[("pending", "pending"), ("delivered", "delivered"), ("dead", "given up")],
                        db_default="pending",
                        default="pending",
                        verbose_name="status",
                    ),
                ),
                ("attempts", models.JSONField(db_default=[], default=list, verbose_name="attempts")),
                (
                    "next_attempt_at",
                    models.DateTimeField(
                        db_default=tmi.lib.fields.DatabaseNow(),
                        default=django.utils.timezone.now,
                        editable=False,
                    ),
                ),
                ("leased_until", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "delivered_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="delivered"),
                ),
                (
                    "webhook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="threatmodels.webhook",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook delivery",
                "verbose_name_plural": "webhook deliveries",
                "db_table": "webhook_deliveries",
            },
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "active", "disabled"])),
                name="webhooks_status_check",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("status", "pending")),
                fields=["next_attempt_at"],
                name="webhook_deliveries_due_idx",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("leased_until__isnull", False)),
                fields=["webhook"],
                name="webhook_deliveries_lease_idx",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["webhook", "-created_at"], name="webhook_deliveries_webhook_idx"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["created_at"], name="webhook_deliveries_created_idx"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "delivered", "dead"])),
                name="webhook_deliveries_status_check",
            ),
        ),
        EnforceOnDelete("Webhook", "WebhookDelivery"),
        migrations.RunSQL(NEW_ID, "DROP FUNCTION new_id()"),
        migrations.RunSQL(ROLE, "DROP FUNCTION role_on_model(uuid, uuid)"),
        migrations.RunSQL(OUTBOX, "DROP FUNCTION webhook_outbox(text, uuid, uuid, uuid, jsonb, uuid)"),
        migrations.RunSQL(replaced(APPEND), replaced(APPEND_BEFORE)),
    ]
