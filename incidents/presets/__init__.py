"""The presets of the incident rooms: rows that a new installation starts with, and that its people then own."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

from incidents.models import IncidentRole, IncidentStatus, IncidentType, Severity, UpdateTemplate

HERE = Path(__file__).parent


@transaction.atomic
def load_presets(name: str = "sev") -> None:
    """Adds the rows of the preset that are not there yet, by slug; what exists is left as its people made it."""
    data = yaml.safe_load((HERE / f"{name}.yaml").read_text())
    for row in data["severities"]:
        _add(
            Severity,
            row,
            acknowledge_target=_minutes(row.pop("acknowledge_minutes", None)),
            resolve_target=_minutes(row.pop("resolve_minutes", None)),
            update_interval=_minutes(row.pop("update_minutes", None)),
        )
    for position, row in enumerate(data["statuses"], 1):
        _add(IncidentStatus, row, position=position)
    for position, row in enumerate(data["roles"], 1):
        required_for = row.pop("required_for")
        role, created = _add(IncidentRole, row, position=position)
        if created:
            role.required_for.set(Severity.objects.filter(slug__in=required_for))
    for row in data["types"]:
        _add(IncidentType, row)
    for row in data["update_templates"]:
        UpdateTemplate.objects.get_or_create(moment=row["moment"], locale=row["locale"], defaults={"text": row["text"]})


def _add(model: Any, row: dict[str, Any], **more: Any) -> tuple[Any, bool]:
    row = {**row, **more}
    made, created = model.objects.get_or_create(slug=row.pop("slug"), defaults=row)
    return made, created


def _minutes(value: int | None) -> timedelta | None:
    return timedelta(minutes=value) if value else None
