"""Sending pages: its own step after the paging clock, which looks again whether a page is still wanted."""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from events.actions import publish
from oncall.channels import Message, Result, sender_of
from oncall.engine import ENGINE, beat
from oncall.ledger import add_ledger_entry
from oncall.links import page_link, page_links
from oncall.models import ContactMethod, Escalation, EscalationAnswer, EscalationEntry, Page, PageAttempt
from oncall.reaching import mark_broken

log = structlog.get_logger(__name__)

SENT_AT_ONCE = 16
MOST_IN_ONE = 500
DEADLINE_SECONDS = 40.0
LEASE = timedelta(seconds=60)
RETRY_AFTER_SECONDS = (5, 15, 45, 120)
MOST_ATTEMPTS = len(RETRY_AFTER_SECONDS) + 1
WANTED = {Escalation.Status.TRIGGERED, Escalation.Status.EXHAUSTED}
# A person reads or hears one message that speaks for all; a program wants each page by itself.
ONE_BY_ONE = {ContactMethod.Kind.WEBHOOK, ContactMethod.Kind.WEB}
Kind = EscalationEntry.Kind


@dataclass(frozen=True)
class Bundle:
    """Pages to one person through one contact method that go out as one message; the first one carries the others."""

    pages: tuple[Page, ...]

    @property
    def first(self) -> Page:
        return self.pages[0]


def send_due(now: datetime, *, limit: int = SENT_AT_ONCE) -> int:
    """Sends the pages that are due at `now`, all at once, and returns how many were claimed.

    Each try is recorded before it is made: a process that dies in between leaves an attempt with the outcome "unknown",
    and the page is due again when its lease ends. A try that takes longer than the deadline counts as failed, so that
    the lease always outlives it. What is due to one person through one method is one message.
    """
    tries = {}
    pages = _claim(now, limit)
    bundles = bundled(_wanted(pages, now))
    pool = ThreadPoolExecutor(max_workers=max(min(len(bundles), SENT_AT_ONCE), 1), thread_name_prefix="send-page")
    for bundle in bundles:
        method = bundle.first.contact_method
        assert method is not None  # noqa: S101  (_wanted lets no other page through)
        tries[pool.submit(_try, bundle.first.channel, method, message_of(bundle))] = bundle
    pool.shutdown(wait=False)
    _collect(tries, now)
    beat("send", now)
    return len(pages)


def _claim(now: datetime, limit: int) -> list[Page]:
    """Takes what is due, and with it whatever else is due to the same people through the same methods."""
    due = Page.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        state__in=[Page.State.PENDING, Page.State.SENDING], due_at__lte=now
    )
    with transaction.atomic():
        claimed = list(due.order_by("due_at", "id")[:limit])
        if not claimed:
            return []
        if len(claimed) == limit:
            methods = {page.contact_method_id for page in claimed if page.channel not in ONE_BY_ONE}
            others = due.filter(contact_method_id__in=methods).exclude(pk__in=[page.pk for page in claimed])
            claimed += others.order_by("due_at", "id")[:MOST_IN_ONE]
        ids = [page.pk for page in claimed]
        Page.objects.filter(id__in=ids).update(
            state=Page.State.SENDING, due_at=now + LEASE, attempts_made=F("attempts_made") + 1
        )
        PageAttempt.objects.bulk_create(
            PageAttempt(page=page, number=page.attempts_made + 1, started_at=now) for page in claimed
        )
    # Read after the claim: what was acknowledged until this moment is not sent any more.
    return list(Page.objects.filter(id__in=ids).select_related("escalation", "user", "contact_method").order_by("id"))


def _wanted(pages: Sequence[Page], now: datetime) -> list[Page]:
    """Concludes the pages that are not to be sent, and returns the others."""
    wanted = []
    answered = _answered(pages)
    for page in pages:
        status = page.escalation.status
        if (page.escalation_id, page.run, page.level, page.round, page.user_id) in answered:
            result = Result("failed", "not sent: they have answered")
            _record(Bundle((page,)), result, now, state=Page.State.DROPPED)
        elif page.run != page.escalation.run:
            result = Result("failed", "not sent: it was begun again since")
            _record(Bundle((page,)), result, now, state=Page.State.DROPPED)
        elif status not in WANTED and not (page.is_extra and page.escalation.is_open):
            result = Result("failed", f"not sent: the escalation is {status}")
            _record(Bundle((page,)), result, now, state=Page.State.DROPPED)
        elif page.attempts_made > MOST_ATTEMPTS:
            _record(Bundle((page,)), Result("failed", "gave up: too many tries"), now, state=Page.State.FAILED)
        elif page.contact_method is None:
            result = Result("refused", "the contact method was removed")
            _record(Bundle((page,)), result, now, state=Page.State.FAILED)
        else:
            wanted.append(page)
    return wanted


def _answered(pages: Sequence[Page]) -> set[tuple[int, int, int, int, int]]:
    """Who has answered for which run, level and round: a try that failed before may come up again after it."""
    escalations = {page.escalation_id for page in pages}
    answers = EscalationAnswer.objects.filter(escalation_id__in=escalations) if escalations else ()
    return {(each.escalation_id, each.run, each.level, each.round, each.user_id) for each in answers}


