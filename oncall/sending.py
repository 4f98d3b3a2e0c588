"""Sending pages: its own step after the paging clock, which looks again whether a page is still wanted."""

from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from accounts.actor import Actor
from events.actions import publish
from events.errors import require
from oncall import permissions
from oncall.channels import Message, Result, sender_of
from oncall.engine import ENGINE, beat
from oncall.ledger import add_ledger_entry
from oncall.links import page_link
from oncall.models import ContactMethod, Escalation, EscalationEntry, Page, PageAttempt

log = structlog.get_logger(__name__)

SENT_AT_ONCE = 16
DEADLINE_SECONDS = 40.0
LEASE = timedelta(seconds=60)
RETRY_AFTER_SECONDS = (5, 15, 45, 120)
MOST_ATTEMPTS = len(RETRY_AFTER_SECONDS) + 1
WANTED = {Escalation.Status.TRIGGERED, Escalation.Status.EXHAUSTED}


def send_due(now: datetime, *, limit: int = SENT_AT_ONCE) -> int:
    """Sends the pages that are due at `now`, all at once, and returns how many were claimed.

    Each try is recorded before it is made: a process that dies in between leaves an attempt with the outcome "unknown",
    and the page is due again when its lease ends. A try that takes longer than the deadline counts as failed, so that
    the lease always outlives it.
    """
    tries = {}
    pages = _claim(now, limit)
    pool = ThreadPoolExecutor(max_workers=max(len(pages), 1), thread_name_prefix="send-page")
    for page in pages:
        method = page.contact_method
        if page.escalation.status not in WANTED:
            result = Result("failed", f"not sent: the escalation is {page.escalation.status}")
            _record(page, result, now, state=Page.State.DROPPED)
        elif page.attempts_made > MOST_ATTEMPTS:
            _record(page, Result("failed", "gave up: too many tries"), now, state=Page.State.FAILED)
        elif method is None:
            _record(page, Result("refused", "the contact method was removed"), now, state=Page.State.FAILED)
        else:
            tries[pool.submit(_try, page.channel, method, message_of(page))] = page
    pool.shutdown(wait=False)
    _collect(tries, now)
    beat("send", now)
    return len(pages)


def _claim(now: datetime, limit: int) -> list[Page]:
    with transaction.atomic():
        claimed = list(
            Page.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(state__in=[Page.State.PENDING, Page.State.SENDING], due_at__lte=now)
            .order_by("due_at", "id")[:limit]
        )
        ids = [page.pk for page in claimed]
        if not ids:
            return []
        Page.objects.filter(id__in=ids).update(
            state=Page.State.SENDING, due_at=now + LEASE, attempts_made=F("attempts_made") + 1
        )
        PageAttempt.objects.bulk_create(
            PageAttempt(page=page, number=page.attempts_made + 1, started_at=now) for page in claimed
        )
    # Read after the claim: what was acknowledged until this moment is not sent any more.
    return list(Page.objects.filter(id__in=ids).select_related("escalation", "user", "contact_method").order_by("id"))


def _try(channel: str, method: ContactMethod, message: Message) -> Result:
    """One try, in a thread of its own; a sender asks nothing of the database."""
    try:
        return sender_of(channel)(method, message)
    except Exception as error:
        log.exception("page_send_failed", page_id=message.page_id, channel=channel)
        return Result("failed", f"{type(error).__name__}: {error}")


def _collect(tries: dict[Future[Result], Page], now: datetime) -> None:
    """Records each try as it ends, and what has not ended by the deadline as failed."""
    try:
        for done in as_completed(list(tries), timeout=DEADLINE_SECONDS):
            _conclude(tries.pop(done), done.result(), now)
    except TimeoutError:
        for page in tries.values():
            _conclude(page, Result("failed", f"no answer within {DEADLINE_SECONDS:.0f} seconds"), now)


def _conclude(page: Page, result: Result, now: datetime) -> None:
    if result.outcome == "accepted":
        _record(page, result, now, state=Page.State.SENT)
    elif result.outcome == "refused" or page.attempts_made >= MOST_ATTEMPTS:
        _record(page, result, now, state=Page.State.FAILED)
    else:
        delay = timedelta(seconds=RETRY_AFTER_SECONDS[page.attempts_made - 1])
        _record(page, result, now, state=Page.State.PENDING, due_at=now + delay)


@transaction.atomic
def _record(page: Page, result: Result, now: datetime, *, state: Page.State, due_at: datetime | None = None) -> None:
    finished_at = timezone.now()
    PageAttempt.objects.filter(page=page, number=page.attempts_made).update(
        outcome=result.outcome, detail=result.detail[:500], finished_at=finished_at
    )
    # If the lease ended meanwhile, another process holds a later attempt: the page is theirs.
    still_ours = Page.objects.filter(pk=page.pk, attempts_made=page.attempts_made).update(
        state=state, due_at=due_at or page.due_at, sent_at=finished_at if state == Page.State.SENT else None
    )
    if still_ours and state == Page.State.FAILED:
        _report_failure(page, result, now)


def _report_failure(page: Page, result: Result, now: datetime) -> None:
    """Says that a page could not be delivered; when none of its level was, the next level is due at once."""
    name, reason = page.user.display_name, result.detail[:300]
    data = {"user": page.user_id, "name": name, "channel": page.channel, "reason": reason}
    text = f"{name} could not be paged by {page.channel}: {reason}"
    escalation = Escalation.objects.select_for_update().get(pk=page.escalation_id)
    add_ledger_entry(escalation, EscalationEntry.Kind.FAILED, text, now, actor=ENGINE, data=data)
    publish("page.failed", subject=page.escalation, actor=ENGINE, data=data)
    if result.outcome == "refused" and page.contact_method_id:
        ContactMethod.objects.filter(pk=page.contact_method_id).update(broken_reason=reason)
    same_level = Page.objects.filter(escalation_id=page.escalation_id, level=page.level, round=page.round)
    if not same_level.exclude(state__in=[Page.State.FAILED, Page.State.DROPPED]).exists():
        Escalation.objects.filter(
            pk=page.escalation_id,
            status=Escalation.Status.TRIGGERED,
            level=page.level + 1,
            round=page.round,
            due_at__gt=now,
        ).update(due_at=now)


def send_test(*, actor: Actor, method: ContactMethod, now: datetime) -> Result:
    """Sends a test page through a contact method and says what came of it; success clears that it was broken."""
    require(permissions.can_change_contact_method(actor, method), "You may only test your own contact methods.")
    message = Message(
        page_id=0,
        attempt=1,
        person=method.user.display_name,
        title="This is a test page",
        detail="Nothing is wrong: somebody asked Sitrep to try this contact method. There is nothing to acknowledge.",
        facts={},
        since=now,
        level=1,
        link=settings.PUBLIC_URL + reverse("oncall:profile"),
        is_test=True,
    )
    result = _try(method.kind, method, message)
    with transaction.atomic():
        if result.outcome == "accepted":
            ContactMethod.objects.filter(pk=method.pk).update(broken_reason="")
        data = {"kind": method.kind, "outcome": result.outcome, "detail": result.detail[:300]}
        publish("contact_method.tested", subject=method.user, actor=actor, data=data)
    return result


def message_of(page: Page) -> Message:
    """What a page says."""
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
        link=page_link(page.pk),
    )
