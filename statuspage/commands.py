"""What status pages add to the commands of an incident's room."""

from django.utils.translation import gettext_lazy as _

from events.errors import Conflict, Invalid
from incidents.commands import Answer, Asking, Parameter, command
from incidents.commands.arguments import TEXT
from statuspage.actions import publish_update
from statuspage.models import PublicIncident


@command(
    "public",
    Parameter("text", TEXT, label="[status] text"),
    help=_("Posts an update for the public, with a status if its first word is one."),
    example="/public monitoring A fix is in place, we are watching it",
)
def public(asking: Asking, text: str) -> Answer:
    shown = list(PublicIncident.objects.filter(incident=asking.incident).exclude(status="resolved").order_by("id")[:2])
    if not shown:
        raise Conflict("The public has not been told of this incident.", remedy="Publish it first, from its page.")
    if len(shown) > 1:
        raise Conflict("It is on several status pages.", remedy="Post the update on each of them.")
    status: str | None
    status, _space, words = text.partition(" ")
    if status.lower() not in PublicIncident.Status.values:
        status, words = None, text
    if not words.strip():
        raise Invalid("There is nothing to tell the public.", field="text", remedy="Write a sentence.")
    publish_update(
        actor=asking.actor,
        public_incident=shown[0],
        body=words.strip(),
        status=status.lower() if status else None,
        now=asking.now,
    )
    return Answer()
