"""One command for many stations: a run, and the commands that belong to it."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # an index of a big table is made beside its use

    dependencies = [
        ("accounts", "0001_initial"),
        ("stations", "0007_message_log_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CommandRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token", models.CharField(max_length=32)),
                ("kind", models.CharField(max_length=40)),
                ("params", models.JSONField(default=dict)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                (
                    "operator",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="command",
            name="run",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="commands",
                to="stations.commandrun",
            ),
        ),
        AddIndexConcurrently(
            model_name="command",
            index=models.Index(condition=models.Q(("run__isnull", False)), fields=["run", "id"], name="command_run_id"),
        ),
        migrations.AddIndex(
            model_name="commandrun",
            index=models.Index(fields=["operator", "-id"], name="commandrun_operator_id"),
        ),
        migrations.AddConstraint(
            model_name="commandrun",
            constraint=models.UniqueConstraint(fields=("operator", "token"), name="commandrun_operator_token"),
        ),
    ]
