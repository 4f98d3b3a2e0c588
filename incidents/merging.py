"""Merging an incident into another that it is a part of, and taking that back."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.actor import Actor
from events.actions import publish
from events.errors import Conflict, Invalid
from incidents.actions import NEEDS_CONFIRMATION
from incidents.belongings import in_words, move_all, take_all_back
from incidents.crossposting import tell_parent
from incidents.membership import paged_for
from incidents.models import Incident, IncidentMember, IncidentMerge, StatusCategory, TimelineEntry
from incidents.moving import enter, first_status
from incidents.state import roles_of, services_of
from incidents.timeline import add_entry, lock_incident, redraw, show_change, show_entry
from incidents.transitions import ENDED, MERGED, MOVES
from incidents.writing import locked

Kind = TimelineEntry.Kind
COPIED = Q(is_key=True) | Q(kind__in=[Kind.DECISION, Kind.FINDING])
Standings = dict[str, dict[str, Any]]


@transaction.atomic
def merge_incident(
    *, actor: Actor, incident: Incident, into: Incident, now: datetime, reason: str = "", confirmed: bool = False
) -> Incident:
    """Makes `incident` a part of `into` and returns it, in a status of the category merged.

    Alerts, open roles and actions, services, links, followers, streams and what pages move, as far as the other has not
    the same; the key entries of its timeline are copied. What moved is remembered, for `unmerge_incident`. Again
    changes nothing. What was private becomes known to others only if `confirmed`. Raises Conflict for what has ended,
    for incidents of different modes, and where a stream would have streams.
    """
    source, target = _both(actor, incident, into)
    if source.merged_into_id == target.pk:
        return source
    if source.pk == target.pk:
        raise Invalid("An incident can't be merged into itself.", field="into", remedy="Choose another one.")
    _refuse_to_merge(source, target)
    if not confirmed:
        _refuse_to_reveal(source, target)
    before = _standings(source, target)
    status_before = source.status
    moved = move_all(source, target)
    moved |= _let_members_in(source, target, now)
    source.merged_into = target
    source.save(update_fields=["merged_into"])
    data = enter(incident=source, status=first_status(StatusCategory.MERGED), now=now)
    reason = reason.strip()
    if reason:
        data["reason"] = reason
    after = _standings(source, target)
    is_hidden = target.is_private and not source.is_private
    called = "another incident, which is private" if is_hidden else f"{target.reference} {target.name}"
    why = f": {reason}" if reason else ""
    text = f"merged into {called}{why}"
    add_entry(
        incident=source,
        actor=actor,
        kind=Kind.MERGE,
        text=text,
        now=now,
        data={**data, "merged": True, **_changes(before, after, source)},
        is_key=True,
    )
    came = in_words(moved)
    add_entry(
        incident=target,
        actor=actor,
        kind=Kind.MERGE,
        text=f"{source.reference} {source.name} was merged into this" + (f" with {came}" if came else "") + why,
        now=now,
        data={"source": source.number, **_changes(before, after, target)},
        is_key=True,
    )
    moved["entries"] = _copy_entries(source, target, now)
    IncidentMerge.objects.create(
        source=source,
        target=target,
        status_before=status_before,
        moved=moved,
        merged_at=now,
        merged_by_name=actor.name[:200],
    )
    tell_parent(actor=actor, stream=source, text=text, now=now)
    publish("incident.merged", subject=source, actor=actor, data={"into": target.pk, "reason": reason})
    return source


@transaction.atomic
def unmerge_incident(*, actor: Actor, incident: Incident, now: datetime, reason: str = "") -> Incident:
    """Takes a merge back: what moved returns, as far as the other still has it, and the incident stands as before.

    One that is not merged stays as it is. Raises Conflict while the other is itself merged, or the parent is over.
    """
    row = Incident.objects.select_related("merged_into").get(pk=incident.pk)
    if row.merged_into is None:
        return locked(actor, incident)
    source, target = _both(actor, incident, row.merged_into)
    merge = IncidentMerge.objects.select_related("status_before").filter(source=source, unmerged_at=None).get()
    if target.merged_into_id is not None:
        raise Conflict(f"{target.reference} is itself part of another incident.", remedy="Unmerge that one first.")
    if source.parent is not None and not source.parent.is_open:
        remedy = f"Reopen {source.parent.reference} first."
        raise Conflict(f"{source.parent.reference}, of which this is a stream, is over.", remedy=remedy)
    before = _standings(source, target)
    take_all_back(source, target, merge.moved)
    _let_members_out(target, merge.moved.get("members", []))
    merge.unmerged_at = now
    merge.save(update_fields=["unmerged_at"])
    source.merged_into = None
    source.save(update_fields=["merged_into"])
    data = enter(incident=source, status=merge.status_before, now=now)
    reason = reason.strip()
    why = f": {reason}" if reason else ""
    after = _standings(source, target)
    is_hidden = target.is_private and not source.is_private
    text = f"unmerged from {'another incident, which is private' if is_hidden else target.reference}{why}"
    add_entry(
        incident=source,
        actor=actor,
        kind=Kind.MERGE,
        text=text,
        now=now,
        data={**data, "merged": False, **_changes(before, after, source)},
        is_key=True,
    )
    add_entry(
        incident=target,
        actor=actor,
        kind=Kind.MERGE,
        text=f"{source.reference} {source.name} is no longer part of this{why}",
        now=now,
        data={"source": source.number, **_changes(before, after, target)},
        is_key=True,
    )
    _remove_copies(actor, target, merge.moved.get("entries", []), now)
    tell_parent(actor=actor, stream=source, text=text, now=now)
    publish("incident.unmerged", subject=source, actor=actor, data={"from": target.pk, "reason": reason})
    return source


def _both(actor: Actor, source: Incident, target: Incident) -> tuple[Incident, Incident]:
    """Both, locked, if the actor may change both. Always in one order, parents before streams: two merges can't wait
    for each other."""
    parents = {row.parent_id for row in (source, target) if row.parent_id is not None}
    wanted = {source.pk, target.pk} | parents
    rows = Incident.objects.filter(pk__in=wanted).values_list("pk", "parent_id")
    for pk, _parent in sorted(rows, key=lambda row: (row[1] is not None, row[0])):
        lock_incident(pk)
    return locked(actor, source), locked(actor, target)


def _refuse_to_merge(source: Incident, target: Incident) -> None:
    """Raises Conflict where the two can't become one."""
    if source.merged_into_id is not None:
        raise Conflict("This incident is part of another already.", remedy="Unmerge it first.")
    if (source.status.category, MERGED) not in MOVES:
        raise Conflict(ENDED[0], remedy=ENDED[1])
    if not target.is_open:
        raise Conflict(f"{target.reference} has ended.", field="into", remedy="Reopen it first, or choose another one.")
    if source.mode != target.mode:
        modes = f"{source.get_mode_display().lower()} and {target.get_mode_display().lower()}"
        raise Conflict(
            f"The modes differ: {modes}.", field="into", remedy="What is real and what is practice stay apart."
        )
    streams = Incident.objects.filter(parent=source)
    if not streams.exists():
        return
    if target.parent_id is not None:
        remedy = "Merge it into the incident of which that is a stream."
        raise Conflict("A stream has no streams of its own, and this incident has some.", field="into", remedy=remedy)
    if source.visibility != target.visibility:
        raise Conflict(
            "Its streams would be seen by others than now.",
            field="into",
            remedy="Make both private, or both open to everybody here, first.",
        )


