"""What route conditions, groups and templates can ask about an alert."""

from typing import Any

from alerts.models import Alert


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
