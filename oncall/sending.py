"""Sending pages: its own step after the paging clock, which looks again whether a page is still wanted."""

import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

import structlog
from django.db import connection
from django.db.models import Exists, OuterRef

from events.prepared import Prepared, holds
from oncall.channels import Message, Result, sender_of
from oncall.links import PageLinks, page_link
from oncall.models import ContactMethod, Escalation, EscalationAnswer, Page
from oncall.records import Bundle, Conclusion, record

log = structlog.get_logger(__name__)

SENT_AT_ONCE = 50
MOST_IN_ONE = 500
DEADLINE_SECONDS = 40.0
# Who ends within this time of the first is written down with it.
TOGETHER_SECONDS = 0.02
LEASE = timedelta(seconds=60)
RETRY_AFTER_SECONDS = (5, 15, 45, 120)
MOST_ATTEMPTS = len(RETRY_AFTER_SECONDS) + 1
WANTED = {Escalation.Status.TRIGGERED, Escalation.Status.EXHAUSTED}
# A person reads or hears one message that speaks for all; a program wants each page by itself.
ONE_BY_ONE = {ContactMethod.Kind.WEBHOOK, ContactMethod.Kind.WEB}
# Claiming is one statement by hand: what the ORM makes of it takes five, and each page waits for it. A try is recorded
# before it is made.
CLAIM = """
WITH due AS (
    SELECT id FROM oncall_page
    WHERE state IN ('pending', 'sending') AND due_at <= %(now)s
        AND (%(methods)s::bigint[] IS NULL OR contact_method_id = ANY(%(methods)s::bigint[]))
    ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE oncall_page SET state = 'sending', due_at = %(lease_ends)s, attempts_made = attempts_made + 1
    FROM due WHERE oncall_page.id = due.id
    RETURNING oncall_page.id, attempts_made, channel, contact_method_id
), begun AS (
    INSERT INTO oncall_pageattempt (page_id, number, started_at, outcome, detail, provider, provider_id)
    SELECT id, attempts_made, %(now)s, 'unknown', '', '', '' FROM claimed
)
SELECT id, channel, contact_method_id FROM claimed
"""
State = Page.State
SAME = {name: OuterRef(name) for name in ("escalation_id", "run", "level", "round", "user_id")}
READ = Prepared(
    lambda: (
        Page.objects.filter(holds("oncall_page.id = ANY({ids})"))
        .select_related("escalation", "user", "contact_method")
        .defer("escalation__path")
        .annotate(has_answered=Exists(EscalationAnswer.objects.filter(**SAME)))
        .order_by("id")
    )
)
Tried = tuple[Result, timedelta]
# Threads that have nothing to do: starting some for each batch takes longer than sending it.
_pools: SimpleQueue[ThreadPoolExecutor] = SimpleQueue()


def send_due(now: datetime, *, limit: int = SENT_AT_ONCE) -> int:
    """Sends the pages that are due at `now`, all at once, and returns how many were claimed.

    Each try is recorded before it is made: a process that dies in between leaves an attempt with the outcome "unknown",
    and the page is due again when its lease ends. A try that takes longer than the deadline counts as failed, so that
    the lease always outlives it. What is due to one person through one method is one message.
    """
    pages = _read(_claim(now, limit))
    unwanted = [found for page in pages if (found := _unwanted(page))]
    if unwanted:
        record(unwanted, now)
    concluded = {conclusion.bundle.first.pk for conclusion in unwanted}
    bundles = bundled([page for page in pages if page.pk not in concluded])
    pool = _idle_pool()
    tries = {pool.submit(_try, bundle.first.channel, _method(bundle), message_of(bundle)): bundle for bundle in bundles}
    if _collect(tries, now):
        _pools.put(pool)
    else:
        pool.shutdown(wait=False)
    return len(pages)


def _idle_pool() -> ThreadPoolExecutor:
    """A thread for each message of a batch, none of them still busy with what hangs from an earlier one."""
    try:
        return _pools.get_nowait()
    except Empty:
        return ThreadPoolExecutor(max_workers=SENT_AT_ONCE, thread_name_prefix="send-page")


def _claim(now: datetime, limit: int) -> list[int]:
    """Takes what is due, and with it whatever else is due to the same people through the same methods."""
    claimed = _claimed(now, limit)
    if len(claimed) == limit:
        methods = {method for _id, channel, method in claimed if channel not in ONE_BY_ONE and method is not None}
        if methods:
            claimed += _claimed(now, MOST_IN_ONE, methods)
    return [pk for pk, _channel, _method in claimed]


