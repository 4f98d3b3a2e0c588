"""Gives an installation that has its presets already those rows that they have had since: once."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from incidents.presets import rows_of


def add_rows(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Qualifications, those that the preset's roles ask for, and the checklist; nothing where no preset was loaded."""

    def model(name: str) -> Any:
        return apps.get_model("incidents", name)

    if not model("IncidentRole").objects.exists():
        return
    rows = rows_of("sev")
    for row in rows["qualifications"]:
        model("Qualification").objects.get_or_create(slug=row.pop("slug"), defaults=row)
    for row in rows["roles"]:
        wanted = model("Qualification").objects.filter(slug=row.get("qualification", "")).first()
        model("IncidentRole").objects.filter(slug=row["slug"], qualification=None).update(qualification=wanted)
    for position, row in enumerate(rows["checklist"], 1):
        model("ChecklistItem").objects.get_or_create(slug=row.pop("slug"), defaults={**row, "position": position})


class Migration(migrations.Migration):
    dependencies = [("incidents", "0005_rank_among_active")]

    operations = [migrations.RunPython(add_rows, migrations.RunPython.noop, elidable=True)]
