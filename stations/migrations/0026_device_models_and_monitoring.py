"""What stations tell of their variables, reports in pages, monitors, what they noticed, and customer information."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_former_id_tags"),
        ("stations", "0025_reservations_and_network_profiles"),
    ]

    operations = [
        migrations.AddField(
            model_name="variable",
            name="constant",
            field=models.BooleanField(blank=True, help_text="Whether it never changes; null: not told.", null=True),
        ),
        migrations.AddField(
            model_name="variable",
            name="highest",
            field=models.FloatField(blank=True, help_text="The highest value allowed.", null=True),
        ),
        migrations.AddField(
            model_name="variable",
            name="lowest",
            field=models.FloatField(blank=True, help_text="The lowest value allowed.", null=True),
        ),
        migrations.AddField(
            model_name="variable",
            name="monitorable",
            field=models.BooleanField(blank=True, help_text="Whether monitors can watch it; null: not told.", null=True),
        ),
        migrations.AddField(
            model_name="variable",
            name="persistent",
            field=models.BooleanField(blank=True, help_text="Whether it survives a restart; null: not told.", null=True),
        ),
        migrations.CreateModel(
            name="Report",
            fields=[
                (
                    "command",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="report",
                        serialize=False,
                        to="stations.command",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("settings", "Settings"), ("monitors", "Monitors"), ("customer", "Customer information")],
                        max_length=10,
                    ),
                ),
                ("request_id", models.BigIntegerField(help_text="The number under which the station tells it.")),
                ("about", models.JSONField(blank=True, default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("receiving", "Receiving"),
                            ("complete", "Complete"),
                            ("empty", "Empty"),
                            ("refused", "Refused"),
                            ("incomplete", "Incomplete"),
                            ("unsent", "Never asked"),
                        ],
                        default="requested",
                        max_length=10,
                    ),
                ),
                ("pages", models.JSONField(blank=True, default=list)),
                ("last_page", models.IntegerField(blank=True, null=True)),
                ("items", models.IntegerField(default=0)),
                ("detail", models.CharField(blank=True, help_text="What the station said, or what is missing.", max_length=300)),
                ("created_at", models.DateTimeField()),
                ("heard_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField()),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
                (
                    "repeat_of",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="stations.report"
                    ),
                ),
                (
                    "station",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="reports", to="stations.station"
                    ),
                ),
            ],
            options={
                "ordering": ["-command"],
            },
        ),
        migrations.CreateModel(
            name="CustomerPage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sequence", models.IntegerField()),
                ("text", models.TextField(blank=True)),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
                (
                    "report",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="texts", to="stations.report"
                    ),
                ),
            ],
            options={
                "ordering": ["report", "sequence"],
            },
        ),
        migrations.CreateModel(
            name="DeviceModel",
            fields=[
                (
                    "station",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="device_model",
                        serialize=False,
                        to="stations.station",
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("inventory_of", models.CharField(blank=True, max_length=300)),
                ("inventory_at", models.DateTimeField(blank=True, null=True)),
                ("monitors_at", models.DateTimeField(blank=True, null=True)),
                (
                    "base",
                    models.CharField(blank=True, help_text="The monitoring base that was set; empty: none was.", max_length=20),
                ),
                ("base_at", models.DateTimeField(blank=True, null=True)),
                (
                    "level",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="The monitoring level that was set; null: none was.", null=True
                    ),
                ),
                ("level_at", models.DateTimeField(blank=True, null=True)),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
            ],
            options={
                "ordering": ["station"],
                "indexes": [
                    models.Index(fields=["operator", "station"], name="devicemodel_operator_station"),
                    models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="devicemodel_due"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Monitor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("component", models.CharField(max_length=50)),
                ("component_instance", models.CharField(blank=True, max_length=50)),
                ("evse_number", models.PositiveSmallIntegerField(default=0)),
                ("connector_number", models.PositiveSmallIntegerField(default=0)),
                ("variable", models.CharField(max_length=50)),
                ("variable_instance", models.CharField(blank=True, max_length=50)),
                ("monitor_id", models.IntegerField()),
                ("type", models.CharField(max_length=20)),
                ("value", models.FloatField()),
                ("severity", models.PositiveSmallIntegerField()),
                ("transaction", models.BooleanField(default=False, help_text="It watches only while a session runs.")),
                (
                    "origin",
                    models.CharField(
                        blank=True,
                        choices=[("hard_wired", "Hard-wired"), ("preconfigured", "Preconfigured"), ("custom", "Custom")],
                        max_length=14,
                    ),
                ),
                ("known", models.BooleanField(default=True)),
                ("reported_at", models.DateTimeField()),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
                (
                    "station",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="monitors", to="stations.station"
                    ),
                ),
            ],
            options={
                "ordering": ["station", "monitor_id"],
                "indexes": [models.Index(fields=["operator", "-id"], name="monitor_operator_id")],
                "constraints": [models.UniqueConstraint(fields=("station", "monitor_id"), name="monitor_station_number")],
            },
        ),
        migrations.CreateModel(
            name="MonitorEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("component", models.CharField(max_length=50)),
                ("component_instance", models.CharField(blank=True, max_length=50)),
                ("evse_number", models.PositiveSmallIntegerField(default=0)),
                ("connector_number", models.PositiveSmallIntegerField(default=0)),
                ("variable", models.CharField(max_length=50)),
                ("variable_instance", models.CharField(blank=True, max_length=50)),
                ("place", models.CharField(max_length=230)),
                ("event_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("trigger", models.CharField(max_length=10)),
                ("notification", models.CharField(max_length=22)),
                ("value", models.TextField(blank=True)),
                ("cleared", models.BooleanField(default=False)),
                (
                    "severity",
                    models.PositiveSmallIntegerField(blank=True, help_text="That of its monitor; null: not known.", null=True),
                ),
                ("monitor_id", models.IntegerField(blank=True, null=True)),
                ("cause_id", models.BigIntegerField(blank=True, null=True)),
                ("ocpp_transaction_id", models.CharField(blank=True, max_length=36)),
                ("tech_code", models.CharField(blank=True, max_length=50)),
                ("tech_info", models.CharField(blank=True, max_length=500)),
                ("open", models.BooleanField(default=False)),
                ("since", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("closed_because", models.CharField(blank=True, max_length=12)),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
                (
                    "station",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="monitor_events",
                        to="stations.station",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["station", "-id"], name="monitorevent_station_id"),
                    models.Index(fields=["operator", "-id"], name="monitorevent_operator_id"),
                    models.Index(condition=models.Q(("open", True)), fields=["operator", "-id"], name="monitorevent_open_operator"),
                    models.Index(condition=models.Q(("open", True)), fields=["station", "place"], name="monitorevent_open_place"),
                    models.Index(
                        condition=models.Q(("open", True)),
                        fields=["operator", "severity", "-since"],
                        name="monitorevent_open_severity",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("station", "at", "event_id", "place"), name="monitorevent_natural_key")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(fields=["station", "-command"], name="report_station_command"),
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(fields=["operator", "-command"], name="report_operator_command"),
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(fields=["station", "request_id"], name="report_station_request"),
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(condition=models.Q(("finished_at__isnull", True)), fields=["due_at"], name="report_open_due"),
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(condition=models.Q(("kind", "customer")), fields=["created_at"], name="report_customer_created"),
        ),
        migrations.AddConstraint(
            model_name="customerpage",
            constraint=models.UniqueConstraint(fields=("report", "sequence"), name="customerpage_report_sequence"),
        ),
    ]
