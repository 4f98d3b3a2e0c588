"""What providers and devices say after a message was sent: it arrived, nobody picked up, the number does not exist."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from events.actions import publish
from events.poke import poke
from oncall.engine import SEND_PAGES
from oncall.ledger import add_ledger_entry
from oncall.models import ContactMethod, Escalation, EscalationEntry, Page, PageAttempt, PageReceipt
from oncall.reaching import REACHING, mark_broken, mark_proved

Receipt = PageReceipt.Kind
# A call that nobody took is made again, twice.
AGAIN_AFTER = timedelta(seconds=30)
MOST_TRIES = 3
# Whose providers say later that a message did not arrive.
REPORTS_FAILURES = {ContactMethod.Kind.SMS, ContactMethod.Kind.VOICE}
WANTED = {Escalation.Status.TRIGGERED, Escalation.Status.EXHAUSTED}


@transaction.atomic
def record_receipt(
    *, reference: str, kind: Receipt, now: datetime, detail: str = "", is_permanent: bool = False
) -> PageReceipt | None:
    """Keeps what was said of the message with this reference (`page-<id>-<attempt>`, `test-<method>-<time>`, …).

    What arrived proves the contact method; what failed for good breaks it; a page that did not arrive is sent again
    while it is wanted, three times in all. Saying it twice changes nothing. None for what is not a page.
    """
    subject, _, rest = reference.partition("-")
    first, _, second = rest.partition("-")
    if not (first.isdecimal() and second.isdecimal()):
        return None
    if subject != "page":
        _about_method(int(first), kind, detail, is_permanent, now)
        return None
    attempt = (
        PageAttempt.objects.select_related("page__contact_method__user", "page__user")
        .filter(page_id=int(first), number=int(second))
        .first()
    )
    if attempt is None:
        return None
    receipt, created = PageReceipt.objects.get_or_create(
        attempt=attempt, kind=kind, detail=detail[:300], defaults={"at": now}
    )
    if created:
        _follow_up(attempt, kind, detail, is_permanent, now)
    return receipt


def _about_method(method_id: int, kind: Receipt, detail: str, is_permanent: bool, now: datetime) -> None:
    method = ContactMethod.objects.select_related("user").filter(pk=method_id).first()
    if method is None:
        return
    data = {"method": method.pk, "receipt": kind, "detail": detail[:300]}
    publish("contact_method.receipt", subject=method.user, actor=REACHING, data=data)
    if _proves(method, kind) and method.verified_at is not None:
        mark_proved(method=method, how=detail or kind, now=now)
    elif is_permanent:
        mark_broken(method=method, reason=detail, now=now)


def _follow_up(attempt: PageAttempt, kind: Receipt, detail: str, is_permanent: bool, now: datetime) -> None:
    page = attempt.page
    escalation = Escalation.objects.select_for_update().get(pk=page.escalation_id)
    text = f"{page.user.display_name} by {page.channel}: {kind.label}" + (f" ({detail})" if detail else "")
    data = {"page": page.pk, "attempt": attempt.number, "receipt": kind}
    add_ledger_entry(escalation, EscalationEntry.Kind.RECEIPT, text, now, actor=REACHING, data=data)
    if kind != Receipt.FAILED:
        if page.contact_method is not None and _proves(page.contact_method, kind):
            mark_proved(method=page.contact_method, how=detail or kind, now=now)
        return
    if is_permanent:
        if page.contact_method is not None:
            mark_broken(method=page.contact_method, reason=detail, now=now)
        return
    _send_again(page, attempt.number, escalation, now)


def _send_again(page: Page, number: int, escalation: Escalation, now: datetime) -> None:
    """After this try of the page did not arrive, while it is wanted. The caller holds the escalation."""
    is_wanted = escalation.status in WANTED or (page.is_extra and escalation.is_open)
    if is_wanted and number < MOST_TRIES:
        # Only the newest try: an older one that is told late has been followed by another already.
        # What this message spoke for is sent again with it.
        again = Page.objects.filter(Q(pk=page.pk, attempts_made=number) | Q(carried_by=page), state=Page.State.SENT)
        if again.update(state=Page.State.PENDING, due_at=now + AGAIN_AFTER):
            poke(SEND_PAGES)


def send_again_what_failed_already(pages: Collection[Page], now: datetime) -> None:
    """Sends again what its provider said had failed before the try was written down, as if it had said so after.

    `pages` are those that messages went out for, just written down as sent in the caller's transaction, which holds
    their escalations: a receipt comes either before it, and is found here, or after it. A failure for good has broken
    the contact method, so it is left alone. One query, none for channels whose providers report no failures.
    """
    told_later = [page.pk for page in pages if page.channel in REPORTS_FAILURES]
    if not told_later:
        return
    failed = PageReceipt.objects.filter(
        kind=Receipt.FAILED,
        attempt__page__in=told_later,
        attempt__number=F("attempt__page__attempts_made"),
        attempt__page__contact_method__broken_reason="",
    )
    for receipt in failed.select_related("attempt__page__escalation"):
        page = receipt.attempt.page
        _send_again(page, receipt.attempt.number, page.escalation, now)


def _proves(method: ContactMethod, kind: Receipt) -> bool:
    """Whether that means that the person was reached: a call may be taken by a machine, until a key is pressed."""
    return kind == Receipt.ANSWERED or (kind != Receipt.FAILED and method.kind != ContactMethod.Kind.VOICE)


def record_answer(*, page: Page, verb: str, now: datetime) -> None:
    """Keeps that a page was answered, by the receipt of its last attempt; the answer proves the contact method."""
    attempt = page.attempts.order_by("-number").first()
    if attempt is not None:
        reference = f"page-{page.pk}-{attempt.number}"
        record_receipt(reference=reference, kind=Receipt.ANSWERED, detail=verb, now=now)
