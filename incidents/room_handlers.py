"""What follows once something was written into an incident's room: people are told, links are read."""

from django.conf import settings
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import User
from events.models import Event
from events.registry import handles
from incidents.links import read_title
from incidents.models import Incident, IncidentLink, TimelineEntry
from oncall.reaching import tell

LONGEST_QUOTE = 1000


@handles("incident.mentioned", name="incidents.tell_mentioned")
def tell_mentioned(event: Event) -> None:
    """Tells a person where they were mentioned, if they may still see it; of a private incident no more than that."""
    person = User.objects.filter(pk=event.data["user"], is_active=True).first()
    entry = TimelineEntry.objects.select_related("incident").filter(pk=event.data["entry"], removed_at=None).first()
    if person is None or entry is None:
        return
    reader = Actor.of_user(person, via="system")
    incident = Incident.objects.visible_to(reader).filter(pk=entry.incident_id).first()
    if incident is None:
        return
    link = f"{settings.PUBLIC_URL}{incident.get_absolute_url()}?around={entry.sequence}#entry-{entry.sequence}"
    if incident.is_private:
        title, detail = f"{entry.actor_name} mentioned you in {incident.reference}", "Sign in to read it."
    else:
        title = f"{entry.actor_name} mentioned you in {incident.reference} {incident.name}"
        detail = entry.text[:LONGEST_QUOTE]
    tell(person, title=title, detail=detail, now=timezone.now(), link=link)


@handles("incident.link_added", name="incidents.read_link")
def read_link(event: Event) -> None:
    """Asks the page of a new link what it is called, unless somebody named it."""
    link = IncidentLink.objects.filter(pk=event.data["link"], is_read=False).first()
    if link is not None:
        read_title(link=link)
