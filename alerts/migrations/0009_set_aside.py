from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alerts", "0008_told_at")]

    operations = [
        migrations.AlterField(
            model_name="rawevent",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "Waiting"),
                    ("done", "Done"),
                    ("failed", "Failed"),
                    ("set_aside", "Failed, and set aside by somebody"),
                ],
                default="pending",
                max_length=10,
            ),
        ),
    ]
