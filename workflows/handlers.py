"""What starts workflows when something happens."""

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import F

from accounts.actor import Actor
from events.conditions import holds
from events.models import Event
from events.registry import handles
from workflows.context import gathered
from workflows.models import Workflow, WorkflowVersion
from workflows.specimens import told_of
from workflows.starting import chain_of, not_for, start_run
from workflows.subjects import facts_of_subject
from workflows.triggers import HAPPENINGS


def wanted(events: Sequence[Event]) -> set[int]:
    """The events for which any workflow that is switched on waits. One query for all."""
    on = Workflow.objects.filter(is_enabled=True, trigger_kind=Workflow.TriggerKind.EVENT)
    names = {name for listed in on.values_list("events", flat=True) for name in listed}
    return {event.pk for event in events if event.name in names}


@handles(*HAPPENINGS, name="workflows.start", concerned=wanted)
def start_workflows(event: Event) -> None:
    """Starts those that wait for this event and whose conditions hold: once each, or once for its subject."""
    versions = list(
        WorkflowVersion.objects.filter(
            workflow__is_enabled=True,
            workflow__trigger_kind=Workflow.TriggerKind.EVENT,
            workflow__events__contains=[event.name],
            number=F("workflow__version"),
        )
        .select_related("workflow")
        .order_by("workflow_id")
    )
    if not versions:
        return
    about, incident = facts_of_subject(event.subject_type, event.subject_id)
    told = {
        "event": told_of(event),
        **about,
    }
    chain = chain_of(event.actor_kind, event.actor_key)
    for version in versions:
        if not_for(version.workflow, incident):
            continue
        definition = version.definition
        facts = gathered(definition=definition, told=told, incident=incident, now=event.occurred_at)
        if not holds(definition.get("conditions") or {}, facts):
            continue
        subject = f"{incident.pk}" if incident else f"{event.subject_type}-{event.subject_id}"
        once = definition.get("once") == "subject"
        start_run(
            actor=Actor.of_event(event),
            version=version,
            trigger=event.name,
            dedup_key=f"subject-{subject}" if once else f"event-{event.pk}",
            now=event.occurred_at,
            incident=incident,
            facts=told,
            chain=chain,
            delay=timedelta(minutes=definition["trigger"].get("delay_minutes") or 0),
        )
