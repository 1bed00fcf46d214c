"""Local lists: rules, the list of each station, and the changes of tokens, which triggers write so that none is missed."""

import django.db.models.deletion
from django.db import migrations, models

#: What a list shows of a token, as it was (`was`, `group_id`) and whether it may charge no more.
FUNCTIONS = """
SET LOCAL lock_timeout = '5s';
CREATE FUNCTION stations_token_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO stations_idtokenchange (operator_id, token_id, value, type, was, group_id, gone, at)
        VALUES (OLD.operator_id, OLD.id, OLD.value, OLD.type, OLD.status = 'Accepted', OLD.group_id,
                CASE WHEN TG_OP = 'DELETE' THEN true ELSE NEW.status <> 'Accepted' END, clock_timestamp());
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO stations_idtokenchange (operator_id, token_id, value, type, was, group_id, gone, at)
        VALUES (NEW.operator_id, NEW.id, NEW.value, NEW.type, false, NULL, false, clock_timestamp());
    ELSIF TG_OP = 'UPDATE' THEN
        IF (NEW.value, NEW.type) IS DISTINCT FROM (OLD.value, OLD.type) THEN
            INSERT INTO stations_idtokenchange (operator_id, token_id, value, type, was, group_id, gone, at)
            VALUES (NEW.operator_id, NEW.id, NEW.value, NEW.type, false, NULL, false, clock_timestamp());
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION stations_token_group_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stations_idtokenchange (operator_id, token_id, value, type, was, group_id, gone, at)
    SELECT t.operator_id, t.id, t.value, t.type, t.status = 'Accepted', t.group_id, false, clock_timestamp()
    FROM accounts_idtoken t WHERE t.group_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER stations_token_come_or_gone AFTER INSERT OR DELETE ON accounts_idtoken
    FOR EACH ROW EXECUTE FUNCTION stations_token_changed();
CREATE TRIGGER stations_token_changed AFTER UPDATE ON accounts_idtoken FOR EACH ROW
    WHEN ((OLD.value, OLD.type, OLD.status, OLD.expires_at, OLD.group_id)
          IS DISTINCT FROM (NEW.value, NEW.type, NEW.status, NEW.expires_at, NEW.group_id))
    EXECUTE FUNCTION stations_token_changed();
CREATE TRIGGER stations_token_group_changed AFTER UPDATE ON accounts_idtokengroup FOR EACH ROW
    WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION stations_token_group_changed();
"""
BACK = """
DROP TRIGGER stations_token_group_changed ON accounts_idtokengroup;
DROP TRIGGER stations_token_changed ON accounts_idtoken;
DROP TRIGGER stations_token_come_or_gone ON accounts_idtoken;
DROP FUNCTION stations_token_group_changed();
DROP FUNCTION stations_token_changed();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_local_lists"),
        ("stations", "0023_quirks"),
    ]

    operations = [
        migrations.CreateModel(
            name="ListBook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("newest", models.BigIntegerField(default=0)),
                ("urgent", models.BigIntegerField(default=0)),
                ("expiries_upto", models.DateTimeField()),
                (
                    "operator",
                    models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LocalListRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "mode",
                    models.CharField(
                        choices=[("off", "None"), ("valid", "All valid ones"), ("groups", "Those of chosen groups")],
                        default="off",
                        max_length=10,
                    ),
                ),
                ("revision", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField()),
                ("group_ids", models.JSONField(blank=True, default=list, help_text="Of the groups whose tokens belong there.")),
                (
                    "operator",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"),
                ),
                (
                    "site",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="local_list_rule",
                        to="stations.site",
                    ),
                ),
                (
                    "station",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="local_list_rule",
                        to="stations.station",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="LocalList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "made_by",
                    models.CharField(blank=True, help_text="The rule and its revision by which it was made.", max_length=40),
                ),
                ("by_hand", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("off", "No list"),
                            ("waiting", "Out of step"),
                            ("sending", "Being sent"),
                            ("in_step", "In step"),
                            ("failed", "Refused"),
                            ("unsupported", "Not supported"),
                        ],
                        default="off",
                        max_length=12,
                    ),
                ),
                ("version", models.BigIntegerField(default=0)),
                ("sent_version", models.BigIntegerField(default=0)),
                ("reported_version", models.BigIntegerField(blank=True, null=True)),
                ("reported_at", models.DateTimeField(blank=True, null=True)),
                ("count", models.PositiveIntegerField(default=0, help_text="Entries that it has, as far as we know.")),
                ("left_out", models.PositiveIntegerField(default=0, help_text="Tokens that belong on it and do not fit.")),
                (
                    "limit",
                    models.PositiveIntegerField(blank=True, help_text="Entries it can hold, as the station says.", null=True),
                ),
                ("upto", models.BigIntegerField(default=0)),
                ("highest", models.BigIntegerField(default=0)),
                ("ask", models.BooleanField(default=True)),
                ("full", models.BooleanField(default=True)),
                ("urgent", models.BooleanField(default=False)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=300)),
                ("error_at", models.DateTimeField(blank=True, null=True)),
                ("pending", models.JSONField(blank=True, null=True)),
                ("synced_at", models.DateTimeField(blank=True, null=True)),
                (
                    "command",
                    models.OneToOneField(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="stations.command"
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
                (
                    "station",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="local_list", to="stations.station"
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="stations.locallistrule",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="IdTokenChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token_id", models.BigIntegerField()),
                ("value", models.CharField(max_length=255)),
                ("type", models.CharField(max_length=20)),
                ("was", models.BooleanField(help_text="Whether it might charge before.")),
                ("group_id", models.BigIntegerField(blank=True, help_text="Its group before.", null=True)),
                ("gone", models.BooleanField(help_text="Whether it may charge no more.")),
                ("number", models.BigIntegerField(blank=True, null=True)),
                ("at", models.DateTimeField()),
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
            ],
            options={
                "ordering": ["id"],
                "indexes": [
                    models.Index(fields=["operator", "number"], name="idtokenchange_operator_number"),
                    models.Index(
                        condition=models.Q(("number__isnull", True)), fields=["operator", "id"], name="idtokenchange_unnumbered"
                    ),
                    models.Index(fields=["at"], name="idtokenchange_at"),
                ],
            },
        ),
        migrations.CreateModel(
            name="LocalListEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("value", models.CharField(max_length=36)),
                ("key", models.CharField(max_length=36)),
                ("type", models.CharField(max_length=20)),
                ("status", models.CharField(max_length=20)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("group", models.CharField(blank=True, max_length=36)),
                (
                    "local_list",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="entries", to="stations.locallist"
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["operator", "key"], name="locallistentry_operator_key")],
                "constraints": [models.UniqueConstraint(fields=("local_list", "key", "type"), name="locallistentry_list_key_type")],
            },
        ),
        migrations.AddConstraint(
            model_name="locallistrule",
            constraint=models.UniqueConstraint(
                condition=models.Q(("site__isnull", True), ("station__isnull", True)),
                fields=("operator",),
                name="locallistrule_network",
            ),
        ),
        migrations.AddConstraint(
            model_name="locallistrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("site__isnull", True), ("station__isnull", True), _connector="OR"), name="locallistrule_of_one"
            ),
        ),
        migrations.AddIndex(
            model_name="locallist",
            index=models.Index(fields=["operator", "state", "-id"], name="locallist_operator_state"),
        ),
        migrations.AddIndex(
            model_name="locallist",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)), fields=["operator", "-urgent", "due_at"], name="locallist_due"
            ),
        ),
        migrations.RunSQL(FUNCTIONS, BACK),
    ]
