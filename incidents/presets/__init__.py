"""The presets of the incident rooms: rows that a new installation starts with, and that its people then own."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

from incidents.models import (
    ChecklistItem,
    IncidentRole,
    IncidentStatus,
    IncidentType,
    Qualification,
    Severity,
    UpdateTemplate,
)

HERE = Path(__file__).parent
SETS = ("sev", "p")


def rows_of(name: str) -> dict[str, list[dict[str, Any]]]:
    """What a preset holds, by its kind: as its file says."""
    data: dict[str, list[dict[str, Any]]] = yaml.safe_load((HERE / f"{name}.yaml").read_text())
    return data


@transaction.atomic
def load_presets(name: str = "sev") -> None:
    """Adds the rows of the preset that are not there yet, by slug; what exists is left as its people made it.

    The severities of another set than the first take the place of those of the same rank, which are archived.
    """
    data = rows_of(name)
    if name != SETS[0]:
        _make_room([row["slug"] for row in data["severities"]], [row["rank"] for row in data["severities"]])
    for row in data["severities"]:
        _add(
            Severity,
            row,
            acknowledge_target=_minutes(row.pop("acknowledge_minutes", None)),
            resolve_target=_minutes(row.pop("resolve_minutes", None)),
            update_interval=_minutes(row.pop("update_minutes", None)),
            is_active=not Severity.objects.filter(rank=row["rank"], is_active=True).exclude(slug=row["slug"]).exists(),
        )
    for position, row in enumerate(data.get("statuses", []), 1):
        _add(IncidentStatus, row, position=position)
    for row in data.get("qualifications", []):
        _add(Qualification, row)
    for position, row in enumerate(data.get("roles", []), 1):
        required_for = row.pop("required_for")
        qualification = Qualification.objects.filter(slug=row.pop("qualification", "")).first()
        role, created = _add(IncidentRole, row, position=position, qualification=qualification)
        if created:
            role.required_for.set(Severity.objects.filter(slug__in=required_for))
    for position, row in enumerate(data.get("checklist", []), 1):
        _add(ChecklistItem, row, position=position)
    for row in data.get("types", []):
        _add(IncidentType, row)
    for row in data.get("update_templates", []):
        UpdateTemplate.objects.get_or_create(moment=row["moment"], locale=row["locale"], defaults={"text": row["text"]})


def _make_room(slugs: list[str], ranks: list[int]) -> None:
    """Archives what stands where the set's own severities come, and brings those back that were archived."""
    Severity.objects.filter(rank__in=ranks, is_active=True).exclude(slug__in=slugs).update(is_active=False)
    Severity.objects.filter(slug__in=slugs, is_active=False).update(is_active=True)


def _add(model: Any, row: dict[str, Any], **more: Any) -> tuple[Any, bool]:
    row = {**row, **more}
    made, created = model.objects.get_or_create(slug=row.pop("slug"), defaults=row)
    return made, created


def _minutes(value: int | None) -> timedelta | None:
    return timedelta(minutes=value) if value else None
