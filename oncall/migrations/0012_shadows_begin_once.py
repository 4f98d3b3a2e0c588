"""A shadow remembers that it was seen to begin; those that run already were not told then, and are not told now."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("oncall", "0011_paging_tests_keep_their_outcome")]

    operations = [
        migrations.AddField(
            model_name="shadow",
            name="begun_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunSQL(
            "UPDATE oncall_shadow SET begun_at = starts_at WHERE starts_at <= now()", migrations.RunSQL.noop
        ),
    ]
