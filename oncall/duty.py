"""The change of shift: what is told to those who come, the note of those who go, and the sweep that sees it happen.

A section of the summary is a function that an app registers with `@summarises`; on-call knows no incidents and no
alerts. What a section says is mailed and kept for everybody to read, so it leaves out whatever is private.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.actor import Actor
from accounts.models import Membership
from events.actions import Fact, publish, publish_all
from events.errors import Conflict, Invalid, require
from oncall import permissions
from oncall.duty_mail import mail_handover
from oncall.handovers import Change, changes, just_after
from oncall.models import Escalation, Handover, Override, Page, RotationMember, Schedule
from oncall.roster import schedule_specs
from oncall.rota import shifts
from oncall.shadowing import begin_shadowing
from oncall.surveys import ask

DUTY = Actor.system("Change of shift")
# A change that is older than this when it is noticed is not mailed any more: the news would be old.
LATEST = timedelta(hours=1)
# How far a shift is followed back to tell when it began, and ahead to find the next handover.
LOOK_BACK = timedelta(days=35)
LOOK_AHEAD = timedelta(days=100)
MOST_LINES = 20
LONGEST_NOTE = 10_000

# --- What a summary is made of ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One thing that those who come should know; `path` leads to it on this site."""

    text: str
    path: str = ""
    detail: str = ""


Section = Callable[[Collection[int], datetime, datetime, datetime], list[Line]]
Title = str | Promise
_sections: dict[str, tuple[int, Title, Section]] = {}


def summarises(title: Title, *, order: int = 100) -> Callable[[Section], Section]:
    """Registers a section of the handover's summary; sections with a smaller `order` come first.

    The function gets the ids of those who go, from when until when they were on duty, and now (all UTC). It returns at
    most a screenful of lines, and nothing private: everybody may read them.
    """

    def register(section: Section) -> Section:
        _sections[f"{section.__module__}.{section.__qualname__}"] = (order, title, section)
        return section

    return register


def summary_of(user_ids: Collection[int], start: datetime, end: datetime, now: datetime) -> list[dict[str, Any]]:
    """The sections that have something to say, as JSON: `[{"title", "lines": [{"text", "path", "detail"}]}]`."""
    summary = []
    for _order, title, section in sorted(_sections.values(), key=lambda each: each[0]):
        lines = section(user_ids, start, end, now) if user_ids else []
        if lines:
            told = [{"text": line.text, "path": line.path, "detail": line.detail} for line in lines]
            summary.append({"title": str(title), "lines": told})
    return summary


@summarises(gettext_lazy("Open escalations"), order=10)
def open_escalations(user_ids: Collection[int], start: datetime, end: datetime, now: datetime) -> list[Line]:
    """What has paged those who go and is not over."""
    paged = Page.objects.filter(user_id__in=user_ids).values("escalation_id")
    found = Escalation.objects.open().filter(pk__in=paged, is_private=False).select_related("acknowledged_by")
    lines = []
    for escalation in found.order_by("-id")[:MOST_LINES]:
        taken = escalation.acknowledged_by
        detail = _("acknowledged by %(name)s") % {"name": taken} if taken else _("nobody has acknowledged it")
        lines.append(Line(escalation.title, reverse("oncall:escalation", args=[escalation.pk]), detail))
    return lines


@summarises(gettext_lazy("Paged during the shift, and over"), order=40)
def pages_of_the_shift(user_ids: Collection[int], start: datetime, end: datetime, now: datetime) -> list[Line]:
    """What paged those who go while they were on duty and is not open any more, each thing once."""
    sent = Page.objects.filter(
        user_id__in=user_ids, created_at__gte=start, created_at__lt=end, state=Page.State.SENT
    ).values("escalation_id")
    over = [Escalation.Status.RESOLVED, Escalation.Status.EXHAUSTED]
    found = Escalation.objects.filter(pk__in=sent, is_private=False, status__in=over).order_by("-id")
    lines = [
        Line(each.title, reverse("oncall:escalation", args=[each.pk]), each.get_status_display())
        for each in found[:MOST_LINES]
    ]
    left = found.count() - MOST_LINES if len(lines) == MOST_LINES else 0
    if left > 0:
        more = ngettext("and %(count)d more", "and %(count)d more", left) % {"count": left}
        lines.append(Line(more, reverse("oncall:escalations")))
    return lines


