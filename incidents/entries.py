"""What people write into the timeline, and what becomes of it: edited, moved, pinned, removed, put back."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.actor import Actor
from events.actions import publish
from events.errors import Conflict, Invalid, require
from incidents.chronology import refuse_too_early
from incidents.mentions import publish_mentions, who_is_mentioned
from incidents.models import Incident, TimelineEntry, TimelineRevision
from incidents.permissions import can_restore, can_rewrite
from incidents.timeline import add_entry, show_change
from incidents.writing import locked, written

Kind = TimelineEntry.Kind
# What can be said in so many words; files come by `incidents.files`.
SPOKEN_KINDS = (Kind.MESSAGE, Kind.NOTE, Kind.DECISION, Kind.FINDING)
SPOKEN_CHOICES = [(kind.value, kind.label) for kind in SPOKEN_KINDS]
EDITABLE = {"text", "occurred_at", "is_key", "in_postmortem", "is_pinned"}


@transaction.atomic
def write_entry(
    *,
    actor: Actor,
    incident: Incident,
    text: str,
    now: datetime,
    kind: str = Kind.MESSAGE,
    reply_to: TimelineEntry | None = None,
    occurred_at: datetime | None = None,
) -> TimelineEntry:
    """Writes Markdown into the timeline: a message, a note, a decision (which is a key entry) or a finding.

    People who are mentioned are told, but for those who may not see the incident: their names stand in the entry's
    `not_told`. `occurred_at` is when it happened, if not now. Raises Invalid for a reply to another incident's entry.
    """
    incident = locked(actor, incident)
    text = written(text)
    if kind not in SPOKEN_KINDS:
        raise Invalid(f"{kind!r} can't be written.", field="kind", remedy=f"Use {', '.join(SPOKEN_KINDS)}.")
    if reply_to is not None and reply_to.incident_id != incident.pk:
        raise Invalid("That entry belongs to another incident.", field="reply_to")
    mentioned = who_is_mentioned(text, incident, by=actor)
    entry = add_entry(
        incident=incident,
        actor=actor,
        kind=Kind(kind),
        text=text,
        now=now,
        data=mentioned.as_data(),
        is_key=kind == Kind.DECISION,
        reply_to=reply_to,
        occurred_at=_in_the_past(occurred_at, now) if occurred_at else None,
    )
    data = {"entry": entry.pk, "sequence": entry.sequence, "kind": entry.kind}
    publish("incident.entry_written", subject=incident, actor=actor, data=data)
    publish_mentions(entry, mentioned.people, actor=actor)
    return entry


def add_note(*, actor: Actor, incident: Incident, text: str, now: datetime) -> TimelineEntry:
    """Writes Markdown into the timeline."""
    return write_entry(actor=actor, incident=incident, text=text, now=now, kind=Kind.NOTE)


@transaction.atomic
def edit_entry(*, actor: Actor, entry: TimelineEntry, now: datetime, reason: str = "", **changes: Any) -> TimelineEntry:
    """Changes an entry: `text`, `occurred_at`, `is_key`, `in_postmortem`, `is_pinned`; what is so already stays.

    Text is changed by who wrote it and by managers, only where a person wrote it; how it stood, and when, is kept. The
    rest is open to all responders, on every entry. Raises Conflict for one that was removed.
    """
    unknown = set(changes) - EDITABLE
    if unknown:
        raise Invalid(f"{', '.join(sorted(unknown))} can't be edited.", remedy=f"Use {', '.join(sorted(EDITABLE))}.")
    incident, entry = _standing(actor, entry)
    changes = {name: value for name, value in changes.items() if value != _as_it_stands(entry, name)}
    if "text" in changes:
        changes["text"] = written(changes["text"])
        if not entry.is_written:
            raise Invalid("Sitrep wrote this entry.", field="text", remedy="Move it, or add a note that puts it right.")
        require(can_rewrite(actor, entry), "You may only edit what you wrote.", remedy="Ask its author or a manager.")
        if changes["text"] == entry.text:
            del changes["text"]
    if not changes:
        return entry
    if "occurred_at" in changes:
        changes["occurred_at"] = _in_the_past(changes["occurred_at"], now)
    fields = []
    if {"text", "occurred_at"} & set(changes):
        keep_revision(entry, actor=actor, now=now, reason=reason)
        fields.append("edited_at")
    if "is_pinned" in changes:
        entry.pinned_at = now if changes["is_pinned"] else None
        fields.append("pinned_at")
    for name in set(changes) - {"is_pinned"}:
        setattr(entry, name, changes[name])
        fields.append(name)
    entry.save(update_fields=fields)
    show_change(entry)
    data = {"entry": entry.pk, "sequence": entry.sequence, "fields": sorted(changes)}
    publish("incident.entry_edited", subject=incident, actor=actor, data=data)
    return entry


def keep_revision(entry: TimelineEntry, *, actor: Actor, now: datetime, reason: str = "") -> None:
    """Keeps how an entry stands before it is edited or moved; the caller saves `edited_at` with the change."""
    TimelineRevision.objects.create(
        entry=entry,
        text=entry.text,
        occurred_at=entry.occurred_at,
        replaced_at=now,
        replaced_by_name=actor.name[:200],
        reason=reason.strip()[:300],
    )
    entry.edited_at = now


@transaction.atomic
def remove_entry(*, actor: Actor, entry: TimelineEntry, now: datetime) -> TimelineEntry:
    """Takes away what a person wrote: the line stays and says who removed it; the words are kept for the audit, and for
    `restore_entry`.

    For its author and managers. Removing it twice changes nothing.
    """
    incident = locked(actor, entry.incident)
    entry = TimelineEntry.objects.get(pk=entry.pk)
    if entry.removed_at is not None:
        return entry
    if not entry.is_written:
        raise Conflict("Sitrep wrote this entry.", remedy="Keep it out of the postmortem instead.")
    require(can_rewrite(actor, entry), "You may only remove what you wrote.", remedy="Ask its author or a manager.")
    entry.removed_at, entry.pinned_at = now, None
    entry.data = {**entry.data, "removed_by": actor.name[:200], "removed_by_user": actor.user_id}
    entry.save(update_fields=["removed_at", "pinned_at", "data"])
    show_change(entry)
    data = {"entry": entry.pk, "sequence": entry.sequence}
    publish("incident.entry_removed", subject=incident, actor=actor, data=data)
    return entry


@transaction.atomic
def restore_entry(*, actor: Actor, entry: TimelineEntry, now: datetime) -> TimelineEntry:
    """Puts back what was removed, with its files and reactions, as it stood. One that stands stays as it is.

    For managers, and for its author unless somebody else has removed it. Nobody who is mentioned in it is told again.
    Raises Conflict for the copy of an entry of an incident that is no longer part of this one.
    """
    incident = locked(actor, entry.incident)
    entry = TimelineEntry.objects.select_related("origin").get(pk=entry.pk)
    if entry.removed_at is None:
        return entry
    require(
        can_restore(actor, entry), "You may only restore what you wrote and removed yourself.", remedy="Ask a manager."
    )
    if "copied" in entry.data and (entry.origin is None or entry.origin.merged_into_id != incident.pk):
        raise Conflict("It belongs to an incident that is no longer part of this one.", remedy="Write a note instead.")
    entry.removed_at = None
    entry.data = {name: value for name, value in entry.data.items() if name not in {"removed_by", "removed_by_user"}}
    entry.save(update_fields=["removed_at", "data"])
    show_change(entry)
    data = {"entry": entry.pk, "sequence": entry.sequence}
    publish("incident.entry_restored", subject=incident, actor=actor, data=data)
    return entry


def _standing(actor: Actor, entry: TimelineEntry) -> tuple[Incident, TimelineEntry]:
    """The incident, locked, and the entry as it is now; raises Conflict for one that was removed."""
    incident = locked(actor, entry.incident)
    entry = TimelineEntry.objects.get(pk=entry.pk)
    if entry.removed_at is not None:
        raise Conflict("This entry was removed.", remedy="Restore it first, or write a new one.")
    return incident, entry


def _as_it_stands(entry: TimelineEntry, name: str) -> Any:
    return entry.pinned_at is not None if name == "is_pinned" else getattr(entry, name)


def _in_the_past(instant: datetime, now: datetime) -> datetime:
    refuse_too_early(instant, "occurred_at")
    if instant > now:
        raise Invalid(
            "The timeline tells what has happened.", field="occurred_at", remedy="Choose a time that is not to come."
        )
    return instant
