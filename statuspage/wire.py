"""The JSON of a page's public API. Follows Atlassian Statuspage's public API v2, field by field."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from statuspage.indicator import Indicator
from statuspage.models import Component, PublicIncident, StatusPage, StatusUpdate

Json = dict[str, Any]


def instant(moment: datetime | None) -> str | None:
    """RFC 3339 with milliseconds, in UTC."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def absolute(path: str) -> str:
    """The address that the public uses."""
    return f"{settings.PUBLIC_URL}{path}"


def page_json(page: StatusPage) -> Json:
    return {
        "id": page.public_id,
        "name": page.name,
        "url": absolute(page.get_absolute_url()),
        "time_zone": "Etc/UTC" if page.time_zone == "UTC" else page.time_zone,
        "updated_at": instant(page.updated_at),
    }


def status_json(indicator: Indicator) -> Json:
    return {"indicator": indicator.indicator, "description": indicator.description}


def component_json(component: Component, page: StatusPage) -> Json:
    return {
        "id": component.public_id,
        "name": component.name,
        "status": component.status,
        "created_at": instant(component.created_at),
        "updated_at": instant(component.updated_at),
        "position": component.position,
        "description": component.description or None,
        "showcase": True,
        "start_date": component.created_at.astimezone(UTC).date().isoformat(),
        "group_id": None,
        "page_id": page.public_id,
        "group": False,
        "only_show_if_degraded": False,
    }


def update_json(update: StatusUpdate, public_incident: PublicIncident) -> Json:
    affected = [
        {
            "code": each["id"],
            "name": each["name"],
            "old_status": each["old_status"],
            "new_status": each["new_status"],
        }
        for each in update.affected
    ]
    return {
        "id": update.public_id,
        "status": update.status,
        "body": update.body,
        "incident_id": public_incident.public_id,
        "created_at": instant(update.created_at),
        "updated_at": instant(update.created_at),
        "display_at": instant(update.created_at),
        "affected_components": affected or None,
        "deliver_notifications": True,
        "custom_tweet": None,
        "tweet_id": None,
    }


def incident_json(public_incident: PublicIncident) -> Json:
    """A public incident whose updates and components are loaded."""
    page = public_incident.page
    return {
        "id": public_incident.public_id,
        "name": public_incident.name,
        "status": public_incident.status,
        "created_at": instant(public_incident.created_at),
        "updated_at": instant(public_incident.updated_at),
        "monitoring_at": instant(public_incident.monitoring_at),
        "resolved_at": instant(public_incident.resolved_at),
        "impact": public_incident.impact,
        "shortlink": absolute(public_incident.get_absolute_url()),
        "started_at": instant(public_incident.started_at),
        "page_id": page.public_id,
        "incident_updates": [update_json(each, public_incident) for each in public_incident.updates.all()],
        "components": [component_json(each, page) for each in public_incident.components.all()],
        "reminder_intervals": None,
    }


def components_json(components: Iterable[Component], page: StatusPage) -> list[Json]:
    return [component_json(each, page) for each in components]


def incidents_json(incidents: Iterable[PublicIncident]) -> list[Json]:
    return [incident_json(each) for each in incidents]
