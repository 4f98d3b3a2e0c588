"""Internal updates: what is known, what is done, when the next one is due."""

from datetime import datetime, timedelta, tzinfo

from django.db import transaction

from accounts.actor import Actor
from accounts.models import Role
from events.actions import publish
from events.errors import Conflict, Invalid, require
from incidents.actions import change_severity, change_status
from incidents.crossposting import tell_parent
from incidents.entries import keep_revision
from incidents.models import Incident, IncidentStatus, IncidentUpdate, Severity, StatusCategory, TimelineEntry
from incidents.modes import update_interval
from incidents.timeline import add_entry, redraw, show_change
from incidents.update_words import blanks_left
from incidents.writing import locked, written

Kind = TimelineEntry.Kind
SHORTEST_TIMER = timedelta(minutes=1)
LONGEST_TIMER = timedelta(days=7)


@transaction.atomic
def post_update(
    *,
    actor: Actor,
    incident: Incident,
    text: str,
    now: datetime,
    doing: str = "",
    severity: Severity | None = None,
    status: IncidentStatus | None = None,
    next_update_in: timedelta | None = None,
    next_update_at: datetime | None = None,
    confirmed: bool = False,
) -> IncidentUpdate:
    """Posts an internal update: what is known (`text`) and what is `doing`; with a severity or a status it changes
    these too.

    A status that ends it with its streams open has to be `confirmed`. The next update is due at `next_update_at`, this
    once; or after `next_update_in`, and so are those that follow; else as until now: as the timer was set, or as the
    severity says. Raises Invalid for nothing, for a blank that nobody filled, and for a next update that is not ahead;
    Conflict for an incident that is part of another by now: its followers are that one's.
    """
    incident = locked(actor, incident)
    if incident.status.category == StatusCategory.MERGED:
        remedy = "Post it on the incident that this one is part of."
        raise Conflict("This incident was merged: nobody follows it any more.", remedy=remedy)
    text = _filled(text)
    doing = _filled(doing, field="doing") if doing.strip() else ""
    if next_update_at is not None:
        next_update_in = next_update_at - now
    if next_update_in is not None:
        _check_timer(next_update_in, field="next_update_at" if next_update_at else "next_update_minutes")
    if severity is not None and severity.pk != incident.severity_id:
        incident = change_severity(actor=actor, incident=incident, severity=severity, now=now)
    if status is not None and status.pk != incident.status_id:
        incident = change_status(actor=actor, incident=incident, status=status, now=now, confirmed=confirmed)
    if next_update_in is not None and next_update_at is None and incident.is_open:
        incident.update_interval = next_update_in
    interval = next_update_in or update_interval(incident)
    due_at = _due(incident, interval, now) if interval and incident.is_open else None
    update = IncidentUpdate.objects.create(
        incident=incident,
        text=text,
        doing=doing,
        severity=incident.severity,
        status=incident.status,
        author_id=actor.user_id,
        author_name=actor.name,
        created_at=now,
        next_update_due_at=due_at,
    )
    incident.last_update_at, incident.next_update_due_at = now, due_at
    incident.save(update_fields=["last_update_at", "next_update_due_at", "update_interval"])
    add_entry(
        incident=incident,
        actor=actor,
        kind=Kind.UPDATE,
        text=_entry_text(text, doing),
        now=now,
        data={"update": update.pk},
        is_key=True,
    )
    tell_parent(actor=actor, stream=incident, text=_entry_text(text, doing), now=now)
    publish("incident.updated", subject=incident, actor=actor, data={"update": update.pk})
    return update