def bundled(pages: Sequence[Page]) -> list[Bundle]:
    """Pages as messages: a storm that reaches one person through one method is one of them, none is left out."""
    groups: dict[object, list[Page]] = defaultdict(list)
    for page in pages:
        groups[page.pk if page.channel in ONE_BY_ONE else (page.contact_method_id, page.user_id)].append(page)
    return [Bundle(tuple(group)) for group in groups.values()]


def _try(channel: str, method: ContactMethod, message: Message) -> Result:
    """One try, in a thread of its own; a sender asks nothing of the database."""
    try:
        return sender_of(channel)(method, message)
    except Exception as error:
        log.exception("page_send_failed", page_id=message.page_id, channel=channel)
        return Result("failed", f"{type(error).__name__}: {error}")


def _collect(tries: dict[Future[Result], Bundle], now: datetime) -> None:
    """Records each try as it ends, and what has not ended by the deadline as failed."""
    try:
        for done in as_completed(list(tries), timeout=DEADLINE_SECONDS):
            _conclude(tries.pop(done), done.result(), now)
    except TimeoutError:
        for bundle in tries.values():
            _conclude(bundle, Result("failed", f"no answer within {DEADLINE_SECONDS:.0f} seconds"), now)


def _conclude(bundle: Bundle, result: Result, now: datetime) -> None:
    attempts = max(page.attempts_made for page in bundle.pages)
    if result.outcome == "accepted":
        _record(bundle, result, now, state=Page.State.SENT)
    elif result.outcome == "refused" or attempts >= MOST_ATTEMPTS:
        _record(bundle, result, now, state=Page.State.FAILED)
    else:
        delay = timedelta(seconds=RETRY_AFTER_SECONDS[attempts - 1])
        _record(bundle, result, now, state=Page.State.PENDING, due_at=now + delay)


@transaction.atomic
def _record(
    bundle: Bundle, result: Result, now: datetime, *, state: Page.State, due_at: datetime | None = None
) -> None:
    """Writes down what came of a try, for each page of the message."""
    finished_at = timezone.now()
    # One order for all who lock several escalations, so that none waits for another in a circle.
    ids = sorted({page.escalation_id for page in bundle.pages})
    locked = {each.pk: each for each in Escalation.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    for page in bundle.pages:
        PageAttempt.objects.filter(page=page, number=page.attempts_made).update(
            outcome=result.outcome,
            detail=result.detail[:500],
            finished_at=finished_at,
            provider=result.provider[:60],
            provider_id=result.provider_id[:100],
        )
        # If the lease ended meanwhile, another process holds a later attempt: the page is theirs.
        still_ours = Page.objects.filter(pk=page.pk, attempts_made=page.attempts_made).update(
            state=state,
            due_at=due_at or page.due_at,
            sent_at=finished_at if state == Page.State.SENT else None,
            carried_by=None if page == bundle.first else bundle.first,
        )
        if still_ours:
            _write_down(page, locked[page.escalation_id], bundle, result, now, state=state)


def _write_down(
    page: Page, escalation: Escalation, bundle: Bundle, result: Result, now: datetime, *, state: Page.State
) -> None:
    """The ledger's line about a try that ended a page's way; a try that is repeated stands with the page alone."""
    name = page.user.display_name
    data = {"page": page.pk, "user": page.user_id, "channel": page.channel, "attempt": page.attempts_made}
    if state == Page.State.SENT:
        with_others = f", together with {len(bundle.pages) - 1} more" if len(bundle.pages) > 1 else ""
        text = f"Paged {name} by {page.channel}{with_others}: {result.detail}"
        add_ledger_entry(escalation, Kind.SENT, text, now, actor=ENGINE, data=data)
    elif state == Page.State.DROPPED:
        text = f"{name} was not paged by {page.channel}: {result.detail}"
        add_ledger_entry(escalation, Kind.DROPPED, text, now, actor=ENGINE, data=data)
    elif state == Page.State.FAILED:
        _report_failure(page, escalation, result, now)


def _report_failure(page: Page, escalation: Escalation, result: Result, now: datetime) -> None:
    """Says that a page could not be delivered; when none of its level was, the next level is due at once."""
    name, reason = page.user.display_name, result.detail[:300]
    data = {"user": page.user_id, "name": name, "channel": page.channel, "reason": reason}
    text = f"{name} could not be paged by {page.channel}: {reason}"
    add_ledger_entry(escalation, Kind.FAILED, text, now, actor=ENGINE, data={**data, "page": page.pk})
    publish("page.failed", subject=escalation, actor=ENGINE, data=data)
    if result.outcome == "refused" and page.contact_method is not None:
        mark_broken(method=page.contact_method, reason=reason, now=now)
    same_level = escalation.pages.filter(level=page.level, round=page.round, run=page.run)
    is_current = (escalation.level, escalation.round, escalation.run) == (page.level + 1, page.round, page.run)
    if (
        is_current
        and escalation.status == Escalation.Status.TRIGGERED
        and escalation.due_at is not None
        and escalation.due_at > now
        and not same_level.exclude(Q(state=Page.State.FAILED) | Q(state=Page.State.DROPPED)).exists()
    ):
        escalation.due_at = now
        escalation.save(update_fields=["due_at"])


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
        links=page_links(page.pk, page.user_id),
        reference=f"page-{page.pk}-{page.attempts_made}",
    )