# --- The sweep --------------------------------------------------------------------------------------------------------


def hand_over(now: datetime) -> int:
    """Records the handovers of the last hour that are not recorded yet, and asks those who went how it was.

    Returns how many handovers it recorded, and sees who has begun to shadow within a shift. The number of queries does
    not depend on how many there are; what was recorded is not recorded again, whoever else sweeps.
    """
    recorded = _record_recent(now)
    begin_shadowing(actor=DUTY, now=now)
    return recorded


def _record_recent(now: datetime) -> int:
    recent = schedule_specs(now - LATEST, now)
    moved = {pk for pk, spec in recent.items() if len(shifts(spec, now - LATEST, just_after(now))) > 1}
    if not moved:
        return 0
    with transaction.atomic():
        # Whoever else sweeps has them: then they record it.
        held = set(
            Schedule.objects.select_for_update(skip_locked=True).filter(pk__in=moved).values_list("pk", flat=True)
        )
        specs = schedule_specs(now - LOOK_BACK, now, held)
        found = {
            pk: [change for change in changes(shifts(spec, now - LOOK_BACK, just_after(now))) if _is_fresh(change, now)]
            for pk, spec in specs.items()
        }
        ask(((pk, change) for pk, made in found.items() for change in made), actor=DUTY, now=now)
        return _record({pk: [each for each in made if each.is_handover] for pk, made in found.items()}, now)


def _is_fresh(change: Change, now: datetime) -> bool:
    return now - LATEST < change.at <= now


def _record(found: dict[int, list[Change]], now: datetime) -> int:
    rows = Handover.objects.filter(
        Q(at__gt=now - LATEST, at__lte=now) | Q(summary={}), schedule_id__in=[pk for pk, made in found.items() if made]
    )
    known: dict[tuple[int, datetime], Handover] = {(row.schedule_id, row.at): row for row in rows.order_by("at")}
    waiting = {pk: [row for row in known.values() if row.schedule_id == pk and not row.summary] for pk in found}
    coming_up = _coming_up({pk for pk, rows_of in waiting.items() if rows_of}, now)
    new: list[Handover] = []
    taken: list[Handover] = []
    merged: list[int] = []
    happened: list[tuple[Handover, Change]] = []
    for pk, made in found.items():
        for change in made:
            row = known.get((pk, change.at)) or Handover(schedule_id=pk, at=change.at)
            if row.summary:
                continue
            (taken if row.pk else new).append(row)
            row.summary = {"since": min(change.since.values(), default=change.at).isoformat()}
            # A note for a handover that has moved belongs to the one that really comes.
            for other in [each for each in waiting[pk] if each is not row and each.at not in coming_up.get(pk, ())]:
                row.note = "\n\n".join(filter(None, [row.note, other.note]))
                row.note_by_id = row.note_by_id or other.note_by_id
                waiting[pk].remove(other)
                merged.append(other.pk)
            happened.append((row, change))
    Handover.objects.filter(pk__in=merged).delete()
    Handover.objects.bulk_create(new)
    Handover.objects.bulk_update(taken, ["summary", "note", "note_by"])
    _connect(happened)
    publish_all(
        [Fact("handover.happened", row, {"schedule": row.schedule_id}) for row, _change in happened], actor=DUTY
    )
    return len(happened)


def _connect(happened: Sequence[tuple[Handover, Change]]) -> None:
    going, coming = Handover.going.through, Handover.coming.through
    going.objects.bulk_create(
        going(handover_id=row.pk, user_id=user_id) for row, change in happened for user_id in change.going
    )
    coming.objects.bulk_create(
        coming(handover_id=row.pk, user_id=user_id) for row, change in happened for user_id in change.coming
    )


def _coming_up(schedule_ids: Collection[int], now: datetime) -> dict[int, set[datetime]]:
    """When these schedules will change hands: the handovers for which a note may still wait."""
    if not schedule_ids:
        return {}
    specs = schedule_specs(now, now + LOOK_AHEAD, schedule_ids)
    return {pk: {change.at for change in _handovers(shifts(spec, now, now + LOOK_AHEAD))} for pk, spec in specs.items()}


