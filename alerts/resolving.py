"""The end of an alert, whoever says so."""

from datetime import datetime

from django.db import transaction

from accounts.actor import Actor
from alerts.models import Alert
from events.actions import publish
from incidents.models import TimelineEntry
from incidents.timeline import add_entry
from oncall.actions import resolve_escalation


@transaction.atomic
def close_alert(*, actor: Actor, alert: Alert, now: datetime) -> Alert:
    """The signal is over: its escalation ends when no other alert of it fires. Again changes nothing."""
    alert = Alert.objects.select_for_update(of=("self",)).select_related("escalation", "incident").get(pk=alert.pk)
    if alert.status == Alert.Status.RESOLVED:
        return alert
    alert.status = Alert.Status.RESOLVED
    alert.resolved_at = now
    alert.resolved_by_id = actor.user_id
    alert.save(update_fields=["status", "resolved_at", "resolved_by"])
    publish("alert.resolved", subject=alert, actor=actor)
    if alert.incident is not None:
        add_entry(
            incident=alert.incident,
            actor=actor,
            kind=TimelineEntry.Kind.ALERT,
            text=f"alert “{alert.title}” resolved",
            now=now,
            data={"alert": alert.pk},
        )
    if alert.escalation is not None and not alert.escalation.alerts.filter(status=Alert.Status.FIRING).exists():
        resolve_escalation(actor=actor, escalation=alert.escalation, now=now, reason="its alerts resolved")
    return alert