def _refuse_to_reveal(source: Incident, target: Incident) -> None:
    """Raises Conflict where people would learn of a private incident who do not know of it."""
    if not source.is_private:
        return
    inside = set(source.memberships.values_list("user_id", flat=True))
    if target.is_private and set(target.memberships.values_list("user_id", flat=True)) <= inside:
        return
    who = "people who are not in it" if target.is_private else "everybody here"
    raise Conflict(
        f"This incident is private, and {target.reference} can be read by {who}.",
        code=NEEDS_CONFIRMATION,
        field="confirmed",
        remedy="Confirm that its key entries may be read there, or make the other private first.",
    )


def _standings(*incidents: Incident) -> dict[int, Standings]:
    return {row.pk: {"roles": roles_of(row), "services": services_of(row)} for row in incidents}


def _changes(before: dict[int, Standings], after: dict[int, Standings], incident: Incident) -> Standings:
    """What an entry tells of the roles and services that came or went: None for those that went."""
    found: Standings = {}
    for name in ("roles", "services"):
        was, stands = before[incident.pk][name], after[incident.pk][name]
        changed = {slug: stands.get(slug) for slug in sorted({*was, *stands}) if was.get(slug) != stands.get(slug)}
        if changed:
            found[name] = changed
    return found


def _let_members_in(source: Incident, target: Incident, now: datetime) -> dict[str, list[int]]:
    """Who may see the one, or has a role in the other or is paged for it by now, may see the private target; returns
    whom it let in."""
    if not target.is_private:
        return {}
    people = set(source.memberships.values_list("user_id", flat=True)) if source.is_private else set()
    people |= set(roles_of(target).values()) | paged_for(target)
    new = sorted(people - set(target.memberships.values_list("user_id", flat=True)))
    IncidentMember.objects.bulk_create(IncidentMember(incident=target, user_id=pk, added_at=now) for pk in new)
    return {"members": new} if new else {}


def _let_members_out(target: Incident, people: list[int]) -> None:
    """Those whom only the merge had let in; not who has a role or is paged for it by now."""
    target.memberships.filter(user_id__in=set(people) - set(roles_of(target).values()) - paged_for(target)).delete()


def _copy_entries(source: Incident, target: Incident, now: datetime) -> list[int]:
    """Shows what matters of one timeline in the other, each at its own time; returns the ids of the copies."""
    entries = source.timeline.filter(COPIED, removed_at=None).exclude(kind=Kind.MERGE).order_by("occurred_at", "pk")
    last = lock_incident(target.pk).last_sequence
    copies = [
        TimelineEntry(
            incident=target,
            sequence=sequence,
            kind=entry.kind,
            text=entry.text,
            data={"copied": entry.sequence},
            actor_kind=entry.actor_kind,
            actor_name=entry.actor_name,
            user_id=entry.user_id,
            via=entry.via,
            occurred_at=entry.occurred_at,
            recorded_at=now,
            is_key=True,
            in_postmortem=entry.in_postmortem,
            origin_id=entry.origin_id or source.pk,
        )
        for sequence, entry in enumerate(entries, start=last + 1)
    ]
    TimelineEntry.objects.bulk_create(copies)
    target.last_sequence = last + len(copies)
    target.save(update_fields=["last_sequence"])
    for copy in copies:
        transaction.on_commit(_pushing(copy), robust=True)
    redraw(target)
    return [copy.pk for copy in copies]


def _pushing(entry: TimelineEntry) -> Callable[[], None]:
    return lambda: show_entry(entry.incident.live_topic, entry)


def _remove_copies(actor: Actor, target: Incident, ids: list[int], now: datetime) -> None:
    for entry in TimelineEntry.objects.filter(pk__in=ids, incident=target, removed_at=None).order_by("sequence"):
        entry.removed_at, entry.pinned_at = now, None
        entry.data = {**entry.data, "removed_by": actor.name[:200]}
        entry.save(update_fields=["removed_at", "pinned_at", "data"])
        show_change(entry)
