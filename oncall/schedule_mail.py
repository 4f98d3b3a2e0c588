"""The mails about schedules: who is asked to cover, what came of it, swaps, and who can't be reached."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from accounts.models import User

HEADERS = {"Auto-Submitted": "auto-generated"}


def mail_notice(user: User, *, subject: str, lines: Sequence[str], path: str, button: str) -> None:
    """Mails a person a few lines and one link into Sitrep. Raises what the mail server answers."""
    context = {"subject": subject, "lines": lines, "link": settings.PUBLIC_URL + path, "button": button}
    with translation.override(user.locale):
        mail = EmailMultiAlternatives(
            " ".join(subject.split())[:200],
            render_to_string("oncall/mail/notice.txt", context),
            to=[user.email],
            headers=HEADERS,
        )
        mail.attach_alternative(render_to_string("oncall/mail/notice.html", context), "text/html")
        mail.send()


def zone_of_person(user: User) -> ZoneInfo:
    """The zone in which a person reads times."""
    return ZoneInfo(user.time_zone)
