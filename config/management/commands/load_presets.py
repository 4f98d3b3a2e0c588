"""`manage.py load_presets`: the severities, statuses, roles, templates that Sitrep ships with."""

from typing import Any

from django.core.management.base import BaseCommand

from incidents.presets import load_presets as load_incident_presets
from postmortems.presets import load_presets as load_postmortem_presets


class Command(BaseCommand):
    help = (
        "Adds the preset severities, statuses, roles and templates that are missing. Running it again changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        load_incident_presets()
        load_postmortem_presets()
        self.stdout.write("The presets are loaded.")
