"""The mails about duty: what a shift leaves behind to the next one, and the two questions after it."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import User
from oncall.models import Handover, ShiftSurvey
from oncall.roster import zone_of

HEADERS = {"Auto-Submitted": "auto-generated"}


def mail_handover(handover: Handover, coming: list[User], going: list[User]) -> None:
    """Mails the note and the summary to those who come, with a copy to those who go. Raises what the server answers."""
    schedule = handover.schedule
    people = coming[0].locale if coming else settings.LANGUAGE_CODE
    with translation.override(people), timezone.override(zone_of(schedule.time_zone)):
        subject = _("You are on call: %(schedule)s") % {"schedule": schedule.name}
        _send(subject, "handover", _handover_context(handover, coming, going), to=coming, cc=going)


def mail_handover_to_shadows(
    handover: Handover, shadows: list[User], *, following: list[User], since: datetime
) -> None:
    """Mails the same to those who learn; it says whom they follow, since when, and that they are not on call.

    Raises what the server answers.
    """
    schedule = handover.schedule
    coming, going = (list(each.filter(is_active=True)) for each in (handover.coming, handover.going))
    context = {**_handover_context(handover, coming, going), "since": since}
    context |= {"is_shadowing": True, "following": names(following)}
    with translation.override(shadows[0].locale), timezone.override(zone_of(schedule.time_zone)):
        subject = _("You are shadowing: %(schedule)s") % {"schedule": schedule.name}
        _send(subject, "handover", context, to=shadows)


def _handover_context(handover: Handover, coming: list[User], going: list[User]) -> dict[str, object]:
    return {
        "handover": handover,
        "since": handover.at,
        "schedule": handover.schedule,
        "coming": names(coming),
        "going": names(going),
        "sections": handover.summary.get("sections", []),
        "site": settings.PUBLIC_URL,
        "link": settings.PUBLIC_URL + reverse("oncall:handover", args=[handover.pk]),
    }


def mail_survey(survey: ShiftSurvey, link: str) -> None:
    """Mails the two questions with a link that answers them without signing in."""
    user, schedule = survey.user, survey.schedule
    context = {"survey": survey, "schedule": schedule, "user": user, "link": link}
    with translation.override(user.locale), timezone.override(zone_of(user.time_zone)):
        subject = _("How was your shift on %(schedule)s?") % {"schedule": schedule.name}
        _send(subject, "survey", context, to=[user])


def names(people: Iterable[User]) -> str:
    """The people in words: "Ana, Bob"."""
    return ", ".join(person.display_name for person in people)


def _send(subject: str, template: str, context: dict[str, object], *, to: list[User], cc: Iterable[User] = ()) -> None:
    mail = EmailMultiAlternatives(
        " ".join(subject.split())[:200],
        render_to_string(f"oncall/mail/{template}.txt", context),
        to=[user.email for user in to],
        cc=[user.email for user in cc],
        headers=HEADERS,
    )
    mail.attach_alternative(render_to_string(f"oncall/mail/{template}.html", context), "text/html")
    mail.send()
