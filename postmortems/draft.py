"""The Markdown that Sitrep fills in by itself: summary, impact and timeline of an incident."""

from datetime import UTC, datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from events.durations import length_in_words
from events.markdown import escape_cell
from incidents.models import Incident, TimelineEntry
from postmortems.models import Source


def generated_text(source: str, incident: Incident) -> str:
    """The section's text as the incident stands now; empty for a section that people write."""
    texts = {Source.SUMMARY: summary_text, Source.IMPACT: impact_text, Source.TIMELINE: timeline_text}
    return texts[Source(source)](incident) if source in texts else ""


def moment(instant: datetime | None) -> str:
    """An instant in UTC, to the minute."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if instant else "–"


def summary_text(incident: Incident) -> str:
    """What happened, how bad, how long, in two sentences, and what the responders wrote."""
    facts = {
        "reference": incident.reference,
        "severity": incident.severity.name,
        "declared": moment(incident.declared_at),
        "who": incident.declared_by_name,
    }
    parts = [_("%(reference)s was declared as %(severity)s by %(who)s on %(declared)s.") % facts]
    if incident.resolved_at:
        length = length_in_words((incident.resolved_at - incident.declared_at).total_seconds())
        parts[0] += " " + _("It was resolved after %(length)s.") % {"length": length}
    if incident.summary:
        parts.append(incident.summary)
    last = incident.updates.order_by("-id").first()
    if last is not None:
        parts.append("> " + "\n> ".join(last.text.splitlines()))
    return "\n\n".join(parts)


def impact_text(incident: Incident) -> str:
    """A table of what was hit: the known facts, and rows for what only people know."""
    services = [f"{each.service.name} ({each.get_impact_display()})" for each in incident.affected_services.all()]
    began = incident.started_at or incident.declared_at
    ended = incident.mitigated_at or incident.resolved_at
    length = length_in_words((ended - began).total_seconds()) if ended else "–"
    users = "–" if incident.users_affected is None else f"{incident.users_affected:,}"
    rows = [
        (_("Impact began"), moment(began)),
        (_("Impact ended"), moment(ended)),
        (_("Duration"), length),
        (_("Users affected"), users),
        (_("Services"), ", ".join(services) or "–"),
        (_("Revenue"), "–"),
        (_("Error rate"), "–"),
        (_("Support tickets"), "–"),
    ]
    lines = [f"| {_('What')} | {_('How much')} |", "| --- | --- |"]
    lines += [f"| {escape_cell(name)} | {escape_cell(value)} |" for name, value in rows]
    return "\n".join(lines)


def timeline_text(incident: Incident) -> str:
    """A table of the incident's timeline in UTC, the oldest first, without what was removed or is kept out of it."""
    lines = [f"| {_('Time (UTC)')} | {_('Who')} | {_('What')} | {_('Via')} |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {entry.occurred_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} | {escape_cell(entry.actor_name)} "
        f"| {_cell(entry)} | {escape_cell(entry.via)} |"
        for entry in _told(incident)
    ]
    return "\n".join(lines)


def _told(incident: Incident) -> QuerySet[TimelineEntry]:
    told = TimelineEntry.objects.for_timeline().filter(incident=incident, in_postmortem=True, removed_at=None)
    return told.order_by("occurred_at", "sequence")


def _cell(entry: TimelineEntry) -> str:
    """Plain words as they stand; what a person wrote as Markdown keeps its marks, on one line; files by their names."""
    if entry.shown_files and not entry.text:
        return escape_cell(", ".join(file.name for file in entry.shown_files))
    if entry.is_markdown:
        return " ".join(entry.text.split()).replace("|", "\\|")
    return escape_cell(entry.text)
