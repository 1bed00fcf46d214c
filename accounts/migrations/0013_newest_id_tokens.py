"""An operator's newest id tokens are found by an index, which takes the place of the foreign key's own. Beside those who write."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

INDEX = "accounts_idtoken_operator_id_df4ac3f1"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("accounts", "0012_terms_of_connections")]

    operations = [
        AddIndexConcurrently("idtoken", models.Index(fields=["operator", "-id"], name="idtoken_operator_id")),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}",
                    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {INDEX} ON accounts_idtoken (operator_id)",
                )
            ],
            state_operations=[
                migrations.AlterField(
                    "idtoken",
                    "operator",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="id_tokens",
                        to="accounts.operator",
                    ),
                )
            ],
        ),
    ]
