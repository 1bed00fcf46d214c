import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_kinds_of_people_and_audit"),
        ("stations", "0016_rollouts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("topic", models.CharField(max_length=40)),
                ("subscriber", models.CharField(max_length=40)),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("operator", "topic", "subscriber"), name="subscription_operator_topic")
                ],
            },
        ),
        migrations.AddField(
            model_name="outboxentry",
            name="facts",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="told_online",
            field=models.BooleanField(blank=True, help_text="What was told last (see `stations.services.presence`).", null=True),
        ),
    ]
