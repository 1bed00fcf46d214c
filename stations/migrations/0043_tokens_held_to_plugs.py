"""What single id tokens are held to, types of plugs beside places, and what came with the token of a session."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_local_lists"), ("stations", "0042_charging_ended")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField(
            model_name="groupterms",
            name="connector_types",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="TokenTerms",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("places", models.JSONField(blank=True, null=True)),
                ("connector_types", models.JSONField(blank=True, null=True)),
                (
                    "operator",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"),
                ),
                (
                    "token",
                    models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="terms", to="accounts.idtoken"),
                ),
            ],
            options={"ordering": ["id"], "abstract": False},
        ),
        migrations.AddField(
            model_name="connector",
            name="type",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="As people said (ConnectorEnumType); empty: as it is told.",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="transaction",
            name="additional_id_tags",
            field=models.JSONField(
                blank=True, help_text='What the station read with the token (2.x): [{"id_tag", "type"}].', null=True
            ),
        ),
    ]
