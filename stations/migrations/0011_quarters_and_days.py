"""What is kept of meter samples when they are gone: quarters of an hour and days.

`received_at` of a sample is filled in by the database. Added without a value and given its default in a second step, it writes
no row anew; the samples that are there are counted going back in time (see `stations.services.quarters`).
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now
from django.utils import timezone

from stations import partitions

SAMPLES = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE stations_metersample ADD COLUMN received_at timestamptz;
ALTER TABLE stations_metersample ALTER COLUMN received_at SET DEFAULT now();
"""
QUARTERS = """
CREATE SEQUENCE stations_meterquarter_id_seq;
CREATE TABLE stations_meterquarter (
    id bigint NOT NULL DEFAULT nextval('stations_meterquarter_id_seq'),
    operator_id bigint NOT NULL,
    station_id bigint NOT NULL,
    start timestamptz NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    samples integer NOT NULL,
    evse_number smallint NOT NULL,
    power_mean_w numeric(15, 3),
    power_max_w numeric(15, 3),
    energy_first_wh numeric(15, 3),
    energy_last_wh numeric(15, 3),
    energy_wh numeric(15, 3),
    soc_last_percent numeric(5, 2)
) PARTITION BY RANGE (start);
CREATE TABLE stations_meterquarter_default PARTITION OF stations_meterquarter DEFAULT;
CREATE UNIQUE INDEX meterquarter_natural_key ON stations_meterquarter (station_id, start, evse_number);
CREATE INDEX meterquarter_operator_start ON stations_meterquarter (operator_id, start, id);
"""
PROGRESS = "INSERT INTO stations_meterprogress (received_until, back_to) VALUES (now(), now() + interval '2 days')"


def make_partitions(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        partitions.make(cursor, timezone.now().date())


def owner(to):
    return models.ForeignKey(
        db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to=to
    )


def register():
    return models.DecimalField(blank=True, decimal_places=3, max_digits=15, null=True)


def span(*fields):
    return [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("evse_number", models.PositiveSmallIntegerField()),
        ("samples", models.PositiveIntegerField()),
        ("first_at", models.DateTimeField()),
        ("last_at", models.DateTimeField()),
        ("power_mean_w", register()),
        ("power_max_w", register()),
        ("energy_first_wh", register()),
        ("energy_last_wh", register()),
        ("energy_wh", register()),
        ("soc_last_percent", models.DecimalField(blank=True, decimal_places=2, max_digits=5, null=True)),
        ("operator", owner("accounts.operator")),
        ("station", owner("stations.station")),
        *fields,
    ]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_operator_terms"), ("stations", "0010_transaction_indexes")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(SAMPLES, "ALTER TABLE stations_metersample DROP COLUMN received_at")],
            state_operations=[
                migrations.AddField("metersample", "received_at", models.DateTimeField(db_default=Now(), editable=False, null=True))
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(QUARTERS, "DROP TABLE stations_meterquarter; DROP SEQUENCE stations_meterquarter_id_seq"),
                migrations.RunPython(make_partitions, migrations.RunPython.noop),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="MeterQuarter",
                    fields=span(("start", models.DateTimeField())),
                    options={"ordering": ["-start"]},
                )
            ],
        ),
        migrations.CreateModel(
            name="MeterDay",
            fields=span(("day", models.DateField())),
            options={
                "ordering": ["-day"],
                "constraints": [models.UniqueConstraint(fields=["station", "day", "evse_number"], name="meterday_natural_key")],
                "indexes": [models.Index(fields=["operator", "day", "id"], name="meterday_operator_day")],
            },
        ),
        migrations.CreateModel(
            name="QuarterDue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("evse_number", models.PositiveSmallIntegerField()),
                ("start", models.DateTimeField()),
                ("station", owner("stations.station")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["station", "evse_number", "start"], name="quarterdue_natural_key")]
            },
        ),
        migrations.CreateModel(
            name="MeterProgress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("received_until", models.DateTimeField()),
                ("back_to", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(PROGRESS, migrations.RunSQL.noop),
    ]
