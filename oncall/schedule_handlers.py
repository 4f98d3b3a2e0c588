"""What schedules do when something happens: mail those whom it concerns, each as a delivery that is tried again."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from events.models import Event
from events.registry import handles
from oncall.foresight import stretch_in_words
from oncall.models import CoverRequest, Schedule
from oncall.schedule_mail import mail_notice, zone_of_person
from oncall.soundness import UNREACHABLE, owners_of


def _cover(event: Event) -> CoverRequest | None:
    found = CoverRequest.objects.select_related("schedule", "user", "covered_by")
    return found.filter(pk=event.subject_id).first()


def _stretch(user: User, start: datetime, end: datetime) -> str:
    return f"{stretch_in_words(start, end, zone_of_person(user))} ({user.time_zone})"


@handles("cover.asked", name="oncall.mail_cover_request")
def mail_whoever_is_asked(event: Event) -> None:
    """Asks one person by mail, with a link to the request."""
    cover, user = _cover(event), User.objects.filter(pk=event.data["user"], is_active=True).first()
    if cover is None or user is None or cover.status != CoverRequest.Status.OPEN:
        return
    with translation.override(user.locale):
        given = {"name": cover.user.display_name, "schedule": cover.schedule.name}
        lines = [_stretch(user, cover.starts_at, cover.ends_at), cover.note]
        mail_notice(
            user,
            subject=_("%(name)s asks for cover on %(schedule)s") % given,
            lines=[line for line in lines if line],
            path=reverse("oncall:cover", args=[cover.pk]),
            button=_("Answer"),
        )


@handles("cover.accepted", "cover.declined_by_all", "cover.expired", name="oncall.mail_cover_outcome")
def mail_whoever_asked(event: Event) -> None:
    """Tells whoever needs cover, and whoever asked for them, what came of it."""
    cover = _cover(event)
    if cover is None:
        return
    concerned = User.objects.filter(pk__in=[cover.user_id, cover.created_by_id], is_active=True)
    for user in concerned.exclude(pk=cover.covered_by_id or 0):
        with translation.override(user.locale):
            given = {"schedule": cover.schedule.name, "name": cover.covered_by.display_name if cover.covered_by else ""}
            subject = {
                "cover.accepted": _("%(name)s covers on %(schedule)s"),
                "cover.declined_by_all": _("Nobody who was asked can cover on %(schedule)s"),
                "cover.expired": _("Nobody has answered your request for cover on %(schedule)s"),
            }[event.name]
            mail_notice(
                user,
                subject=subject % given,
                lines=[_stretch(user, cover.starts_at, cover.ends_at)],
                path=reverse("oncall:cover", args=[cover.pk]),
                button=_("Look at it"),
            )


@handles("schedule.swapped", "schedule.swap_undone", name="oncall.mail_swap")
def mail_those_who_swapped(event: Event) -> None:
    """Tells both but whoever did it themselves."""
    schedule = Schedule.objects.filter(pk=event.subject_id).first()
    if schedule is None:
        return
    for user in _others(event, event.data["users"]):
        with translation.override(user.locale):
            given = {"schedule": schedule.name, "by": event.actor_name}
            if event.name == "schedule.swapped":
                subject = _("Your turn on %(schedule)s is swapped")
                lines = [_("%(by)s has exchanged two turns; one of them was yours, the other is now.") % given]
            else:
                subject = _("The swap on %(schedule)s is undone")
                lines = [_("%(by)s has given both turns back.") % given]
            path = reverse("oncall:schedule", args=[schedule.slug])
            mail_notice(user, subject=subject % given, lines=lines, path=path, button=_("Look at the schedule"))


def _others(event: Event, user_ids: Iterable[int]) -> list[User]:
    found = User.objects.filter(pk__in=list(user_ids), is_active=True)
    return list(found.exclude(pk=int(event.actor_key)) if event.actor_kind == "user" else found)


@handles(UNREACHABLE, name="oncall.mail_unreachable")
def mail_owners(event: Event) -> None:
    """Tells those who look after the schedule that somebody who is on call soon can't be reached."""
    schedule = Schedule.objects.select_related("team").filter(pk=event.subject_id).first()
    person = User.objects.filter(pk=event.data["user"]).first()
    if schedule is None or person is None:
        return
    for user in owners_of(schedule):
        with translation.override(user.locale):
            given = {"name": person.display_name, "schedule": schedule.name}
            mail_notice(
                user,
                subject=_("%(name)s is on call on %(schedule)s soon and can't be paged") % given,
                lines=[_("They have no contact method that works. Ask them to add one, or put somebody else on call.")],
                path=reverse("oncall:schedule", args=[schedule.slug]),
                button=_("Look at the schedule"),
            )
