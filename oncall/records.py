"""What came of tries to send pages, written down: the attempts, the pages, the ledgers, and what follows a failure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from events.actions import Fact, publishing
from events.prepared import Prepared, holds
from events.rows import inserting, updating, write
from oncall.channels import Result
from oncall.engine import ENGINE, MOVED_FIELDS
from oncall.ledger import ledger_line
from oncall.models import Escalation, EscalationEntry, Page
from oncall.reaching import mark_broken
from oncall.receipts import send_again_what_failed_already

Kind = EscalationEntry.Kind
State = Page.State
# By hand, like the claim: a storm ends hundreds of tries at once. If the lease of a try has ended meanwhile, another
# process holds a later one and the page is theirs; the attempt says all the same what came of it.
STORE_TRIES = """
WITH ended AS (
    SELECT * FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                         %s::timestamptz[], %s::bigint[], %s::timestamptz[])
        AS ended(page_id, number, outcome, detail, provider, provider_id, state, due_at, carried_by_id, finished_at)
), told AS (
    UPDATE oncall_pageattempt SET outcome = ended.outcome, detail = ended.detail, provider = ended.provider,
        provider_id = ended.provider_id, finished_at = ended.finished_at
    FROM ended WHERE oncall_pageattempt.page_id = ended.page_id AND oncall_pageattempt.number = ended.number
)
UPDATE oncall_page SET state = ended.state, due_at = ended.due_at, carried_by_id = ended.carried_by_id,
    sent_at = CASE WHEN ended.state = 'sent' THEN ended.finished_at END
FROM ended WHERE oncall_page.id = ended.page_id AND oncall_page.attempts_made = ended.number
RETURNING oncall_page.id
"""


LOCK = Prepared(
    lambda: (
        Escalation.objects.select_for_update()
        .filter(holds("oncall_escalation.id = ANY({ids})"))
        .only("pk", *MOVED_FIELDS)
        .order_by("pk")
    )
)


@dataclass(frozen=True)
class Bundle:
    """Pages to one person through one contact method that go out as one message; the first one carries the others."""

    pages: tuple[Page, ...]

    @property
    def first(self) -> Page:
        return self.pages[0]


@dataclass(frozen=True)
class Conclusion:
    """What came of one message, the state that its pages are in now, when they are due again if they are, and how long
    the try took: nothing where none was made."""

    bundle: Bundle
    result: Result
    state: Page.State
    due_at: datetime | None = None
    took: timedelta = timedelta()


@transaction.atomic
def record(conclusions: Sequence[Conclusion], now: datetime) -> None:
    """Writes down what came of tries that began at `now`, for each page of each message, in a number of statements that
    does not grow. The attempt, the page and the ledger tell the same instant: when the try ended."""
    pages = [page for conclusion in conclusions for page in conclusion.bundle.pages]
    # One order for all who lock several escalations, so that none waits for another in a circle.
    ids = sorted({page.escalation_id for page in pages})
    locked = {each.pk: each for each in LOCK(ids=ids)}
    ours = _store_tries(conclusions, now)
    ended = [(page, each) for each in conclusions for page in each.bundle.pages if page.pk in ours]
    lines = [_line(page, locked[page.escalation_id], each, now + each.took) for page, each in ended]
    failures = [(page, each) for page, each in ended if each.state == State.FAILED]
    for page, each in failures:
        if each.result.outcome == "refused" and page.contact_method is not None:
            mark_broken(method=page.contact_method, reason=each.result.detail[:300], now=now)
        _let_the_next_level_be_due(page, locked[page.escalation_id], now)
    facts = [Fact("page.failed", locked[page.escalation_id], _of_failure(page, each.result)) for page, each in failures]
    write(
        *updating(list(locked.values()), MOVED_FIELDS),
        *inserting([line for line in lines if line]),
        *publishing(facts, actor=ENGINE),
    )
    sent = [each.bundle.first for each in conclusions if each.state == State.SENT]
    send_again_what_failed_already([page for page in sent if page.pk in ours], now)


def _store_tries(conclusions: Sequence[Conclusion], now: datetime) -> set[int]:
    """Stores attempts and pages and returns the ids of the pages that still were this try's."""
    rows = [
        (
            page.pk,
            page.attempts_made,
            each.result.outcome,
            each.result.detail[:500],
            each.result.provider[:60],
            each.result.provider_id[:100],
            each.state.value,
            each.due_at or page.due_at,
            None if page == each.bundle.first else each.bundle.first.pk,
            now + each.took,
        )
        for each in conclusions
        for page in each.bundle.pages
    ]
    with connection.cursor() as cursor:
        cursor.execute(STORE_TRIES, [*map(list, zip(*rows, strict=True))])
        return {pk for (pk,) in cursor.fetchall()}


def _line(page: Page, escalation: Escalation, conclusion: Conclusion, at: datetime) -> EscalationEntry | None:
    """The ledger's line about a try that ended a page's way; a try that is repeated stands with the page alone."""
    name, result = page.user.display_name, conclusion.result
    data = {"page": page.pk, "user": page.user_id, "channel": page.channel, "attempt": page.attempts_made}
    if conclusion.state == State.SENT:
        others = len(conclusion.bundle.pages) - 1
        with_others = f", together with {others} more" if others else ""
        text = f"Paged {name} by {page.channel}{with_others}: {result.detail}"
        return ledger_line(escalation, Kind.SENT, text, at, actor=ENGINE, data=data)
    if conclusion.state == State.DROPPED:
        text = f"{name} was not paged by {page.channel}: {result.detail}"
        return ledger_line(escalation, Kind.DROPPED, text, at, actor=ENGINE, data=data)
    if conclusion.state == State.FAILED:
        text = f"{name} could not be paged by {page.channel}: {result.detail[:300]}"
        data = {**_of_failure(page, result), "page": page.pk}
        return ledger_line(escalation, Kind.FAILED, text, at, actor=ENGINE, data=data)
    return None


def _of_failure(page: Page, result: Result) -> dict[str, Any]:
    return {
        "user": page.user_id,
        "name": page.user.display_name,
        "channel": page.channel,
        "reason": result.detail[:300],
    }


def _let_the_next_level_be_due(page: Page, escalation: Escalation, now: datetime) -> None:
    """At once, when no page of the level that the escalation waits for could be delivered."""
    same_level = escalation.pages.filter(level=page.level, round=page.round, run=page.run)
    is_current = (escalation.level, escalation.round, escalation.run) == (page.level + 1, page.round, page.run)
    if (
        is_current
        and escalation.status == Escalation.Status.TRIGGERED
        and escalation.due_at is not None
        and escalation.due_at > now
        and not same_level.exclude(Q(state=State.FAILED) | Q(state=State.DROPPED)).exists()
    ):
        escalation.due_at = now
