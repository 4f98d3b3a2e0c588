"""Sending pages: its own step after the paging clock, which looks again whether a page is still wanted."""

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from events.actions import publish
from oncall.channels import Message, Result, sender_of
from oncall.engine import ENGINE, beat
from oncall.links import page_link
from oncall.models import ContactMethod, Escalation, Page, PageAttempt

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
RETRY_AFTER_SECONDS = (5, 15, 45, 120)
WANTED = {Escalation.Status.TRIGGERED, Escalation.Status.EXHAUSTED}


def send_due(now: datetime, *, limit: int = 50) -> int:
    """Sends the pages that are due at `now` and returns how many were claimed.

    Each try is recorded before it is made: a process that dies in between leaves an attempt with the outcome "unknown",
    and the page is due again when its lease ends.
    """
    with transaction.atomic():
        claimed = list(
            Page.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(state__in=[Page.State.PENDING, Page.State.SENDING], due_at__lte=now)
            .order_by("due_at", "id")[:limit]
        )
        ids = [page.pk for page in claimed]
        Page.objects.filter(id__in=ids).update(
            state=Page.State.SENDING, due_at=now + LEASE, attempts_made=F("attempts_made") + 1
        )
        PageAttempt.objects.bulk_create(
            PageAttempt(page=page, number=page.attempts_made + 1, started_at=now) for page in claimed
        )
    for page in Page.objects.filter(id__in=ids).select_related("escalation", "user", "contact_method").order_by("id"):
        _send(page, now)
    beat("send", now)
    return len(claimed)


def _send(page: Page, now: datetime) -> None:
    status = Escalation.objects.values_list("status", flat=True).get(pk=page.escalation_id)
    if status not in WANTED:
        _finish(page, Result("failed", f"not sent: the escalation is {status}"), now, state=Page.State.DROPPED)
        return
    method = page.contact_method
    if method is None:
        _finish(page, Result("refused", "the contact method was removed"), now, state=Page.State.FAILED)
        return
    try:
        result = sender_of(page.channel)(method, message_of(page))
    except Exception as error:
        log.exception("page_send_failed", page_id=page.pk, channel=page.channel)
        result = Result("failed", f"{type(error).__name__}: {error}")
    if result.outcome == "accepted":
        _finish(page, result, now, state=Page.State.SENT)
    elif result.outcome == "refused" or page.attempts_made > len(RETRY_AFTER_SECONDS):
        _finish(page, result, now, state=Page.State.FAILED)
    else:
        delay = timedelta(seconds=RETRY_AFTER_SECONDS[page.attempts_made - 1])
        _finish(page, result, now, state=Page.State.PENDING, due_at=now + delay)


@transaction.atomic
def _finish(page: Page, result: Result, now: datetime, *, state: Page.State, due_at: datetime | None = None) -> None:
    finished_at = timezone.now()
    PageAttempt.objects.filter(page=page, number=page.attempts_made).update(
        outcome=result.outcome, detail=result.detail[:500], finished_at=finished_at
    )
    Page.objects.filter(pk=page.pk).update(
        state=state, due_at=due_at or page.due_at, sent_at=finished_at if state == Page.State.SENT else None
    )
    if state == Page.State.FAILED:
        data = {"user": page.user_id, "name": page.user.display_name, "channel": page.channel, "reason": result.detail[:300]}
        publish("page.failed", subject=page.escalation, actor=ENGINE, data=data)
        if result.outcome == "refused" and page.contact_method_id:
            ContactMethod.objects.filter(pk=page.contact_method_id).update(broken_reason=result.detail[:300])


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
