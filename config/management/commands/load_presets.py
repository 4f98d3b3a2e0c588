"""`manage.py load_presets`: the severities, statuses, roles, templates, workflows that Sitrep ships with."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from incidents.presets import SETS
from incidents.presets import load_presets as load_incident_presets
from postmortems.presets import load_presets as load_postmortem_presets
from workflows.presets import load_presets as load_workflow_presets


class Command(BaseCommand):
    help = (
        "Adds the preset severities, statuses, roles, templates and workflows that are missing. "
        "Running it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--set",
            choices=SETS,
            default=SETS[0],
            help="Which severities: sev (SEV1 to SEV4), or p (P1 to P4, in place of those of the same rank).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        load_incident_presets(options["set"])
        load_postmortem_presets()
        load_workflow_presets()
        self.stdout.write("The presets are loaded.")
