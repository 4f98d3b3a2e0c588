"""The end of an alert, whoever says so."""

from datetime import datetime

from django.db import transaction

from accounts.actor import Actor
from alerts.models import Alert, AlertEntry, Outcome
from alerts.outcomes import conclude_again
from alerts.standing import QUIET_FOR
from events.actions import publish
from events.locking import locked_row
from incidents.models import TimelineEntry
from incidents.timeline import add_entry
from oncall.actions import resolve_escalation

ENDED = ["status", "resolved_at", "resolved_by", "ended_at", "held", "due_at", "outcome", "routing_note"]


@transaction.atomic
def close_alert(
    *, actor: Actor, alert: Alert, now: datetime, ended_at: datetime | None = None, by: str = "", note: str = ""
) -> Alert:
    """The signal is over: its escalation ends when no other alert of it fires. Again changes nothing.

    `ended_at` is when it was over as its source tells, `by` and `note` what the sender said about who closed it.
    """
    alert = locked_row(Alert.objects.select_related("escalation", "incident", "source"), alert.pk)
    if alert.status == Alert.Status.RESOLVED:
        return alert
    waited = alert.held == Alert.Held.WAITING
    alert.status = Alert.Status.RESOLVED
    alert.resolved_at, alert.ended_at = now, ended_at
    alert.resolved_by_id = actor.user_id
    alert.held, alert.due_at = "", None
    if waited:
        alert.outcome, alert.routing_note = Outcome.SUPPRESSED, "It ended by itself before anybody had to be paged."
        conclude_again([alert])
    alert.save(update_fields=ENDED)
    if by or note:
        AlertEntry.objects.create(
            alert=alert, at=now, kind="closed", text=note or "Closed", author=by[:200] or actor.name[:200]
        )
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


@transaction.atomic
def hold_until_quiet(*, actor: Actor, alert: Alert, now: datetime, ended_at: datetime | None = None) -> Alert:
    """Its source says that it is over, but it begins and ends all the time: it is over once it has been quiet."""
    alert = Alert.objects.select_for_update(of=("self",)).get(pk=alert.pk)
    if alert.status == Alert.Status.RESOLVED or alert.held in {Alert.Held.WAITING, Alert.Held.MUTED}:
        # (whoever waits or is muted has told nobody yet)
        return close_alert(actor=actor, alert=alert, now=now, ended_at=ended_at)
    alert.held, alert.due_at, alert.ended_at = Alert.Held.FLAPPING, now + QUIET_FOR, ended_at
    alert.save(update_fields=["held", "due_at", "ended_at"])
    if not alert.entries.filter(kind="flapping").exists():
        minutes = int(QUIET_FOR.total_seconds() // 60)
        text = f"It flaps: it counts as over once it has been quiet for {minutes} minutes"
        AlertEntry.objects.create(alert=alert, at=now, kind="flapping", text=text, author=actor.name[:200])
        publish("alert.flaps", subject=alert, actor=actor)
    return alert
