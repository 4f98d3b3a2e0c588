"""The timeline: how an entry is added or changed, rendered once, and carried to every open page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.template.loader import render_to_string

from accounts.actor import Actor
from events.commit import once_on_commit
from events.live import is_watched, push, recheck
from events.locking import locked_row
from incidents.models import Incident, TimelineEntry

FRAGMENTS = {
    "incident-facts": "incidents/_facts.html",
    "incident-update": "incidents/_update.html",
    "incident-side": "incidents/_side.html",
}

Kind = TimelineEntry.Kind
# What people say changes nothing around the timeline.
SAID = {Kind.NOTE, Kind.MESSAGE, Kind.DECISION, Kind.FINDING}


def lock_incident(incident_id: int) -> Incident:
    """The incident with its row locked for the transaction: whoever holds it may allot the next sequence."""
    return locked_row(Incident.objects.select_related("status", "severity"), incident_id)


def add_entry(
    *,
    incident: Incident,
    actor: Actor,
    kind: TimelineEntry.Kind,
    text: str,
    now: datetime,
    data: dict[str, Any] | None = None,
    is_key: bool = False,
    origin: Incident | None = None,
    occurred_at: datetime | None = None,
    reply_to: TimelineEntry | None = None,
) -> TimelineEntry:
    """Adds the next line to the incident's timeline in the caller's transaction, and shows it live after the commit.

    `occurred_at` is when what it tells of happened, if not `now`. `origin` is the incident in which it happened, where
    that is another one: a stream, one that was merged.
    The lock on the incident's row makes sequences come without gaps and commit in order.
    """
    sequence = lock_incident(incident.pk).last_sequence + 1
    Incident.objects.filter(pk=incident.pk).update(last_sequence=sequence)
    incident.last_sequence = sequence
    entry = TimelineEntry.objects.create(
        incident=incident,
        sequence=sequence,
        kind=kind,
        text=text,
        data=data or {},
        actor_kind=actor.kind,
        actor_name=actor.name[:200],
        user_id=actor.user_id,
        via=actor.via,
        occurred_at=occurred_at or now,
        recorded_at=now,
        is_key=is_key,
        reply_to=reply_to,
        origin=origin,
    )
    transaction.on_commit(lambda: show_entry(incident.live_topic, entry), robust=True)
    if kind not in SAID:
        redraw(incident)
    return entry


def show_entry(topic: str, entry: TimelineEntry) -> None:
    """Sends an entry that is committed to the pages that watch its incident."""
    if is_watched(topic):
        push(topic, entry_message(entry))


def show_change(entry: TimelineEntry) -> None:
    """Numbers the newest change of an entry, in the caller's transaction, and shows the entry live after the commit.

    Call it after the change is saved. Changes are counted within the incident, as entries are, so that a page that was
    away can ask for those that it missed. Replies show a few words of the entry: they change along with it.
    """
    incident = lock_incident(entry.incident_id)
    changed = [entry, *TimelineEntry.objects.filter(reply_to=entry).order_by("sequence")]
    for number, each in enumerate(changed, start=incident.last_change + 1):
        each.change = number
    TimelineEntry.objects.bulk_update(changed, ["change"])
    incident.last_change += len(changed)
    incident.save(update_fields=["last_change"])
    once_on_commit(_ShowChanges(incident.pk, incident.live_topic, changed[0].change, changed[-1].change))


@dataclass(frozen=True)
class _ShowChanges:
    """Sends the entries whose newest change is one of these, as they are after the commit."""

    incident_id: int
    topic: str
    first: int
    last: int

    def __call__(self) -> None:
        if not is_watched(self.topic):
            return
        for entry in changed_after(self.incident_id, self.first - 1, limit=self.last - self.first + 1):
            if entry.change <= self.last:
                push(self.topic, change_message(entry))


@dataclass(frozen=True)
class _Redraw:
    """Sends the parts around the timeline as they are after the commit."""

    incident_id: int
    topic: str

    def __call__(self) -> None:
        if not is_watched(self.topic):
            return
        incident = Incident.objects.for_lists().get(pk=self.incident_id)
        for message in fragment_messages(incident):
            push(self.topic, message)


def redraw(incident: Incident) -> None:
    """Redraws what stands above and beside the timeline on every open page, once per transaction, after the commit."""
    once_on_commit(_Redraw(incident.pk, incident.live_topic))


def entry_message(entry: TimelineEntry) -> dict[str, Any]:
    """What a live page is sent for one entry; the HTML is the same for every viewer."""
    return {"type": "entry", "sequence": entry.sequence, "html": render_entry(entry)}


def change_message(entry: TimelineEntry) -> dict[str, Any]:
    """What a live page is sent for an entry that is no longer as it was; `entry` is one of `for_timeline()`."""
    return {"type": "entry-changed", "sequence": entry.sequence, "change": entry.change, "html": render_entry(entry)}


def fragment_messages(incident: Incident) -> list[dict[str, Any]]:
    """What a live page is sent when the facts above, or the panel beside the timeline have changed."""
    return [
        {"type": "fragment", "target": target, "html": render_to_string(template, {"incident": incident})}
        for target, template in FRAGMENTS.items()
    ]


def render_entry(entry: TimelineEntry) -> str:
    """One `<li>`; it holds nothing that depends on who looks at it."""
    return render_to_string("incidents/_entry.html", {"entry": entry})


def entries_after(incident_id: int, sequence: int, *, limit: int) -> Iterable[TimelineEntry]:
    """What a page that last saw `sequence` has missed, oldest first, at most `limit` entries."""
    entries = TimelineEntry.objects.for_timeline().filter(incident_id=incident_id, sequence__gt=sequence)
    return entries.order_by("sequence")[:limit]


def changed_after(incident_id: int, change: int, *, limit: int) -> Iterable[TimelineEntry]:
    """The entries that have changed since the change of that number, in the order of their newest changes."""
    entries = TimelineEntry.objects.for_timeline().filter(incident_id=incident_id, change__gt=max(change, 0))
    return entries.order_by("change")[:limit]


@dataclass(frozen=True)
class _Recheck:
    topic: str

    def __call__(self) -> None:
        recheck(self.topic)


def recheck_watchers(incident: Incident) -> None:
    """After the commit, cuts off the open pages of people who may no longer see the incident."""
    once_on_commit(_Recheck(incident.live_topic))