@transaction.atomic
def correct_update(
    *, actor: Actor, update: IncidentUpdate, text: str, now: datetime, doing: str | None = None
) -> IncidentUpdate:
    """Corrects what an update says; how it stood before is kept with its timeline entry. Its author may, and managers.

    `doing` stays as it is unless given. The same words again change nothing.
    """
    incident = locked(actor, update.incident)
    update = IncidentUpdate.objects.select_for_update().get(pk=update.pk)
    is_author = actor.user_id is not None and actor.user_id == update.author_id
    require(is_author or actor.has_role(Role.MANAGER), "Only its author and managers may correct an update.")
    text = _filled(text)
    doing = update.doing if doing is None else _filled(doing, field="doing") if doing.strip() else ""
    if (text, doing) == (update.text, update.doing):
        return update
    update.text, update.doing = text, doing
    update.save(update_fields=["text", "doing"])
    entry = TimelineEntry.objects.filter(incident=incident, kind=Kind.UPDATE, data__update=update.pk).first()
    if entry is not None:
        keep_revision(entry, actor=actor, now=now)
        entry.text = _entry_text(text, doing)
        entry.save(update_fields=["text", "edited_at"])
        show_change(entry)
    redraw(incident)
    publish("incident.update_corrected", subject=incident, actor=actor, data={"update": update.pk})
    return update


@transaction.atomic
def start_update_timer(*, actor: Actor, incident: Incident, interval: timedelta, now: datetime) -> Incident:
    """Says that the next update is due after `interval`, and so is each that follows, whatever the severity says.

    It holds until the timer is set anew or stopped, the severity changes, or the incident is over. While paused it
    stands still. Raises Conflict for an incident that is over and Invalid for less than a minute or more than a week.
    """
    incident = locked(actor, incident)
    _check_timer(interval, field="minutes")
    if not incident.is_open:
        raise Conflict("This incident is no longer open.", remedy="Reopen it first.")
    due_at = _due(incident, interval, now)
    if (incident.next_update_due_at, update_interval(incident)) == (due_at, interval):
        return incident
    minutes = round(interval.total_seconds() / 60)
    text = f"set the update timer: an update is due every {minutes} minutes"
    return _set_timer(actor, incident, text, now, due_at=due_at, interval=interval)


@transaction.atomic
def stop_update_timer(*, actor: Actor, incident: Incident, now: datetime) -> Incident:
    """No update is due any more, also after those that are posted: until the timer is started again, an update says
    when the next one comes, or the severity changes."""
    incident = locked(actor, incident)
    if incident.next_update_due_at is None and not update_interval(incident):
        return incident
    return _set_timer(actor, incident, "stopped the update timer", now, due_at=None, interval=timedelta())


def _set_timer(
    actor: Actor, incident: Incident, text: str, now: datetime, *, due_at: datetime | None, interval: timedelta
) -> Incident:
    incident.next_update_due_at, incident.update_interval = due_at, interval
    incident.save(update_fields=["next_update_due_at", "update_interval"])
    data = {"next_update_due_at": due_at.isoformat() if due_at else None}
    add_entry(incident=incident, actor=actor, kind=Kind.EDIT, text=text, now=now, data=data)
    event = "incident.timer_started" if due_at else "incident.timer_stopped"
    publish(event, subject=incident, actor=actor, data=data)
    return incident


def plain_text(update: IncidentUpdate, zone: tzinfo) -> str:
    """An update where only plain text can be sent: "[UPDATE 14:35] text", with the time in that zone."""
    return f"[UPDATE {update.created_at.astimezone(zone):%H:%M}] {_entry_text(update.text, update.doing)}"


def _entry_text(text: str, doing: str) -> str:
    return f"{text}\n\nWhat we do: {doing}" if doing else text


def _due(incident: Incident, interval: timedelta, now: datetime) -> datetime:
    """When an update is due. In a pause it counts from the begin of that, whose whole length is added at its end."""
    return (incident.paused_at or now) + interval


def _check_timer(interval: timedelta, *, field: str) -> None:
    if interval < SHORTEST_TIMER:
        raise Invalid("The next update must be at least a minute ahead.", field=field, remedy="Choose a later time.")
    if interval > LONGEST_TIMER:
        raise Invalid("The next update is more than a week ahead.", field=field, remedy="Choose an earlier time.")


def _filled(text: str, *, field: str = "text") -> str:
    """What was written; raises Invalid while a blank of a template is left in it."""
    text = written(text)
    left = blanks_left(text)
    if left:
        raise Invalid(f"Nobody has filled in {', '.join(left)}.", field=field, remedy="Type it, or take it out.")
    return text
