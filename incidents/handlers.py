"""What incidents record when paging moves: who was paged, who answered, where nobody could be reached."""

from collections.abc import Callable

from accounts.actor import Actor
from events.models import Event
from events.registry import handles
from incidents.actions import note_acknowledged
from incidents.models import Incident, TimelineEntry
from incidents.timeline import add_entry

WORDS: dict[str, Callable[[Event], str]] = {
    "escalation.level_paged": lambda event: f"paged {event.data['names']} (level {event.data['level'] + 1})",
    "escalation.level_skipped": lambda event: f"paging, level {event.data['level'] + 1}: {event.data['reason']}",
    "escalation.exhausted": lambda event: "nobody answered: every level was tried",
    "page.failed": lambda event: (
        f"could not page {event.data['name']} by {event.data['channel']}: {event.data['reason']}"
    ),
}


@handles(*WORDS, name="incidents.record_paging")
def record_paging(event: Event) -> None:
    """Adds a line to each incident that the escalation pages for."""
    for incident in Incident.objects.filter(escalations=event.subject_id):
        add_entry(
            incident=incident,
            actor=Actor.of_event(event),
            kind=TimelineEntry.Kind.PAGE,
            text=WORDS[event.name](event),
            now=event.occurred_at,
            data={"escalation": event.subject_id},
        )


@handles("escalation.acknowledged", name="incidents.record_acknowledgement")
def record_acknowledgement(event: Event) -> None:
    """The first answer is the incident's acknowledgement."""
    seconds = event.data["seconds"]
    text = f"acknowledged the page after {seconds // 60}:{seconds % 60:02}"
    for incident in Incident.objects.filter(escalations=event.subject_id):
        note_acknowledged(actor=Actor.of_event(event), incident=incident, text=text, now=event.occurred_at)
