"""How an incident can begin: its first times and its first status."""

from collections.abc import Mapping
from datetime import datetime

from events.errors import Invalid
from incidents.chronology import disorder, refuse_too_early
from incidents.models import Incident, IncidentStatus, StatusCategory

ENDINGS = [StatusCategory.POST_INCIDENT, StatusCategory.CLOSED]


def times_at_first(now: datetime, mode: str, **given: datetime | None) -> dict[str, datetime | None]:
    """The times that an incident begins with; raises Invalid for what lies ahead, is out of order or not known yet."""
    words = {"started_at": "The impact can't begin in the future."}
    for column, at in given.items():
        refuse_too_early(at, column)
        if at is not None and at > now:
            message = words.get(column, "This can't be in the future.")
            raise Invalid(message, field=column, remedy="Choose a time before now.")
        is_later = column not in {"started_at", "detected_at"}
        if at is not None and is_later and mode != Incident.Mode.RETROSPECTIVE:
            raise Invalid(
                "Only an incident that is told of in retrospect has this time when it is declared.",
                field=column,
                remedy="Declare it with the mode retrospective, or leave the time out.",
            )
    times = dict(given)
    if mode == Incident.Mode.RETROSPECTIVE:
        times["declared_at"] = times["declared_at"] or times["detected_at"] or times["started_at"] or now
        times["detected_at"] = times["detected_at"] or times["declared_at"]
        times["mitigated_at"] = times["mitigated_at"] or times["resolved_at"]
    else:
        times["detected_at"] = times["detected_at"] or now
        times["declared_at"] = now
    broken = disorder(times)
    if broken:
        asked = next((column for column in reversed(given) if given[column] is not None), "started_at")
        raise Invalid(broken[0], field=asked, remedy="Correct one of the two.")
    return times


def refuse_archived(status: IncidentStatus) -> None:
    """Raises Invalid for a status that is not in use any more."""
    if not status.is_active:
        raise Invalid(f"{status.name} is not in use any more.", field="status", remedy="Choose another status.")


def check_first_status(status: IncidentStatus, times: Mapping[str, datetime | None]) -> None:
    """Raises Invalid for a status in which an incident can't begin."""
    refuse_archived(status)
    if times["resolved_at"] is not None:
        if status.category not in ENDINGS:
            remedy = "Choose a status after the incident, or leave it out."
            raise Invalid(f"A resolved incident is not {status.name}.", field="status", remedy=remedy)
    elif not status.is_open:
        raise Invalid(
            f"No incident begins as {status.name}.",
            field="status",
            remedy="Choose triage or an active status. What is over is declared in retrospect, with its times.",
        )
