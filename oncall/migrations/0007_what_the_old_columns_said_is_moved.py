import django.db.models.constraints
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("oncall", "0006_chain_the_ledger")]

    operations = [
        migrations.RemoveField(
            model_name="rotation",
            name="handover_time",
        ),
        migrations.RemoveField(
            model_name="rotation",
            name="handover_weekday",
        ),
        migrations.RemoveField(
            model_name="rotation",
            name="weeks",
        ),
        migrations.AddConstraint(
            model_name="escalationentry",
            constraint=models.UniqueConstraint(fields=("escalation", "number"), name="escalation_entry_number"),
        ),
        migrations.AddConstraint(
            model_name="escalationtarget",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("kind", "schedule"),
                        ("schedule__isnull", False),
                        ("team__isnull", True),
                        ("user__isnull", True),
                    ),
                    models.Q(
                        ("kind", "user"), ("schedule__isnull", True), ("team__isnull", True), ("user__isnull", False)
                    ),
                    models.Q(
                        ("kind", "team"), ("schedule__isnull", True), ("team__isnull", False), ("user__isnull", True)
                    ),
                    models.Q(
                        ("kind__in", ["service_owner", "chat", "webhook"]),
                        ("schedule__isnull", True),
                        ("team__isnull", True),
                        ("user__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="escalation_target_is_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="rotation",
            constraint=models.UniqueConstraint(
                deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                fields=("schedule", "name", "effective_until"),
                name="rotation_name",
                nulls_distinct=False,
            ),
        ),
    ]
