"""Notifying the people and places that a route names: they are told of an alert, and nobody has to answer.

A webhook hears of the type `alert.routed` (oncall/places.py). A failed try is made again by the outbox that brought
the event here.
"""

from datetime import datetime
from typing import Any

from django.conf import settings

from accounts.models import User
from alerts.models import Alert, AlertEntry, RouteNotice
from events.models import Event
from events.registry import handles
from oncall.channels import Message, Result
from oncall.channels.apprise import send as send_by_apprise
from oncall.models import ContactMethod
from oncall.places import post_to
from oncall.reaching import tell

Kind = RouteNotice.Kind
PRIVATE_TITLE = "An alert of a private incident"


class NotTold(Exception):
    """A place could not be told this time; the outbox tries again."""


@handles("alert.noticed", name="alerts.tell_of_alert")
def tell_of_alert(event: Event) -> None:
    """Tells one of the places that a route names, by the address that it has at this moment."""
    alert = Alert.objects.for_lists().filter(pk=event.subject_id).first()
    notice = RouteNotice.objects.select_related("user", "team").filter(pk=event.data["notice"]).first()
    if alert is None or notice is None:
        return
    result = _tell(notice, alert, event)
    if result.outcome == "failed":
        raise NotTold(f"{notice}: {result.detail}")
    told = result.outcome == "accepted"
    text = f"Told {notice}" if told else f"{notice} could not be told: {result.detail}"
    AlertEntry.objects.create(
        alert=alert, at=event.occurred_at, kind="told" if told else "not_told", text=text, author=event.data["route"]
    )


def _tell(notice: RouteNotice, alert: Alert, event: Event) -> Result:
    if notice.kind == Kind.WEBHOOK:
        return _post(notice, alert, event)
    if notice.kind == Kind.CHAT:
        method = ContactMethod(kind=ContactMethod.Kind.APPRISE, address=notice.name, secret=notice.address)
        return send_by_apprise(method, _message(notice, alert, event))
    users = [notice.user] if notice.user else list(User.objects.filter(teams=notice.team, is_active=True))
    return _tell_people([user for user in users if user is not None], alert, event.occurred_at)


def _tell_people(users: list[User], alert: Alert, now: datetime) -> Result:
    said = _said(alert)
    detail = f"{said['detail']}\n{_link(alert)}".strip()
    reached = [user for user in users if tell(user, title=said["title"], detail=detail, now=now) is not None]
    return Result("accepted" if reached else "refused", f"reached {len(reached)} of {len(users)}")


def _link(alert: Alert) -> str:
    return f"{settings.PUBLIC_URL}{alert.get_absolute_url()}"


def _is_private(alert: Alert) -> bool:
    return alert.incident is not None and alert.incident.is_private


def _said(alert: Alert) -> dict[str, Any]:
    """What places may know: of one that belongs to a private incident only that it is there."""
    if _is_private(alert):
        return {"title": PRIVATE_TITLE, "detail": "", "facts": {}}
    facts = {
        "severity": alert.severity,
        "service": alert.service.name if alert.service else alert.service_named,
        "source": alert.source.name,
    }
    return {
        "title": alert.title,
        "detail": alert.description,
        "facts": {name: value for name, value in facts.items() if value},
    }


def _message(notice: RouteNotice, alert: Alert, event: Event) -> Message:
    return Message(
        page_id=0,
        attempt=1,
        person=notice.name,
        since=alert.started_at,
        level=1,
        link=_link(alert),
        purpose="notice",
        urgency="low",
        reference=f"noticed-{event.pk}",
        **_said(alert),
    )


def _post(notice: RouteNotice, alert: Alert, event: Event) -> Result:
    said = {
        "type": "alert.routed",
        "alert_id": alert.pk,
        "route": event.data["route"],
        "status": alert.status,
        "priority": alert.priority,
        "dedup_key": "" if _is_private(alert) else alert.dedup_key,
        "since": alert.started_at.isoformat(),
        "link": _link(alert),
        **_said(alert),
    }
    return post_to(notice.address, said, key=f"noticed-{event.pk}")
