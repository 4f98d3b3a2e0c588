"""Answering a page without signing in: by link, SMS, keypad or the buttons of a notification."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.actor import Actor
from events.errors import DomainError
from oncall.actions import acknowledge_escalation, decline_escalation, escalate_now
from oncall.models import ContactMethod, Escalation, EscalationAnswer, Page
from oncall.receipts import record_answer

ACKNOWLEDGE, ESCALATE, DECLINE = "acknowledge", "escalate", "decline"
# How far back an SMS that names nothing reaches.
RECENT = timedelta(hours=24)
PageState = Literal["waiting", "answered", "help", "helping", "acknowledged", "over"]
WAITING = [Escalation.Status.TRIGGERED, Escalation.Status.EXHAUSTED]


@dataclass(frozen=True)
class Answered:
    """What came of an answer to one escalation, in a sentence for the person who gave it."""

    escalation: Escalation
    text: str
    is_done: bool


def answer_page(*, page: Page, verb: str, now: datetime) -> list[Answered]:
    """Answers a page, and those that were sent together with it, as the paged person by the page's channel.

    Repeating an answer changes nothing; what can't be done any more is said, never raised.
    """
    pages = [page, *page.carries.select_related("escalation", "user").order_by("id")]
    answered = [_answer(each, verb, now) for each in pages]
    if any(each.is_done for each in answered):
        record_answer(page=page, verb=verb, now=now)
    return answered


def _answer(page: Page, verb: str, now: datetime) -> Answered:
    escalation, actor = page.escalation, Actor.of_user(page.user, via=page.channel)
    try:
        if verb == ACKNOWLEDGE:
            escalation = acknowledge_escalation(actor=actor, escalation=escalation, now=now)
            return Answered(escalation, _acknowledged(escalation, page), True)
        if verb == ESCALATE:
            if _has_moved_on(page, now):
                return Answered(escalation, _("Already escalated: %(title)s") % {"title": escalation.title}, True)
            escalation = escalate_now(actor=actor, escalation=escalation, now=now)
            return Answered(escalation, _("Escalated: %(title)s") % {"title": escalation.title}, True)
        decline_escalation(actor=actor, escalation=escalation, now=now)
        return Answered(escalation, _("Declined: %(title)s") % {"title": escalation.title}, True)
    except DomainError as error:
        return Answered(escalation, f"{escalation.title}: {error.message}", False)


def _has_moved_on(page: Page, now: datetime) -> bool:
    """Whether the next level is paged already, or about to be: a key pressed twice must not skip a level."""
    escalation = page.escalation
    if escalation.status != Escalation.Status.TRIGGERED or page.is_extra:
        return False
    is_latest = (page.run, page.round, page.level + 1) == (escalation.run, escalation.round, escalation.level)
    return not is_latest or (escalation.due_at is not None and escalation.due_at <= now)


def _acknowledged(escalation: Escalation, page: Page) -> str:
    words = {"title": escalation.title, "name": escalation.acknowledged_by or _("Somebody")}
    if escalation.status != Escalation.Status.ACKNOWLEDGED:
        return _("Acknowledged, others must answer too: %(title)s") % words
    if escalation.acknowledged_by_id == page.user_id:
        return _("Acknowledged: %(title)s") % words
    if page.is_extra:
        return _("%(name)s knows that you help: %(title)s") % words
    return _("%(name)s already has it: %(title)s") % words


def state_of(page: Page) -> PageState:
    """How a page stands for its person: whether, and for what, an answer is still wanted."""
    escalation = page.escalation
    if escalation.status == Escalation.Status.RESOLVED:
        return "over"
    has_answered = escalation.answers.filter(
        user_id=page.user_id, run=escalation.run, kind=EscalationAnswer.Kind.ACKNOWLEDGED
    ).exists()
    if escalation.status in WAITING:
        return "answered" if has_answered else "waiting"
    if page.is_extra and escalation.acknowledged_by_id != page.user_id:
        return "helping" if has_answered else "help"
    return "acknowledged"


def pages_waiting_at(number: str, now: datetime) -> list[Page]:
    """The pages of the last day that may have reached this phone and still wait for an answer, one an escalation.

    Those that were sent together with another one are answered with it.
    """
    pages = (
        Page.objects.filter(
            Q(contact_method__kind=ContactMethod.Kind.SMS, contact_method__address=number),
            attempts_made__gt=0,
            carried_by__isnull=True,
            user__is_active=True,
            created_at__gt=now - RECENT,
        )
        .filter(
            Q(escalation__status__in=WAITING)
            | Q(carries__escalation__status__in=WAITING)
            | Q(is_extra=True, escalation__status=Escalation.Status.ACKNOWLEDGED)
        )
        .select_related("escalation", "user", "contact_method")
        .order_by("-id")
        .distinct()
    )
    newest: dict[int, Page] = {}
    for page in pages:
        if not page.is_extra or state_of(page) in {"waiting", "help"}:
            newest.setdefault(page.escalation_id, page)
    return list(newest.values())
