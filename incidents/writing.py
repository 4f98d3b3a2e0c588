"""What every write on an incident begins with: the locked row, the permission, the words."""

from accounts.actor import Actor
from events.errors import Invalid, NotFound, require
from incidents.models import Incident
from incidents.permissions import can_respond, can_view
from incidents.timeline import lock_incident

LONGEST_TEXT = 20_000


def locked(actor: Actor, incident: Incident) -> Incident:
    """The incident, locked, if the actor may change it; a private one does not exist for those outside.

    The parent of a stream is locked before it: what a stream tells its parent can't wait for a parent that ends it.
    """
    if incident.parent_id is not None:
        lock_incident(incident.parent_id)
    locked = lock_incident(incident.pk)
    if not can_view(actor, locked):
        raise NotFound("There is no such incident.")
    require(can_respond(actor, locked), "Viewers may not change incidents.")
    return locked


def written(text: str) -> str:
    """What somebody wrote, without the space around it; raises Invalid for nothing and for too much."""
    text = text.strip()
    if not text:
        raise Invalid("There is nothing to post.", field="text", remedy="Write a sentence.")
    if len(text) > LONGEST_TEXT:
        raise Invalid(f"The text is longer than {LONGEST_TEXT} characters.", field="text", remedy="Shorten it.")
    return text
