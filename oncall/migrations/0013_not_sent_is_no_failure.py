"""A page that nobody needed any more was not sent; its attempt looked as if it had failed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("oncall", "0012_shadows_begin_once")]

    operations = [
        migrations.AlterField(
            model_name="pageattempt",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("unknown", "Unknown"),
                    ("accepted", "Accepted"),
                    ("failed", "Failed"),
                    ("refused", "Refused for good"),
                    ("not_sent", "Not sent"),
                ],
                default="unknown",
                max_length=10,
            ),
        ),
        migrations.RunSQL(
            "UPDATE oncall_pageattempt SET outcome = 'not_sent', detail = substr(detail, length('not sent: ') + 1)"
            " WHERE outcome = 'failed' AND detail LIKE 'not sent: %'",
            "UPDATE oncall_pageattempt SET outcome = 'failed', detail = 'not sent: ' || detail"
            " WHERE outcome = 'not_sent'",
        ),
    ]
