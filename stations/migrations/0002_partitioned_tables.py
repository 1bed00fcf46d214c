"""The tables that grow with every message, partitioned by month from the start.

Django's state sees ordinary models; the tables are made in SQL because Django cannot say PARTITION BY. They have no foreign
keys: a constraint trigger for each row would cost more than the row.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from stations import partitions

SQL = """
CREATE SEQUENCE stations_metersample_id_seq;
CREATE TABLE stations_metersample (
    id bigint NOT NULL DEFAULT nextval('stations_metersample_id_seq'),
    operator_id bigint NOT NULL,
    station_id bigint NOT NULL,
    transaction_id bigint,
    evse_number smallint NOT NULL,
    at timestamptz NOT NULL,
    context varchar(20) NOT NULL,
    energy_wh numeric(15, 3),
    power_w numeric(15, 3),
    current_a numeric(15, 3),
    voltage_v numeric(15, 3),
    soc_percent numeric(5, 2),
    extra jsonb,
    owner bigint GENERATED ALWAYS AS (COALESCE(transaction_id, -evse_number)) STORED
) PARTITION BY RANGE (at);
CREATE TABLE stations_metersample_default PARTITION OF stations_metersample DEFAULT;
-- The natural key; its head (station, time) serves every reader of one station or one transaction.
CREATE UNIQUE INDEX metersample_natural_key ON stations_metersample (station_id, at, owner, context);
CREATE INDEX metersample_operator_at ON stations_metersample (operator_id, at);

CREATE SEQUENCE stations_statushistory_id_seq;
CREATE TABLE stations_statushistory (
    id bigint NOT NULL DEFAULT nextval('stations_statushistory_id_seq'),
    operator_id bigint NOT NULL,
    station_id bigint NOT NULL,
    evse_number smallint NOT NULL,
    connector_number smallint NOT NULL,
    status varchar(20) NOT NULL,
    error_code varchar(50) NOT NULL,
    info varchar(50) NOT NULL,
    vendor_id varchar(255) NOT NULL,
    vendor_error_code varchar(50) NOT NULL,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL
) PARTITION BY RANGE (at);
CREATE TABLE stations_statushistory_default PARTITION OF stations_statushistory DEFAULT;
CREATE INDEX statushistory_station_at ON stations_statushistory (station_id, at);

CREATE SEQUENCE stations_messagelogentry_id_seq;
CREATE TABLE stations_messagelogentry (
    id bigint NOT NULL DEFAULT nextval('stations_messagelogentry_id_seq'),
    operator_id bigint NOT NULL,
    station_id bigint NOT NULL,
    direction varchar(3) NOT NULL,
    protocol varchar(20) NOT NULL,
    message_id varchar(36) NOT NULL,
    action varchar(50) NOT NULL,
    event varchar(50) NOT NULL,
    outcome varchar(40) NOT NULL,
    call text NOT NULL,
    answer text NOT NULL,
    received_at timestamptz NOT NULL,
    handling_us integer NOT NULL
) PARTITION BY RANGE (received_at);
CREATE TABLE stations_messagelogentry_default PARTITION OF stations_messagelogentry DEFAULT;
CREATE INDEX messagelogentry_station_at ON stations_messagelogentry (station_id, received_at, id);
CREATE INDEX messagelogentry_operator_at ON stations_messagelogentry (operator_id, received_at, id);

-- Transaction ids of 1.6 are int32, positive and unique over the whole system (OCPP 1.6 StartTransaction.conf).
CREATE SEQUENCE stations_v16_transaction_id_seq AS integer;
-- The number of a socket: the newest one of a station has the highest.
CREATE SEQUENCE stations_fence_seq;
"""

REVERSE = """
DROP TABLE stations_metersample, stations_statushistory, stations_messagelogentry;
DROP SEQUENCE stations_metersample_id_seq, stations_statushistory_id_seq, stations_messagelogentry_id_seq,
    stations_v16_transaction_id_seq, stations_fence_seq;
"""


def make_partitions(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        partitions.make(cursor, timezone.now().date())


class Migration(migrations.Migration):
    dependencies = [("stations", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(SQL, REVERSE),
                migrations.RunPython(make_partitions, migrations.RunPython.noop),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="MessageLogEntry",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        (
                            "direction",
                            models.CharField(choices=[("in", "from the station"), ("out", "to the station")], max_length=3),
                        ),
                        ("protocol", models.CharField(max_length=20)),
                        ("message_id", models.CharField(max_length=36)),
                        ("action", models.CharField(max_length=50)),
                        ("event", models.CharField(blank=True, max_length=50)),
                        ("outcome", models.CharField(blank=True, max_length=40)),
                        ("call", models.TextField()),
                        ("answer", models.TextField(blank=True)),
                        ("received_at", models.DateTimeField()),
                        ("handling_us", models.IntegerField()),
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
                        "ordering": ["-received_at"],
                    },
                ),
                migrations.CreateModel(
                    name="StatusHistory",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("evse_number", models.PositiveSmallIntegerField()),
                        ("connector_number", models.PositiveSmallIntegerField()),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("Available", "Available"),
                                    ("Preparing", "Preparing"),
                                    ("Charging", "Charging"),
                                    ("SuspendedEV", "SuspendedEV"),
                                    ("SuspendedEVSE", "SuspendedEVSE"),
                                    ("Finishing", "Finishing"),
                                    ("Reserved", "Reserved"),
                                    ("Unavailable", "Unavailable"),
                                    ("Faulted", "Faulted"),
                                ],
                                max_length=20,
                            ),
                        ),
                        ("error_code", models.CharField(blank=True, max_length=50)),
                        ("info", models.CharField(blank=True, max_length=50)),
                        ("vendor_id", models.CharField(blank=True, max_length=255)),
                        ("vendor_error_code", models.CharField(blank=True, max_length=50)),
                        ("at", models.DateTimeField(help_text="When it happened, by the station's clock if that can be believed.")),
                        ("received_at", models.DateTimeField()),
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
                        "ordering": ["-at"],
                    },
                ),
                migrations.CreateModel(
                    name="MeterSample",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("evse_number", models.PositiveSmallIntegerField()),
                        ("at", models.DateTimeField()),
                        ("context", models.CharField(max_length=20)),
                        ("energy_wh", models.DecimalField(blank=True, decimal_places=3, max_digits=15, null=True)),
                        ("power_w", models.DecimalField(blank=True, decimal_places=3, max_digits=15, null=True)),
                        ("current_a", models.DecimalField(blank=True, decimal_places=3, max_digits=15, null=True)),
                        ("voltage_v", models.DecimalField(blank=True, decimal_places=3, max_digits=15, null=True)),
                        ("soc_percent", models.DecimalField(blank=True, decimal_places=2, max_digits=5, null=True)),
                        ("extra", models.JSONField(blank=True, null=True)),
                        (
                            "owner",
                            models.GeneratedField(
                                expression=Coalesce("transaction_id", -F("evse_number")),
                                output_field=models.BigIntegerField(),
                                db_persist=True,
                            ),
                        ),
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
                        (
                            "transaction",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="samples",
                                to="stations.transaction",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-at"],
                    },
                ),
            ],
        ),
    ]
