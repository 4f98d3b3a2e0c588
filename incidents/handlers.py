"""What incidents record when paging moves: who was paged, who answered, where nobody could be reached."""

from collections.abc import Callable, Sequence

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.actor import Actor
from accounts.models import User
from events.models import Event
from events.registry import handles
from incidents.actions import note_acknowledged
from incidents.membership import let_paged_in
from incidents.models import Incident, IncidentRole, TimelineEntry
from incidents.permissions import can_view
from incidents.timeline import add_entry
from oncall.actions import keep_acknowledged
from oncall.models import Escalation
from oncall.reaching import tell

WORDS: dict[str, Callable[[Event], str]] = {
    "escalation.level_paged": lambda event: f"paged {event.data['names']} (level {event.data['level'] + 1})",
    "escalation.level_skipped": lambda event: f"paging, level {event.data['level'] + 1}: {event.data['reason']}",
    "escalation.exhausted": lambda event: "nobody answered: every level was tried",
    "escalation.again": lambda event: f"paging again: {event.data['reason']}",
    **dict.fromkeys(
        (
            *("escalation.declined", "escalation.escalated", "escalation.reassigned"),
            *("escalation.responder_added", "escalation.snoozed"),
        ),
        lambda event: str(event.data["text"]),
    ),
    "escalation.partly_acknowledged": lambda event: f"acknowledged; {event.data['missing']} more to answer",
    "page.failed": lambda event: (
        f"could not page {event.data['name']} by {event.data['channel']}: {event.data['reason']}"
    ),
}

SIGNS_OF_WORK = (
    *("incident.updated", "incident.edited", "incident.status_changed", "incident.severity_changed"),
    *("incident.role_assigned", "incident.service_changed", "incident.mitigated", "incident.accepted"),
)


def pages_for_incidents(events: Sequence[Event]) -> set[int]:
    """The events about escalations that page for an incident: most page for an alert alone."""
    asked = {event.subject_id for event in events}
    tied = set(Escalation.objects.filter(pk__in=asked, incidents__isnull=False).values_list("pk", flat=True))
    return {event.pk for event in events if event.subject_id in tied}


@handles(*WORDS, name="incidents.record_paging", concerned=pages_for_incidents)
def record_paging(event: Event) -> None:
    """Adds a line to each incident that the escalation pages for, and lets those whom it pages into a private one."""
    for incident in Incident.objects.filter(escalations=event.subject_id):
        add_entry(
            incident=incident,
            actor=Actor.of_event(event),
            kind=TimelineEntry.Kind.PAGE,
            text=WORDS[event.name](event),
            now=event.occurred_at,
            data={"escalation": event.subject_id},
        )
        if incident.is_private:
            paged = event.data.get("users", [])
            let_paged_in(actor=Actor.of_event(event), incident=incident, people=paged, now=event.occurred_at)


@handles(*SIGNS_OF_WORK, name="incidents.keep_acknowledged")
def keep_pages_acknowledged(event: Event) -> None:
    """Who works on an incident is not silent: what pages for it does not page again."""
    for escalation in Escalation.objects.filter(
        incidents=event.subject_id, status=Escalation.Status.ACKNOWLEDGED, due_at__isnull=False
    ):
        keep_acknowledged(escalation=escalation, now=event.occurred_at)


@handles("escalation.acknowledged", name="incidents.record_acknowledgement")
def record_acknowledgement(event: Event) -> None:
    """The first answer is the incident's acknowledgement."""
    seconds = event.data["seconds"]
    text = f"acknowledged the page after {seconds // 60}:{seconds % 60:02}"
    for incident in Incident.objects.filter(escalations=event.subject_id):
        note_acknowledged(actor=Actor.of_event(event), incident=incident, text=text, now=event.occurred_at)


@handles("incident.role_assigned", name="incidents.tell_role")
def tell_role(event: Event) -> None:
    """Tells whoever was given a role, with what they should know, unless they took it themselves."""
    user = User.objects.filter(pk=event.data.get("user") or 0, is_active=True).first()
    incident = Incident.objects.filter(pk=event.subject_id).first()
    role = IncidentRole.objects.filter(slug=event.data["role"]).first()
    if (
        user is None
        or incident is None
        or role is None
        or (event.actor_kind == "user" and event.actor_key == str(user.pk))
    ):
        return
    if not can_view(Actor.of_user(user, via="mail"), incident):
        return
    with translation.override(user.locale):
        said = _("You are %(role)s of %(reference)s") % {"role": role.name, "reference": incident.reference}
    words = [role.description] if incident.is_private else [incident.name, role.description, event.data.get("note", "")]
    detail = "\n\n".join([*filter(None, words), f"{settings.PUBLIC_URL}{incident.get_absolute_url()}"])
    tell(user, title=said, detail=detail, now=event.occurred_at)


@handles("incident.action_added", "incident.action_assigned", name="incidents.tell_assignee")
def tell_assignee(event: Event) -> None:
    """Tells whoever is given something to do now, unless they took it themselves; of a private incident only that."""
    user = User.objects.filter(pk=event.data.get("assignee") or 0, is_active=True).first()
    incident = Incident.objects.filter(pk=event.subject_id).first()
    if user is None or incident is None or (event.actor_kind == "user" and event.actor_key == str(user.pk)):
        return
    if not can_view(Actor.of_user(user, via="mail"), incident):
        return
    title, link = event.data["title"], f"{settings.PUBLIC_URL}{incident.get_absolute_url()}"
    with translation.override(user.locale):
        said = _("To do now in %(reference)s") % {"reference": incident.reference}
    detail = link if incident.is_private else f"{title}\n{link}"
    tell(user, title=said if incident.is_private else f"{said}: {title}", detail=detail, now=event.occurred_at)
