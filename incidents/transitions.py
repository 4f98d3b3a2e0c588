"""From which category of status an incident may move into which, and what that does to its times. Pure.

`MOVES` is the one table: what it does not hold is refused. Into and out of `merged` only merging and unmerging lead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from events.errors import Conflict

TRIAGE, ACTIVE = "triage", "active"
POST_INCIDENT, CLOSED = "post_incident", "closed"
DECLINED, MERGED, CANCELED = "declined", "merged", "canceled"
OPEN = frozenset({TRIAGE, ACTIVE})


@dataclass(frozen=True)
class Move:
    """A step from one category into another: its event, and whether somebody has to say why."""

    event: str
    needs_reason: bool = False


WITHIN = Move("incident.status_changed")
ACCEPT = Move("incident.accepted")
DECLINE = Move("incident.declined", needs_reason=True)
CANCEL = Move("incident.canceled", needs_reason=True)
RESOLVE = Move("incident.resolved")
CLOSE = Move("incident.closed")
REOPEN = Move("incident.reopened")
MERGE = Move("incident.merged")
UNMERGE = Move("incident.unmerged")

MOVES: dict[tuple[str, str], Move] = {
    (TRIAGE, TRIAGE): WITHIN,
    (TRIAGE, ACTIVE): ACCEPT,
    (TRIAGE, DECLINED): DECLINE,
    (TRIAGE, CANCELED): CANCEL,
    (TRIAGE, MERGED): MERGE,
    (ACTIVE, ACTIVE): WITHIN,
    (ACTIVE, POST_INCIDENT): RESOLVE,
    (ACTIVE, CLOSED): RESOLVE,
    (ACTIVE, CANCELED): CANCEL,
    (ACTIVE, MERGED): MERGE,
    (POST_INCIDENT, POST_INCIDENT): WITHIN,
    (POST_INCIDENT, CLOSED): CLOSE,
    (POST_INCIDENT, ACTIVE): REOPEN,
    (CLOSED, CLOSED): WITHIN,
    (CLOSED, POST_INCIDENT): WITHIN,
    (CLOSED, ACTIVE): REOPEN,
    (DECLINED, DECLINED): WITHIN,
    (DECLINED, TRIAGE): REOPEN,
    (DECLINED, ACTIVE): REOPEN,
    (CANCELED, CANCELED): WITHIN,
    (CANCELED, ACTIVE): REOPEN,
    (MERGED, TRIAGE): UNMERGE,
    (MERGED, ACTIVE): UNMERGE,
}

# Why a step that people ask for is refused, and what they can do instead.
REFUSALS: dict[tuple[str, str], tuple[str, str]] = {
    (TRIAGE, POST_INCIDENT): ("Nobody has accepted this incident yet.", "Accept it first, or decline it."),
    (TRIAGE, CLOSED): ("Nobody has accepted this incident yet.", "Accept it first, or decline it."),
    (ACTIVE, TRIAGE): ("This incident was accepted.", "Cancel it if it was declared by mistake."),
    (ACTIVE, DECLINED): ("This incident was accepted.", "Cancel it if it was declared by mistake."),
}
ENDED = ("This incident has ended.", "Reopen it first.")
IS_MERGED = ("This incident is part of another.", "Unmerge it first.")
NEEDS_A_TARGET = ("An incident is merged into another one.", "Use merge, and say into which.")


def move_between(before: str, after: str) -> Move:
    """The step that a person takes from one category into another; raises Conflict for what the table does not hold."""
    move = None if MERGED in {before, after} else MOVES.get((before, after))
    if move is None:
        message, remedy = _refusal(before, after)
        raise Conflict(message, remedy=remedy)
    return move


def _refusal(before: str, after: str) -> tuple[str, str]:
    if before == MERGED:
        return IS_MERGED
    if after == MERGED:
        return NEEDS_A_TARGET
    return REFUSALS.get((before, after), ENDED)


def reachable(before: str) -> set[str]:
    """The categories into which a person may move an incident."""
    return {to for (come_from, to) in MOVES if come_from == before and MERGED not in {before, to}}


def times_after(
    before: str, after: str, times: Mapping[str, datetime | None], now: datetime
) -> dict[str, datetime | None]:
    """The times that a step sets or takes back, by their columns.

    Resolved is only what was an incident and is mended. Declined, canceled and merged ones end too: `closed_at` tells
    when, `resolved_at` stays empty, so that they never count as resolved.
    """
    changed: dict[str, datetime | None] = {}
    if before == MERGED:
        changed = {"closed_at": None}
    elif after in OPEN:
        if before not in OPEN:
            changed = dict.fromkeys(("mitigated_at", "resolved_at", "closed_at"))
    elif before in OPEN and after in {POST_INCIDENT, CLOSED}:
        changed = {"mitigated_at": times.get("mitigated_at") or now, "resolved_at": now}
    if after not in {*OPEN, POST_INCIDENT, before}:
        changed["closed_at"] = now
    elif before == CLOSED and after == POST_INCIDENT:
        changed["closed_at"] = None
    return {name: at for name, at in changed.items() if times.get(name) != at}
