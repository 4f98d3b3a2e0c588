"""The mails about incidents: what is new for those who follow, and what a rule announces."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from incidents.models import Incident, IncidentFollower, TimelineEntry
from oncall.schedule_mail import zone_of_person

HEADERS = {"Auto-Submitted": "auto-generated"}


@dataclass(frozen=True)
class News:
    """What a mail about an incident says. A private one says only that it is there: its mail has no entries."""

    incident: Incident
    subject: str
    entries: Sequence[TimelineEntry] = ()
    lines: Sequence[str] = ()
    headers: dict[str, str] = field(default_factory=dict)
    why: str = ""
    unfollow: str = ""


def mail_news(follower: IncidentFollower, entries: Sequence[TimelineEntry], unfollow: str) -> None:
    """Mails a follower what is new, with a link that ends it. Raises what the mail server answers."""
    incident, user = follower.incident, follower.user
    link = settings.PUBLIC_URL + unfollow
    headers = {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    with translation.override(user.locale), timezone.override(zone_of_person(user)):
        news = News(
            incident,
            subject=subject_of(incident),
            entries=() if incident.is_private else entries,
            headers=headers,
            why=_("You follow this incident."),
            unfollow=link,
        )
        send(news, user.email)


def subject_of(incident: Incident) -> str:
    """ "INC-142 SEV1 Investigating: Payment API down"; of a private one only that there is news."""
    if incident.is_private:
        return _("There is news in %(reference)s, a private incident") % {"reference": incident.reference}
    mark = "" if incident.mode == Incident.Mode.STANDARD else f"[{incident.get_mode_display()}] "
    return f"{mark}{incident.reference} {incident.severity} {incident.status}: {incident.name}"


def brief_link(incident: Incident) -> str:
    """Where whoever hears of an incident looks at it: in plain words, without the chatter."""
    return settings.PUBLIC_URL + reverse("incidents:brief", args=[incident.number])


def send(news: News, address: str) -> None:
    """Mails it in the language and the zone that are active. Raises what the mail server answers."""
    context = {
        "news": news,
        "incident": news.incident,
        "link": brief_link(news.incident),
    }
    mail = EmailMultiAlternatives(
        " ".join(news.subject.split())[:200],
        render_to_string("incidents/mail/news.txt", context),
        to=[address],
        headers=HEADERS | news.headers,
    )
    mail.attach_alternative(render_to_string("incidents/mail/news.html", context), "text/html")
    mail.send()
