from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("oncall", "0008_boards_and_pages_by_time")]

    operations = [
        migrations.AddField(
            model_name="page",
            name="is_extra",
            field=models.BooleanField(default=False, help_text="A call for help: it is sent though somebody has it."),
        ),
    ]
