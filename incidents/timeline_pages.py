"""Which entries of a timeline a page shows: the newest, those before or around one, those of a kind."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from incidents.models import Incident, TimelineEntry, TimelineEntryQuerySet

Kind = TimelineEntry.Kind

ENTRIES_SHOWN = 100
# What each filter lets through; `config.templatetags.ui.entry_filters` names the same ones on an entry.
FILTERS: dict[str, Q] = {
    "all": Q(),
    "key": Q(is_key=True),
    "updates": Q(kind__in=[Kind.UPDATE, Kind.STATUS_PAGE]),
    "alerts": Q(kind__in=[Kind.ALERT, Kind.PAGE]),
    "chat": Q(kind__in=[Kind.MESSAGE, Kind.NOTE, Kind.DECISION, Kind.FINDING, Kind.FILE]),
    "pinned": Q(pinned_at__isnull=False),
}


@dataclass(frozen=True)
class EntriesPage:
    """A stretch of the timeline, the newest first; the sequences next to its ends are None where it ends."""

    entries: list[TimelineEntry]
    older_than: int | None = None
    newer_than: int | None = None


def of_kinds(entries: TimelineEntryQuerySet, kinds: Iterable[str]) -> TimelineEntryQuerySet:
    """Those that any of the filters lets through, by their names or as kinds of entries; without a known one all."""
    wanted = Q()
    for name in kinds:
        if name in FILTERS:
            if name == "all":
                return entries
            wanted |= FILTERS[name]
        elif name in Kind.values:
            wanted |= Q(kind=name)
    return entries.filter(wanted)


def page_of_entries(
    incident: Incident,
    *,
    kinds: Iterable[str] = (),
    before: int | None = None,
    around: int | None = None,
    limit: int = ENTRIES_SHOWN,
) -> EntriesPage:
    """At most `limit` entries of the incident, in a constant number of queries.

    The newest; those older than the entry with the sequence `before`; or `around` an entry: that one in their middle.
    """
    entries = of_kinds(TimelineEntry.objects.for_timeline().filter(incident=incident), kinds).newest_first()
    at = around if before is None else before
    turning = None if at is None else TimelineEntry.objects.filter(incident=incident, sequence=at).first()
    if turning is None:
        return _cut(list(entries[: limit + 1]), limit)
    is_older = Q(occurred_at__lt=turning.occurred_at) | Q(
        occurred_at=turning.occurred_at, sequence__lt=turning.sequence
    )
    if before is not None:
        return _cut(list(entries.filter(is_older)[: limit + 1]), limit)
    half = limit // 2
    newer = list(entries.exclude(is_older).reverse()[: half + 1])
    older = _cut(list(entries.filter(is_older)[: limit - half + 1]), limit - half)
    shown = [*reversed(newer[:half]), *older.entries]
    newest = newer[half - 1].sequence if len(newer) > half else None
    return EntriesPage(shown, older_than=older.older_than, newer_than=newest)


def _cut(found: list[TimelineEntry], limit: int) -> EntriesPage:
    """The first `limit` of what was found; one more says that there are older ones."""
    return EntriesPage(found[:limit], older_than=found[limit - 1].sequence if len(found) > limit else None)
