"""Entries of the audit are found by their time, and from there by their number. Built beside the writers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("accounts", "0008_keep_logs")]

    operations = [
        AddIndexConcurrently(
            model_name="auditentry",
            index=models.Index(fields=["operator", "at", "id"], name="audit_by_time"),
        ),
    ]
