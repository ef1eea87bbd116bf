"""ON DELETE in the database."""

from django.db import migrations

from tmi.lib.migrations import EnforceOnDelete


class Migration(migrations.Migration):
    dependencies = [("collaboration", "0001_initial")]

    operations = [EnforceOnDelete("CollaborationSession", "SessionParticipant", "SessionRemoval")]