def _handovers(found: Iterable[Any]) -> list[Change]:
    return [change for change in changes(found) if change.is_handover]


# --- The note ---------------------------------------------------------------------------------------------------------


def next_handover(schedule: Schedule, now: datetime) -> Change | None:
    """The next time that somebody takes over on this schedule; None if nobody does within a hundred days."""
    spec = schedule_specs(now - LOOK_BACK, now + LOOK_AHEAD, {schedule.pk})[schedule.pk]
    found = _handovers(shifts(spec, now - LOOK_BACK, now + LOOK_AHEAD))
    return next((change for change in found if change.at > now), None)


def waiting_note(schedule: Schedule, now: datetime) -> Handover | None:
    """The note that waits for the next handover, if somebody has written one."""
    return schedule.handovers.filter(summary={}).select_related("note_by").order_by("at").first()


def can_write_note(actor: Actor, schedule: Schedule) -> bool:
    """Whoever is on the schedule (in a rotation, by an override, in its team) and managers."""
    if permissions.can_configure(actor):
        return True
    person = Q(user_id=actor.person_id)
    return (
        RotationMember.objects.filter(person, rotation__schedule=schedule).exists()
        or Override.objects.filter(person, schedule=schedule).exists()
        or Membership.objects.filter(person, team_id=schedule.team_id or 0).exists()
    )


@transaction.atomic
def write_handover_note(
    *, actor: Actor, schedule: Schedule, note: str, now: datetime, before: str | None = None
) -> Handover | None:
    """Writes the note that those who come next on this schedule will get; an empty one takes it away (None).

    `before` is the note as the writer saw it: if somebody has changed it meanwhile, that is a Conflict.
    """
    require(can_write_note(actor, schedule), "Only those who are on this schedule may write its handover note.")
    note = note.strip()
    if len(note) > LONGEST_NOTE:
        raise Invalid(f"A note has at most {LONGEST_NOTE} letters.", field="note", remedy="Link to the rest.")
    Schedule.objects.select_for_update().get(pk=schedule.pk)
    row = waiting_note(schedule, now)
    present = row.note if row else ""
    if before is not None and _flat(before) != _flat(present):
        name = row.note_by if row and row.note_by else "Somebody"
        raise Conflict(f"{name} has changed the note meanwhile.", field="note", remedy=f"It says now: {present or '–'}")
    if not note:
        if row is not None:
            row.delete()
            publish("handover.note_removed", subject=schedule, actor=actor)
        return None
    if row is None:
        change = next_handover(schedule, now)
        if change is None:
            raise Conflict("Nobody takes over on this schedule.", remedy="Put more people into its rotations first.")
        row = Handover(schedule=schedule, at=change.at)
    if note != present:
        row.note, row.note_by_id = note, actor.user_id
        row.save()
        publish("handover.note_written", subject=schedule, actor=actor, data={"handover": row.pk})
    return row


def _flat(text: str) -> str:
    """Without the line ends that a browser makes of its own accord."""
    return text.replace("\r\n", "\n").strip()


# --- After it has happened --------------------------------------------------------------------------------------------


@transaction.atomic
def tell_handover(*, handover_id: int, now: datetime) -> bool:
    """Makes the summary of a handover and mails it to those who come, with a copy to those who go.

    Returns whether it was mailed: never twice, and never more than an hour after the change. If the mail fails nothing
    is kept of it, and it can be tried again.
    """
    handover = Handover.objects.select_for_update(of=("self",)).select_related("schedule").get(pk=handover_id)
    if handover.mailed_at is not None:
        return False
    going = list(handover.going.filter(is_active=True))
    coming = list(handover.coming.filter(is_active=True))
    since = datetime.fromisoformat(handover.summary["since"])
    gone = set(handover.going.values_list("pk", flat=True))
    handover.summary = {**handover.summary, "sections": summary_of(gone, since, handover.at, now)}
    is_late = now - handover.at > LATEST or not coming
    if not is_late:
        handover.mailed_at = now
    handover.save(update_fields=["summary", "mailed_at"])
    if not is_late:
        mail_handover(handover, coming, going)
        publish("handover.mailed", subject=handover, actor=DUTY, data={"schedule": handover.schedule_id})
    return not is_late
