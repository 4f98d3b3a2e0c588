"""What postmortems add to the commands of an incident's room."""

from django.utils.translation import gettext_lazy as _

from incidents.commands import Answer, Asking, command
from postmortems.actions import start_postmortem


@command("postmortem", help=_("Starts the postmortem of an incident that is over."))
def postmortem(asking: Asking) -> Answer:
    started = start_postmortem(actor=asking.actor, incident=asking.incident, now=asking.now)
    return Answer(f"[{_('The postmortem')}]({started.get_absolute_url()})")
