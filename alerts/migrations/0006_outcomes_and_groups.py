"""What was decided before outcomes and groups had columns of their own."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F


def tell_outcomes(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """An alert that paged, or has an incident, says so; it was opened by the only event that it names."""
    alert = apps.get_model("alerts", "Alert")
    alert.objects.filter(incident__isnull=False).update(outcome="attached")
    alert.objects.filter(escalation__isnull=False).update(outcome="paged")
    alert.objects.filter(count=1, status="firing").update(first_raw_event=F("last_raw_event"))


def group_by_service(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Routes that declare joined the open incident of the same service; now they say so."""
    apps.get_model("alerts", "AlertRoute").objects.filter(declares_incident=True).update(group_by=["service"])


def nothing(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Back there is nothing to do: the columns go."""


class Migration(migrations.Migration):
    dependencies = [("alerts", "0005_noise_and_ledger")]

    operations = [
        migrations.RunPython(tell_outcomes, nothing, elidable=True),
        migrations.RunPython(group_by_service, nothing, elidable=True),
    ]
