"""What an event is about, as plain values, and the incident that belongs to it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from alerts.facts import NAMES as ALERT_NAMES
from alerts.facts import facts_of as facts_of_alert
from alerts.models import Alert, MaintenanceWindow
from incidents.models import Incident
from oncall.models import Escalation, Handover, Schedule
from postmortems.models import ActionItem, Postmortem
from statuspage.models import PublicIncident

Found = tuple[dict[str, Any], Incident | None]
ABOUT = {
    "alert": (*ALERT_NAMES, "incident"),
    "escalation": ("id", "title", "status", "url", "policy", "acknowledged_by"),
    "postmortem": ("id", "title", "status", "url", "authors"),
    "action_item": ("id", "title", "status", "priority", "owner", "owner_email", "due_on", "url"),
    "window": ("id", "name", "url", "until"),
    "schedule": ("name", "slug"),
    "public_incident": ("name", "status", "page", "url"),
}


def facts_of_subject(subject_type: str, subject_id: int) -> Found:
    """The facts of what an event is about, under its name, and the incident that belongs to it.

    An incident's own facts are not among them: they are read anew at each step.
    """
    reader = READERS.get(subject_type)
    return reader(subject_id) if reader else ({}, None)


def incident_of(pk: int | None) -> Incident | None:
    """The incident with all that its facts need; None if there is none."""
    if pk is None:
        return None
    return Incident.objects.select_related("severity", "status", "incident_type", "parent").filter(pk=pk).first()


def address(path: str) -> str:
    """A path as a whole address."""
    return f"{settings.PUBLIC_URL}{path}"


def plain(value: Any) -> Any:
    """The value as JSON has it: what is neither text, number, list nor object becomes text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, Iterable):
        return [plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _of_incident(pk: int) -> Found:
    return {}, incident_of(pk)


def _of_alert(pk: int) -> Found:
    alert = Alert.objects.for_lists().filter(pk=pk).first()
    if alert is None:
        return {}, None
    return {"alert": plain(facts_of_alert(alert))}, incident_of(alert.incident_id)


def _of_window(pk: int) -> Found:
    window = MaintenanceWindow.objects.filter(pk=pk).first()
    if window is None:
        return {}, None
    until = window.until_at.isoformat() if window.until_at else ""
    said = {"id": window.pk, "name": window.name, "url": address(window.get_absolute_url()), "until": until}
    return {"window": said}, None


def _of_schedule(pk: int) -> Found:
    schedule = Schedule.objects.filter(pk=pk).first()
    return ({"schedule": {"name": schedule.name, "slug": schedule.slug}} if schedule else {}), None


def _of_handover(pk: int) -> Found:
    schedule_id = Handover.objects.filter(pk=pk).values_list("schedule_id", flat=True).first()
    return _of_schedule(schedule_id or 0)


def _of_public_incident(pk: int) -> Found:
    found = PublicIncident.objects.select_related("page").filter(pk=pk).first()
    if found is None:
        return {}, None
    said = {"name": found.name, "status": found.status, "page": found.page.slug}
    said["url"] = address(found.get_absolute_url())
    return {"public_incident": said}, incident_of(found.incident_id)


def _of_escalation(pk: int) -> Found:
    escalation = Escalation.objects.select_related("acknowledged_by").filter(pk=pk).first()
    if escalation is None:
        return {}, None
    said = {
        "id": escalation.pk,
        "title": escalation.title,
        "status": escalation.status,
        "url": address(reverse("oncall:escalation", args=[escalation.pk])),
        "policy": escalation.path.get("policy", ""),
        "acknowledged_by": escalation.acknowledged_by.display_name if escalation.acknowledged_by else "",
    }
    incident = Incident.objects.filter(escalations=escalation).order_by("id").values_list("pk", flat=True).first()
    return {"escalation": said}, incident_of(incident)


def _of_postmortem(pk: int) -> Found:
    postmortem = Postmortem.objects.prefetch_related("authors").filter(pk=pk).first()
    if postmortem is None:
        return {}, None
    said = {
        "id": postmortem.pk,
        "title": postmortem.title,
        "status": postmortem.status,
        "url": address(postmortem.get_absolute_url()),
        "authors": [user.display_name for user in postmortem.authors.all()],
    }
    return {"postmortem": said}, incident_of(postmortem.incident_id)


def _of_action_item(pk: int) -> Found:
    item = ActionItem.objects.select_related("owner").filter(pk=pk).first()
    if item is None:
        return {}, None
    return {"action_item": facts_of_action_item(item)}, incident_of(item.incident_id)


def facts_of_action_item(item: ActionItem) -> dict[str, Any]:
    """One action item as plain values."""
    return {
        "id": item.pk,
        "title": item.title,
        "status": item.status,
        "priority": item.priority,
        "owner": item.owner.display_name if item.owner else "",
        "owner_email": item.owner.email if item.owner else "",
        "due_on": item.due_on.isoformat() if item.due_on else "",
        "url": address("/action-items/"),
    }


READERS: dict[str, Callable[[int], Found]] = {
    "incidents.incident": _of_incident,
    "alerts.alert": _of_alert,
    "oncall.escalation": _of_escalation,
    "oncall.schedule": _of_schedule,
    "oncall.handover": _of_handover,
    "postmortems.postmortem": _of_postmortem,
    "postmortems.actionitem": _of_action_item,
    "alerts.maintenancewindow": _of_window,
    "statuspage.publicincident": _of_public_incident,
}
