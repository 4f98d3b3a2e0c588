"""Proves, each minute, that paging does what it must: nothing open is overdue, nothing ended without an outcome.

It only reads partial indexes that hold next to nothing while all is well, so it costs the same at a million
escalations as at ten.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from oncall.models import EngineBeat, Escalation, Page

NAME = "audit"
GRACE = timedelta(seconds=30)
# A page that is being sent is due again when its lease of a minute ends.
PAGE_GRACE = timedelta(seconds=120)
MOST_COUNTED = 1_000
MOST_NAMED = 5
STALE_AFTER = timedelta(minutes=5)
ENDED = [Escalation.Status.RESOLVED, Escalation.Status.EXHAUSTED]


@dataclass(frozen=True)
class Audit:
    """What is wrong at an instant; numbers are counted up to a thousand, ids name the first few."""

    at: datetime
    overdue: int = 0
    overdue_pages: int = 0
    without_outcome: int = 0
    escalations: tuple[int, ...] = ()

    @property
    def holds(self) -> bool:
        return not (self.overdue or self.overdue_pages or self.without_outcome)

    def problems(self) -> list[str]:
        """What is wrong, a line each."""
        named = f" (escalations {', '.join(map(str, self.escalations))})" if self.escalations else ""
        said = [
            (self.overdue, "open escalations are overdue: the engine has not looked at them"),
            (self.overdue_pages, "pages are overdue: nobody sends them"),
            (self.without_outcome, "escalations have ended without an outcome"),
        ]
        lines = [f"{_count(number)} {words}" for number, words in said if number]
        return [f"{line}{named}" if number == 0 else line for number, line in enumerate(lines)]


def _count(number: int) -> str:
    return f"at least {number}" if number >= MOST_COUNTED else str(number)


def audit_pages(now: datetime) -> Audit:
    """Looks once, in three scans of partial indexes."""
    overdue = Escalation.objects.filter(due_at__lt=now - GRACE)
    pages = Page.objects.filter(state__in=[Page.State.PENDING, Page.State.SENDING], due_at__lt=now - PAGE_GRACE)
    without = Escalation.objects.filter(status__in=ENDED, outcome="")
    found = [_some(overdue, "pk"), _some(pages, "escalation_id"), _some(without, "pk")]
    named = dict.fromkeys(pk for ids in found for pk in ids)
    return Audit(
        at=now,
        overdue=len(found[0]),
        overdue_pages=len(found[1]),
        without_outcome=len(found[2]),
        escalations=tuple(named)[:MOST_NAMED],
    )


def _some(rows: QuerySet[Any], column: str) -> list[int]:
    return list(rows.order_by().values_list(column, flat=True)[:MOST_COUNTED])


def keep_audit(audit: Audit) -> None:
    """Stores the newest result, for the metric and the banner."""
    data = {"holds": audit.holds, "problems": audit.problems()}
    EngineBeat.objects.update_or_create(name=NAME, defaults={"beat_at": audit.at, "data": data})


@dataclass(frozen=True)
class LastAudit:
    """What the newest audit said, and when."""

    at: datetime
    holds: bool
    problems: tuple[str, ...]

    def is_stale(self, now: datetime) -> bool:
        """Whether nobody has audited for too long."""
        return now - self.at > STALE_AFTER


def last_audit() -> LastAudit | None:
    """The newest result; None if there never was one."""
    return audit_in(EngineBeat.objects.filter(name=NAME).first())


def audit_in(beat: EngineBeat | None) -> LastAudit | None:
    """The result that this row keeps."""
    if beat is None:
        return None
    return LastAudit(beat.beat_at, bool(beat.data.get("holds")), tuple(beat.data.get("problems", ())))
