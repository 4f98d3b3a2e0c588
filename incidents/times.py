"""Correcting the times of an incident, each with a reason."""

from datetime import UTC, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from events.actions import publish
from events.errors import Conflict, Invalid
from incidents.beginning import ENDINGS
from incidents.chronology import TIMES, disorder_with, refuse_too_early
from incidents.models import Incident, TimelineEntry
from incidents.moving import told_times
from incidents.timeline import add_entry
from incidents.writing import locked

# By the name that forms, commands and the API give each: what the pages call it.
LABELS = {
    "started": _("Impact began"),
    "detected": _("Detected"),
    "declared": _("Declared"),
    "acknowledged": _("Acknowledged"),
    "mitigated": _("Mitigated"),
    "resolved": _("Resolved"),
    "closed": _("Closed"),
}
NAMES = {column.removesuffix("_at"): column for column in TIMES}
# What follows from the status comes and goes with it.
OF_THE_STATUS = {"resolved_at", "closed_at"}


@transaction.atomic
def set_time(
    *, actor: Actor, incident: Incident, which: str, value: datetime | None, reason: str, now: datetime
) -> Incident:
    """Sets when it started, was detected, declared, acknowledged, mitigated, resolved or closed; None: it is not known.

    The same value again changes nothing. Raises Invalid for another `which`, without a reason, for a time in the future
    and for one that breaks the order, saying which rule; Conflict for what only a step of its status can give or take.
    """
    incident = locked(actor, incident)
    column = NAMES.get(which)
    if column is None:
        raise Invalid(f"{which!r} is not a time.", field="which", remedy=f"Use {', '.join(NAMES)}.")
    before = getattr(incident, column)
    if before == value:
        return incident
    reason = reason.strip()
    if not reason:
        raise Invalid("Say why the time is changed.", field="reason", remedy="A few words will do.")
    if value is not None and value > now:
        raise Invalid("This can't be in the future.", field="value", remedy="Choose a time before now.")
    refuse_too_early(value, "value")
    _refuse_against_status(incident, column, value)
    broken = disorder_with({**incident.times(), column: value}, column)
    if broken:
        raise Invalid(broken[0], field="value", remedy="Choose another time, or correct the other one first.")
    setattr(incident, column, value)
    incident.save(update_fields=[column])
    data = {"which": which, "from": _plain(before), "to": _plain(value), "reason": reason}
    stood, stands = _told(before), _told(value)
    add_entry(
        incident=incident,
        actor=actor,
        kind=TimelineEntry.Kind.TIME,
        text=f"set when {TIMES[column]}: {stands} (was {stood}): {reason}",
        now=now,
        data={**data, "times": told_times({column: value})},
    )
    if column == "mitigated_at" and before is None and incident.is_open:
        publish("incident.mitigated", subject=incident, actor=actor)
    publish("incident.time_changed", subject=incident, actor=actor, data=data)
    return incident


def _refuse_against_status(incident: Incident, column: str, value: datetime | None) -> None:
    """Raises Conflict where the time would say something else than the status."""
    if value is None and column == "declared_at":
        raise Conflict("Each incident was declared some time.", field="value", remedy="Give another time.")
    if column in OF_THE_STATUS and (value is None) != (getattr(incident, column) is None):
        verb = "Resolve" if column == "resolved_at" else "Close"
        remedy = "Reopen it." if value is None else f"{verb} it first, then correct the time."
        raise Conflict("This time comes and goes with the status.", field="which", remedy=remedy)
    if value is None and column == "mitigated_at" and incident.status.category in ENDINGS:
        raise Conflict("What is resolved is mitigated too.", field="value", remedy="Give another time, or reopen it.")


def _plain(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _told(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "not known"
