"""A command for many stations is a run that workers bring on: a row for each station, a pace, a stop rule."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_former_id_tags"),
        ("stations", "0029_variables_that_show_costs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CommandRunStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("asked", "Asked"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("skipped", "Left out"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=20)),
                ("detail", models.CharField(blank=True, max_length=300)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["run", "id"],
            },
        ),
        migrations.AddField(
            model_name="commandrun",
            name="at_once",
            field=models.PositiveIntegerField(db_default=50, default=50),
        ),
        migrations.AddField(
            model_name="commandrun",
            name="chosen_to",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="commandrun",
            name="due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="commandrun",
            name="expected",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="commandrun",
            name="failed_percent",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="commandrun",
            name="finished_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="commandrun",
            name="held",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="commandrun",
            name="jitter_s",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="commandrun",
            name="judge_after",
            field=models.PositiveIntegerField(db_default=10, default=10),
        ),
        migrations.AddField(
            model_name="commandrun",
            name="judged_from",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="commandrun",
            name="most_failed",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="commandrun",
            name="selection",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="commandrun",
            name="state",
            field=models.CharField(
                choices=[
                    ("choosing", "Choosing"),
                    ("running", "Running"),
                    ("paused", "Paused"),
                    ("cancelled", "Cancelled"),
                    ("done", "Done"),
                ],
                db_default="done",
                default="choosing",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="commandrun",
            name="wait_s",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="commandrun",
            name="wordings",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AlterField(
            model_name="commandrun",
            name="token",
            field=models.CharField(max_length=100),
        ),
        migrations.AddIndex(
            model_name="commandrun",
            index=models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="commandrun_due"),
        ),
        migrations.AddField(
            model_name="commandrunstep",
            name="command",
            field=models.OneToOneField(
                blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="run_step", to="stations.command"
            ),
        ),
        migrations.AddField(
            model_name="commandrunstep",
            name="run",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="stations.commandrun"
            ),
        ),
        migrations.AddField(
            model_name="commandrunstep",
            name="station",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="stations.station"),
        ),
        migrations.AddIndex(
            model_name="commandrunstep",
            index=models.Index(fields=["run", "id"], name="commandrunstep_run_id"),
        ),
        migrations.AddIndex(
            model_name="commandrunstep",
            index=models.Index(fields=["run", "state"], name="commandrunstep_run_state"),
        ),
        migrations.AddConstraint(
            model_name="commandrunstep",
            constraint=models.UniqueConstraint(fields=("run", "station"), name="commandrunstep_run_station"),
        ),
    ]