def _claimed(now: datetime, limit: int, methods: Collection[int] | None = None) -> list[tuple[int, str, int | None]]:
    asked = {"now": now, "lease_ends": now + LEASE, "limit": limit, "methods": sorted(methods) if methods else None}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, asked)  # type: ignore[arg-type]  # the stubs know no arrays
        claimed: list[tuple[int, str, int | None]] = cursor.fetchall()
    return claimed


def _read(claimed: Sequence[int]) -> Sequence[Page]:
    """The claimed pages, read after the claim: what was acknowledged until this moment is not sent any more.

    `has_answered` says whether its person has answered the run, level and round: a try that failed before may come up
    again after it.
    """
    if not claimed:
        return []
    return READ(ids=list(claimed))


def _unwanted(page: Page) -> Conclusion | None:
    """What there is to say about a page that is not to be sent; None if it is."""
    escalation, state = page.escalation, State.DROPPED
    if page.has_answered:  # type: ignore[attr-defined]  # _read has annotated it
        result = Result("not_sent", "they have answered")
    elif page.run != escalation.run:
        result = Result("not_sent", "it was begun again since")
    elif escalation.status not in WANTED and not (page.is_extra and escalation.is_open):
        result = Result("not_sent", f"the escalation is {escalation.status}")
    elif page.attempts_made > MOST_ATTEMPTS:
        result, state = Result("failed", "gave up: too many tries"), State.FAILED
    elif page.contact_method is None:
        result, state = Result("refused", "the contact method was removed"), State.FAILED
    else:
        return None
    return Conclusion(Bundle((page,)), result, state)


def bundled(pages: Sequence[Page]) -> list[Bundle]:
    """Pages as messages: a storm that reaches one person through one method is one of them, none is left out."""
    groups: dict[object, list[Page]] = defaultdict(list)
    for page in pages:
        groups[page.pk if page.channel in ONE_BY_ONE else (page.contact_method_id, page.user_id)].append(page)
    return [Bundle(tuple(group)) for group in groups.values()]


def _method(bundle: Bundle) -> ContactMethod:
    method = bundle.first.contact_method
    assert method is not None  # noqa: S101  (_unwanted lets no other page through)
    return method


def _try(channel: str, method: ContactMethod, message: Message) -> Tried:
    """One try and how long it took, in a thread of its own; a sender asks nothing of the database."""
    began = time.monotonic()
    try:
        result = sender_of(channel)(method, message)
    except Exception as error:
        log.exception("page_send_failed", page_id=message.page_id, channel=channel)
        result = Result("failed", f"{type(error).__name__}: {error}")
    return result, timedelta(seconds=time.monotonic() - began)


def _collect(tries: dict[Future[Tried], Bundle], now: datetime) -> bool:
    """Records the tries as they end, those together that end together, and as failed what has not by the deadline.

    Returns whether all have ended.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    pending: Collection[Future[Tried]] = tries
    while pending:
        wait(pending, timeout=max(deadline - time.monotonic(), 0), return_when=FIRST_COMPLETED)
        done, pending = wait(pending, timeout=TOGETHER_SECONDS)
        if not done:
            late = Result("failed", f"no answer within {DEADLINE_SECONDS:.0f} seconds")
            took = timedelta(seconds=DEADLINE_SECONDS)
            # The pause begins when they were given up: what has just hung for so long is not tried again at once.
            record([_conclusion(tries[each], late, took, now + took) for each in pending], now)
            return False
        record([_conclusion(tries[each], *each.result(), now) for each in done], now)
    return True


def _conclusion(bundle: Bundle, result: Result, took: timedelta, now: datetime) -> Conclusion:
    attempts = max(page.attempts_made for page in bundle.pages)
    if result.outcome == "accepted":
        return Conclusion(bundle, result, State.SENT, took=took)
    if result.outcome == "refused" or attempts >= MOST_ATTEMPTS:
        return Conclusion(bundle, result, State.FAILED, took=took)
    delay = timedelta(seconds=RETRY_AFTER_SECONDS[attempts - 1])
    return Conclusion(bundle, result, State.PENDING, due_at=now + delay, took=took)


def message_of(bundle: Bundle) -> Message:
    """What a message says: the first page, and the titles of those that it speaks for."""
    page = bundle.first
    escalation = page.escalation
    return Message(
        page_id=page.pk,
        attempt=page.attempts_made,
        person=page.user.display_name,
        title=escalation.title,
        detail=escalation.detail,
        facts=escalation.facts,
        since=escalation.started_at,
        level=page.level + 1,
        urgency=escalation.urgency,
        others=tuple(other.escalation.title for other in bundle.pages[1:]),
        link=page_link(page.pk, page.user_id),
        links=PageLinks(page.pk, page.user_id),
        reference=f"page-{page.pk}-{page.attempts_made}",
    )
