"""What people say of alerts, one or many: that they are noise; and one verb done to many of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from alerts.actions import acknowledge_alert, resolve_alert
from alerts.models import Alert, AlertEntry
from alerts.permissions import can_handle
from events.actions import publish
from events.errors import DomainError, Invalid, require

MOST_AT_ONCE = 500


class Handling(models.TextChoices):
    """What can be done to many alerts at once."""

    ACKNOWLEDGE = "acknowledge", _("Acknowledge")
    RESOLVE = "resolve", _("Resolve")
    NOISE = "noise", _("Mark as noise")
    FALSE_POSITIVE = "false_positive", _("Mark as false positive")
    NOT_NOISE = "not_noise", _("Not noise")


@dataclass(frozen=True)
class Refused:
    """An alert to which something could not be done, and why."""

    alert: Alert
    reason: str


@transaction.atomic
def mark_alert(*, actor: Actor, alert: Alert, noise: str, now: datetime) -> Alert:
    """Says that an alert told nothing (noise) or something wrong (false_positive), or takes that back (nothing).

    Saying it again changes nothing. Raises Invalid for any other word.
    """
    require(can_handle(actor), "Viewers may not mark alerts.")
    if noise and noise not in Alert.Noise.values:
        raise Invalid(f"{noise!r} is no mark.", field="noise", remedy="Use noise, false_positive or nothing.")
    alert = Alert.objects.select_for_update(of=("self",)).get(pk=alert.pk)
    if alert.noise == noise:
        return alert
    alert.noise, alert.noise_by_id, alert.noise_at = noise, actor.user_id, now
    if not noise:
        alert.noise_by_id = alert.noise_at = None
    alert.save(update_fields=["noise", "noise_by", "noise_at"])
    text = f"Marked as {Alert.Noise(noise).name.lower().replace('_', ' ')}" if noise else "No longer marked as noise"
    AlertEntry.objects.create(alert=alert, at=now, kind="noise", text=text, author=actor.name[:200])
    publish("alert.marked", subject=alert, actor=actor, data={"noise": noise})
    return alert


def handle_many(*, actor: Actor, alerts: Iterable[Alert], verb: str, now: datetime) -> list[Refused]:
    """Does one verb to each of the alerts, each for itself; returns those that refused it, with the reason.

    Raises Invalid for a verb that nobody knows and for too many alerts, NotAllowed for who may not handle any.
    """
    require(can_handle(actor), "Viewers may not handle alerts.")
    if verb not in Handling.values:
        raise Invalid(f"{verb!r} can't be done to alerts.", field="verb", remedy=f"Use {', '.join(Handling.values)}.")
    chosen = list(alerts)
    if len(chosen) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE} alerts at once.", field="alerts", remedy="Choose fewer.")
    refused = []
    for alert in chosen:
        try:
            _VERBS[Handling(verb)](actor, alert, now)
        except DomainError as error:
            refused.append(Refused(alert, str(error)))
    return refused


_VERBS: dict[Handling, Callable[[Actor, Alert, datetime], object]] = {
    Handling.ACKNOWLEDGE: lambda actor, alert, now: acknowledge_alert(actor=actor, alert=alert, now=now),
    Handling.RESOLVE: lambda actor, alert, now: resolve_alert(actor=actor, alert=alert, now=now),
    Handling.NOISE: lambda actor, alert, now: mark_alert(actor=actor, alert=alert, noise="noise", now=now),
    Handling.FALSE_POSITIVE: lambda actor, alert, now: mark_alert(
        actor=actor, alert=alert, noise="false_positive", now=now
    ),
    Handling.NOT_NOISE: lambda actor, alert, now: mark_alert(actor=actor, alert=alert, noise="", now=now),
}
