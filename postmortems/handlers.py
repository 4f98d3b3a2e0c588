"""What postmortems do when something happens to an incident."""

from accounts.actor import Actor
from events.models import Event
from events.registry import handles
from incidents.models import Incident
from postmortems.actions import start_postmortem


@handles("incident.resolved", name="postmortems.start")
def start_required_postmortem(event: Event) -> None:
    """Starts the draft of an incident whose severity requires one; tests and exercises need none."""
    incident = Incident.objects.select_related("severity", "status").get(pk=event.subject_id)
    if incident.severity.requires_postmortem and incident.mode != Incident.Mode.TEST and not incident.is_open:
        start_postmortem(actor=Actor.system(), incident=incident, now=event.occurred_at)
