"""The timeline of an incident as a file to keep: Markdown, JSON or CSV, entry by entry as it is read."""

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, StreamingHttpResponse

from incidents.models import Incident, TimelineEntry
from oncall.spreadsheets import BYTE_ORDER_MARK, safe_cell

READ_AT_ONCE = 500
COLUMNS = (
    "sequence",
    "occurred_at",
    "recorded_at",
    "kind",
    "who",
    "via",
    "text",
    "is_key",
    "is_pinned",
    "files",
    "removed_by",
)


def timeline_response(incident: Incident, form: str) -> StreamingHttpResponse:
    """The timeline in one of FORMS, oldest first. The caller has checked that the incident may be seen.

    What was removed is there as a line that says so, without its words. Raises Http404 for another form.
    """
    if form not in FORMS:
        raise Http404
    content_type, write = FORMS[form]
    response = StreamingHttpResponse(write(incident, _entries(incident)), content_type=content_type)
    name = f"{incident.reference.lower()}-timeline.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _entries(incident: Incident) -> Iterator[TimelineEntry]:
    entries: QuerySet[TimelineEntry] = TimelineEntry.objects.for_timeline().filter(incident=incident)
    return entries.order_by("occurred_at", "sequence").iterator(chunk_size=READ_AT_ONCE)


def fact_of(entry: TimelineEntry) -> dict[str, Any]:
    """An entry as plain values: times in UTC by ISO 8601, the words of a removed one left out."""
    is_removed = entry.removed_at is not None
    return {
        "sequence": entry.sequence,
        "occurred_at": _instant(entry.occurred_at),
        "recorded_at": _instant(entry.recorded_at or entry.occurred_at),
        "kind": entry.kind,
        "who": entry.actor_name,
        "via": entry.via,
        "text": "" if is_removed else entry.text,
        "is_key": entry.is_key,
        "is_pinned": entry.pinned_at is not None,
        "files": [] if is_removed else [file.name for file in entry.shown_files],
        "removed_by": entry.removed_by,
    }


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def as_json(incident: Incident, entries: Iterable[TimelineEntry]) -> Iterator[str]:
    """One object: the incident's reference and name, and its entries, one on each line."""
    head = {"incident": incident.reference, "name": incident.name}
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "entries": ['
    mark = "\n"
    for entry in entries:
        fact = {**fact_of(entry), "reactions": {each.emoji: list(each.names) for each in entry.reaction_groups}}
        fact["reply_to"] = entry.reply_to.sequence if entry.reply_to else None
        yield mark + json.dumps(fact, ensure_ascii=False)
        mark = ",\n"
    yield "\n]}\n"


class _Line:
    """What csv writes a row to, to hand it on at once."""

    def write(self, text: str) -> str:
        return text


def as_csv(incident: Incident, entries: Iterable[TimelineEntry]) -> Iterator[str]:
    """A table (RFC 4180) in which no cell is a formula to a spreadsheet program."""
    writer = csv.writer(_Line())
    yield BYTE_ORDER_MARK
    yield writer.writerow(COLUMNS)
    for entry in entries:
        fact = {**fact_of(entry), "files": ", ".join(file.name for file in entry.shown_files if not entry.removed_at)}
        yield writer.writerow([safe_cell(fact[column]) for column in COLUMNS])


def as_markdown(incident: Incident, entries: Iterable[TimelineEntry]) -> Iterator[str]:
    """A heading, then a paragraph for each entry: when in UTC, who, what; what people wrote is quoted."""
    yield f"# {incident.reference} {incident.name}\n"
    day = ""
    for entry in entries:
        at = entry.occurred_at.astimezone(UTC)
        if f"{at:%Y-%m-%d}" != day:
            day = f"{at:%Y-%m-%d}"
            yield f"\n## {day} (UTC)\n"
        yield f"\n**{at:%H:%M:%S}** {entry.actor_name}{_words(entry)}\n"


def _words(entry: TimelineEntry) -> str:
    if entry.removed_at is not None:
        return f": removed by {entry.removed_by}"
    files = "".join(f"\n> [{file.name}]" for file in entry.shown_files)
    if not entry.is_markdown:
        return f" {entry.text}{files}"
    label = "" if entry.kind == TimelineEntry.Kind.MESSAGE else f" ({entry.get_kind_display().lower()})"
    quoted = "".join(f"\n> {line}".rstrip() for line in entry.text.splitlines())
    return f"{label}:\n{quoted}{files}"


FORMS = {
    "md": ("text/markdown; charset=utf-8", as_markdown),
    "json": ("application/json", as_json),
    "csv": ("text/csv; charset=utf-8", as_csv),
}
