"""Open a stream: a part of the incident with a lead and updates of its own."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.models import StatusCategory
from incidents.streams import declare_stream
from workflows.naming import person_called
from workflows.registry import Context, Group, Outcome, Param, Skip, Step, short, step


@step
class OpenStream(Step):
    """One that is open under the same name is not opened again."""

    kind: ClassVar[str] = "open_stream"
    label: ClassVar[Any] = _("Open a stream")
    icon: ClassVar[str] = "git-branch"
    group: ClassVar[Group] = Group.INCIDENT
    outputs: ClassVar[tuple[str, ...]] = ("reference", "number", "url")
    params: ClassVar[tuple[Param, ...]] = (
        Param("name", "text", _("Name"), required=True, is_template=True),
        Param("lead", "person", _("Who leads it"), is_template=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Open the stream “{short(params.get('name'))}”"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        incident, name = context.require_incident(), str(params["name"]).strip()
        open_ones = incident.streams.filter(status__category__in=[StatusCategory.TRIAGE, StatusCategory.ACTIVE])
        if open_ones.filter(name=name).exists():
            raise Skip(f"The stream “{name}” is open already.")
        stream = declare_stream(
            actor=context.actor,
            incident=incident,
            name=name,
            lead=person_called(params["lead"]) if params.get("lead") else None,
            now=context.now,
        )
        output = {"reference": stream.reference, "number": stream.number, "url": stream.get_absolute_url()}
        return Outcome(f"Opened {stream.reference}.", output)
