"""What route conditions, groups and templates can ask about an alert."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from accounts.actor import Actor
from alerts.models import Alert
from oncall.models import Schedule

NAMES = (
    *("severity", "priority", "service", "service_name", "team", "tier", "source", "source_name"),
    *("title", "description", "tags", "dedup_key", "url"),
)
# A name that can be typed into a list of names.
FACT = re.compile(r"[\w.:/-]{1,100}")
# So many of the newest alerts are looked at for the names of attributes, and so many names are offered.
LOOKED_THROUGH = 200
MOST_NAMES = 200


def facts_of(alert: Alert) -> dict[str, Any]:
    """Each fact by its name. Attributes stand under `attributes.` and, where no other fact is called so, by theirs."""
    service = alert.service
    facts = {
        "title": alert.title,
        "description": alert.description,
        "severity": alert.severity,
        "priority": alert.priority,
        "source": alert.source.slug,
        "source_name": alert.source.name,
        "service": service.slug if service else alert.service_named,
        "service_name": service.name if service else alert.service_named,
        "team": alert.team.slug if alert.team else "",
        "tags": alert.tags,
        "dedup_key": alert.dedup_key,
        "url": alert.source_url,
        "attributes": alert.attributes,
    }
    if service:
        facts["tier"] = service.tier
    return {**alert.attributes, **facts}


def known_facts(viewer: Actor) -> list[str]:
    """The names that people can ask for: those of every alert, working hours, and attributes of the newest alerts."""
    newest = Alert.objects.visible_to(viewer).order_by("-id").values_list("attributes", flat=True)[:LOOKED_THROUGH]
    attributes = sorted({path for each in newest for path in paths_in(each)} - set(NAMES))
    slugs = Schedule.objects.order_by("slug").values_list("slug", flat=True)
    return [*NAMES, *(f"working_hours.{slug}" for slug in slugs), *attributes[:MOST_NAMES]]


def paths_in(attributes: Mapping[str, Any]) -> Iterable[str]:
    """The paths of attributes: `labels.alertname` for one that lies within another."""
    for name, value in attributes.items():
        inner = [f"{name}.{key}" for key in value] if isinstance(value, dict) else [name]
        yield from (path for path in inner if FACT.fullmatch(path))
