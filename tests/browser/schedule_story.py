"""What changes a schedule, for the pages to show: all kinds of rotations, cover, a swap, leave, shadows, calendars."""

from dataclasses import replace
from datetime import datetime, time, timedelta

from accounts.actor import Actor
from accounts.models import User
from oncall import absences, calendars, covering, feeds, swaps
from oncall.models import Schedule
from oncall.roster import schedule_specs
from oncall.rota import stretches_of
from oncall.rotations import RotationDraft
from oncall.scheduling import save_schedule

DAY = timedelta(days=1)


def tell_of_schedules(now: datetime) -> dict[str, str]:
    """Tells it and returns where it is."""
    people = {user.email.partition("@")[0]: user for user in User.objects.all()}
    admin, ana, bob, chai, dan = (people[name] for name in ("admin", "ana", "bob", "chai", "dan"))
    actor = Actor.of_user(admin, via="web")
    monday = (now - timedelta(days=now.weekday())).date()
    night = RotationDraft("Nights", [chai, dan], monday, [(None, time(22))], period="days", layer=2)
    night = replace(night, active_from=time(22), active_until=time(6))
    week = RotationDraft("Weekdays", [ana, bob, chai], monday, [(0, time(9)), (4, time(17))])
    week = replace(week, active_weekdays=[0, 1, 2, 3, 4])
    schedule = save_schedule(
        actor=actor,
        name="Search on call",
        slug="search-on-call",
        time_zone="Europe/Berlin",
        country="DE",
        rotations=[night, week],
        now=now,
    )
    absences.add_leave(actor=actor, user=ana, starts_at=now + DAY, ends_at=now + 12 * DAY, now=now, reason="Sea")
    absences.add_shadow(
        actor=actor, schedule=schedule, user=dan, follows=bob, starts_at=now, ends_at=now + 20 * DAY, now=now
    )
    _swap(actor, Schedule.objects.get(slug="primary-on-call"), ana, bob, now)
    calendars.set_calendar(
        actor=actor, schedule=schedule, kind="overrides", address="https://calendar.example.com/secret.ics", now=now
    )
    calendar = schedule.calendars.get()
    calendar.error = "The server answered 404."
    calendar.save(update_fields=["error"])
    calendar.shifts.create(uid="x", name="Somebody", starts_at=now + DAY, ends_at=now + 2 * DAY)
    feeds.open_feed(actor=actor, user=admin, now=now)
    spec = schedule_specs(now, now + 30 * DAY, {schedule.pk})[schedule.pk]
    shift = stretches_of(spec, chai.pk, now + DAY, now + 30 * DAY)[0]
    cover = covering.ask_for_cover(
        actor=Actor.of_user(chai, via="web"),
        schedule=schedule,
        user=chai,
        starts_at=shift.start,
        ends_at=shift.end,
        now=now,
        note="My daughter's school play",
    )
    return {"cover": str(cover.pk)}


def _swap(actor: Actor, schedule: Schedule, one: User, other: User, now: datetime) -> None:
    horizon = timedelta(weeks=12)
    spec = schedule_specs(now, now + horizon, {schedule.pk})[schedule.pk]
    turns = swaps.coming_turns(spec, now, horizon)
    given = next(half for user_id, half in turns if user_id == one.pk)
    taken = next(half for user_id, half in turns if user_id == other.pk)
    swaps.swap_turns(
        actor=actor, schedule=schedule, user=one, at=given.anchor, other=other, other_at=taken.anchor, now=now
    )
