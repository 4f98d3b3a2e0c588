"""Declare an incident: an exercise from a scenario, say."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from catalog.models import Service
from incidents.actions import declare_incident
from incidents.models import Incident, Severity
from workflows.naming import called
from workflows.registry import Context, Group, Outcome, Param, Step, short, step


@step
class Declare(Step):
    """A new incident, whatever the run is about."""

    kind: ClassVar[str] = "declare"
    label: ClassVar[Any] = _("Declare an incident")
    icon: ClassVar[str] = "flame"
    group: ClassVar[Group] = Group.INCIDENT
    needs_incident: ClassVar[bool] = False
    outputs: ClassVar[tuple[str, ...]] = ("reference", "number", "url")
    params: ClassVar[tuple[Param, ...]] = (
        Param("name", "text", _("Name"), required=True, is_template=True),
        Param("summary", "long_text", _("Summary"), is_template=True),
        Param("severity", "severity", _("Severity"), required=True, is_template=True),
        Param("service", "service", _("Affected service"), is_template=True),
        Param(
            "mode",
            "choice",
            _("Mode"),
            default="standard",
            choices=tuple((name, label) for name, label in Incident.Mode.choices if name != "retrospective"),
        ),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        mode = {"test": " as a test", "game_day": " as a game day"}.get(str(params.get("mode")), "")
        return f"Declare “{short(params.get('name'))}”, {params.get('severity')}{mode}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        incident = declare_incident(
            actor=context.actor,
            name=str(params["name"]),
            summary=str(params.get("summary") or ""),
            severity=called(Severity, params["severity"]),
            services=[called(Service, params["service"])] if params.get("service") else [],
            mode=str(params["mode"]),
            now=context.now,
        )
        output = {"reference": incident.reference, "number": incident.number, "url": incident.get_absolute_url()}
        return Outcome(f"Declared {incident}.", output)
