import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# A day's count grows with its findings, in the statement that writes these; rows are sorted as batches lock them. Once a statement
# and not once a row: a batch has at most two for it.
COUNTING = """
SET LOCAL lock_timeout = '5s';
CREATE FUNCTION stations_count_new_findings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stations_findingday AS d (operator_id, station_id, code, firmware_version, day, count)
    SELECT n.operator_id, n.station_id, n.code, s.firmware_version, (n.last_at AT TIME ZONE 'UTC')::date, sum(n.count)
    FROM added n JOIN stations_station s ON s.id = n.station_id
    GROUP BY 1, 2, 3, 4, 5 ORDER BY n.station_id, n.code
    ON CONFLICT (station_id, day, code, firmware_version) DO UPDATE SET count = d.count + EXCLUDED.count;
    RETURN NULL;
END $$;
CREATE FUNCTION stations_count_repeated_findings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stations_findingday AS d (operator_id, station_id, code, firmware_version, day, count)
    SELECT n.operator_id, n.station_id, n.code, s.firmware_version, (n.last_at AT TIME ZONE 'UTC')::date, sum(n.count - o.count)
    FROM changed n JOIN known o ON o.id = n.id JOIN stations_station s ON s.id = n.station_id
    WHERE n.count > o.count
    GROUP BY 1, 2, 3, 4, 5 ORDER BY n.station_id, n.code
    ON CONFLICT (station_id, day, code, firmware_version) DO UPDATE SET count = d.count + EXCLUDED.count;
    RETURN NULL;
END $$;
CREATE TRIGGER stations_finding_added AFTER INSERT ON stations_finding
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stations_count_new_findings();
CREATE TRIGGER stations_finding_repeated AFTER UPDATE ON stations_finding
    REFERENCING OLD TABLE AS known NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION stations_count_repeated_findings();
"""
REVERSE = """
SET LOCAL lock_timeout = '5s';
DROP TRIGGER stations_finding_added ON stations_finding;
DROP TRIGGER stations_finding_repeated ON stations_finding;
DROP FUNCTION stations_count_new_findings();
DROP FUNCTION stations_count_repeated_findings();
"""


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("stations", "0020_review_indexes"),
    ]

    operations = [
        migrations.AddField(
            "repairmessage",
            "protocol",
            models.CharField(blank=True, db_default="", help_text="Empty: before this was kept.", max_length=20),
        ),
        migrations.AddField(
            "repairmessage",
            "resolution",
            models.CharField(blank=True, choices=[("played", "played"), ("discarded", "discarded")], db_default="", max_length=20),
        ),
        migrations.AddField(
            "repairmessage",
            "note",
            models.CharField(blank=True, db_default="", help_text="Why it was resolved so.", max_length=200),
        ),
        migrations.CreateModel(
            name="Repair",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fix", models.CharField(max_length=20)),
                ("params", models.JSONField(default=dict)),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("moved", models.JSONField(default=list)),
                ("reason", models.CharField(max_length=200)),
                ("made_at", models.DateTimeField()),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
                (
                    "orphan",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="stations.transaction",
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="repairs", to="stations.transaction"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["operator", "-id"], name="repair_operator_id")],
            },
        ),
        migrations.CreateModel(
            name="FindingDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=50)),
                ("firmware_version", models.CharField(blank=True, max_length=100)),
                ("day", models.DateField()),
                ("count", models.PositiveIntegerField()),
                (
                    "operator",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.operator",
                    ),
                ),
                (
                    "station",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="stations.station",
                    ),
                ),
            ],
            options={
                "ordering": ["-day", "-id"],
                "indexes": [
                    models.Index(
                        fields=["operator", "day"],
                        include=("code", "station", "firmware_version", "count"),
                        name="findingday_operator_day",
                    ),
                    models.Index(fields=["operator", "code", "day"], name="findingday_operator_code"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("station", "day", "code", "firmware_version"), name="findingday_natural_key")
                ],
            },
        ),
        migrations.RunSQL(COUNTING, REVERSE),
    ]
