from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                ("name", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("failed_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, db_default="", help_text="Of the last run that failed.", max_length=300)),
                ("runs", models.BigIntegerField(db_default=0, default=0)),
                ("failures", models.BigIntegerField(db_default=0, default=0)),
                ("busy_s", models.FloatField(db_default=0, default=0, help_text="Seconds that all runs took together.")),
            ],
        ),
    ]
