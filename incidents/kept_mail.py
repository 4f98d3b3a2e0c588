"""Kept mail that is about private incidents: who is outside does not learn from it that there is one."""

import re
from collections.abc import Sequence

from accounts.actor import Actor
from incidents.models import Incident
from oncall.mailbox import KeptMail, closes_mails

# What each mail about an incident holds: its reference, or a link to one of its pages.
NAMED = re.compile(r"\bINC-(\d{1,9})\b|/incidents/(\d{1,9})/")


@closes_mails
def about_private_incidents(actor: Actor, mails: Sequence[KeptMail]) -> set[str]:
    """Those that name a private incident which the actor may not see. One query."""
    named = {mail.name: _numbers(f"{mail.subject}\n{mail.text}") for mail in mails}
    asked = Incident.objects.filter(number__in=set().union(*named.values()), visibility=Incident.Visibility.PRIVATE)
    seen = Incident.objects.visible_to(actor).filter(pk__in=asked)
    hidden = set(asked.exclude(pk__in=seen).values_list("number", flat=True))
    return {name for name, numbers in named.items() if numbers & hidden}


def _numbers(text: str) -> set[int]:
    return {int(number) for found in NAMED.findall(text) for number in found if number}
