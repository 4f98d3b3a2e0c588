"""The list of incidents as CSV: every column, every custom field, a row at a time, safe for spreadsheet programs."""

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from incidents.models import CustomField, Incident
from oncall.spreadsheets import BYTE_ORDER_MARK, safe_cell

READ_AT_ONCE = 500
TIMES = ("started", "detected", "declared", "acknowledged", "mitigated", "resolved", "closed")
COLUMNS = (
    *("reference", "name", "type", "severity", "status", "category", "mode", "visibility", "lead", "roles", "services"),
    *("declared by", "users affected", "revenue lost", "tickets", "impact", "root cause", "summary", "call"),
    *(f"{name} at" for name in TIMES),
    *("next update due at", "minutes", "parent", "merged into", "address"),
)


class _Line:
    """What csv.writer writes to: it hands each line back."""

    def write(self, line: str) -> str:
        return line


def incidents_csv(incidents: QuerySet[Incident], *, now: datetime) -> StreamingHttpResponse:
    """The incidents, in their order, as a file to keep. The caller has left out what its reader may not see."""
    response = StreamingHttpResponse(_lines(incidents, now), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="incidents-{now:%Y-%m-%d}.csv"'
    return response


def _lines(incidents: QuerySet[Incident], now: datetime) -> Iterator[str]:
    fields = list(CustomField.objects.order_by("position", "name"))
    writer = csv.writer(_Line())
    yield BYTE_ORDER_MARK + writer.writerow([*COLUMNS, *(safe_cell(field.name) for field in fields)])
    rows: Any = incidents.prefetch_related(None)
    rows = rows.for_lists().select_related("incident_type", "severity", "status", "parent", "merged_into")
    for incident in rows.iterator(chunk_size=READ_AT_ONCE):
        told = [incident.fields.get(field.slug) for field in fields]
        yield writer.writerow([safe_cell(_cell(value)) for value in (*_row(incident, now), *told)])


def _row(incident: Incident, now: datetime) -> tuple[Any, ...]:
    lead = incident.lead
    roles: list[Any] = getattr(incident, "current_roles", [])
    services: list[Any] = getattr(incident, "current_services", [])
    return (
        incident.reference,
        incident.name,
        incident.incident_type.name,
        incident.severity.name,
        incident.status.name,
        incident.status.category,
        incident.mode,
        incident.visibility,
        lead.display_name if lead else "",
        [f"{row.role.name}: {row.user.display_name}" for row in roles],
        [f"{row.service.name} ({row.impact})" for row in services],
        incident.declared_by_name,
        incident.users_affected,
        incident.revenue_lost,
        incident.tickets,
        incident.impact,
        incident.root_cause,
        incident.summary,
        incident.call_url,
        *(getattr(incident, f"{name}_at") for name in TIMES),
        incident.next_update_due_at,
        round(incident.durations(now).lasted.total_seconds() / 60),
        incident.parent.reference if incident.parent else "",
        incident.merged_into.reference if incident.merged_into else "",
        f"{settings.PUBLIC_URL}{incident.get_absolute_url()}",
    )


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return value
