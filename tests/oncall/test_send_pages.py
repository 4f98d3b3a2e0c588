"""Sending is a step of its own: every try is recorded, what failed is tried again, what nobody wants is dropped."""

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import User
from events.errors import NotAllowed
from events.models import Event
from oncall import channels, sending
from oncall.actions import acknowledge_escalation, resolve_escalation
from oncall.channels import Message, Result
from oncall.engine import tick
from oncall.models import ContactMethod, Escalation, Page, PageAttempt
from oncall.reaching import send_test
from oncall.records import Bundle, Conclusion, record
from oncall.sending import LEASE, send_due
from oncall.tasks import tick_task
from tests.factories import oncall
from tests.factories.accounts import actor, user

pytestmark = pytest.mark.django_db


class Line:
    """A stand-in for what is beyond the house: answers what it is told to, and remembers what it was sent."""

    def __init__(self) -> None:
        self.answers: list[Result | Exception] = []
        self.sent: list[Message] = []

    def send(self, method: ContactMethod, message: Message) -> Result:
        self.sent.append(message)
        answer = self.answers.pop(0) if self.answers else Result("accepted")
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    line = Line()
    monkeypatch.setitem(channels._senders, "email", line.send)
    return line


def paged(now: datetime, *people: User) -> Escalation:
    """An escalation whose first level has just been paged, with a second level behind it."""
    first = list(people) or [user(name="Ana")]
    for person in first:
        if not person.contact_methods.exists():
            oncall.contact_method(person)
    second = user(name="Bob")
    oncall.contact_method(second)
    escalation = oncall.escalation(oncall.level(*first), oncall.level(second), now=now)
    tick(now)
    return escalation


def attempts(escalation: Escalation) -> list[tuple[int, str, str]]:
    found = PageAttempt.objects.filter(page__escalation=escalation).order_by("id")
    return list(found.values_list("number", "outcome", "detail"))


def state(escalation: Escalation) -> str:
    return Page.objects.get(escalation=escalation, level=0).state


def test_a_page_that_is_accepted_is_sent_once_and_recorded(now: datetime, line: Line) -> None:
    escalation = paged(now)
    assert (send_due(now), send_due(now), send_due(now + timedelta(hours=1))) == (1, 0, 0)
    assert attempts(escalation) == [(1, "accepted", "")]
    page = escalation.pages.get()
    assert page.state == Page.State.SENT
    assert page.sent_at is not None
    assert page.sent_at == page.attempts.get().finished_at == escalation.entries.get(kind="sent").at
    assert now <= page.sent_at < now + timedelta(seconds=sending.DEADLINE_SECONDS)
    assert [message.title for message in line.sent] == ["Payment API returning 500 errors"]


def test_a_page_is_sent_when_its_try_has_ended(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"seconds": 5_000.0}

    def slow(method: ContactMethod, message: Message) -> Result:
        clock["seconds"] += 7
        return Result("accepted")

    monkeypatch.setitem(channels._senders, "email", slow)
    monkeypatch.setattr(sending, "time", SimpleNamespace(monotonic=lambda: clock["seconds"]))
    escalation = paged(now)
    send_due(now)
    attempt = PageAttempt.objects.get(page__escalation=escalation)
    assert (attempt.started_at, attempt.finished_at) == (now, now + timedelta(seconds=7))
    assert escalation.pages.get().sent_at == attempt.finished_at


def test_a_failed_try_is_made_again_with_growing_pauses_until_it_is_given_up(now: datetime, line: Line) -> None:
    escalation = paged(now)
    line.answers = [Result("failed", "busy")] * 5
    at = now
    for pause in (5, 15, 45, 120):
        assert send_due(at) == 1
        assert state(escalation) == Page.State.PENDING
        assert send_due(at + timedelta(seconds=pause - 1)) == 0
        at += timedelta(seconds=pause)
    assert send_due(at) == 1
    assert state(escalation) == Page.State.FAILED
    assert [(number, outcome) for number, outcome, _ in attempts(escalation)] == [(n, "failed") for n in range(1, 6)]
    assert Event.objects.get(name="page.failed").data["reason"] == "busy"
    assert escalation.entries.filter(kind="failed").count() == 1


def test_a_sender_that_raises_is_a_failed_try_and_holds_nobody_up(now: datetime, line: Line) -> None:
    escalation = paged(now, user(name="Ana"), user(name="Eve"))
    line.answers = [RuntimeError("broken pipe")]
    assert send_due(now) == 2
    assert sorted(outcome for _, outcome, _ in attempts(escalation)) == ["accepted", "failed"]
    assert "RuntimeError: broken pipe" in [detail for _, _, detail in attempts(escalation)]


def test_a_refused_page_is_not_tried_again_and_its_contact_method_is_broken(now: datetime, line: Line) -> None:
    escalation = paged(now)
    line.answers = [Result("refused", "no such mailbox")]
    send_due(now)
    assert state(escalation) == Page.State.FAILED
    assert escalation.pages.get().contact_method == ContactMethod.objects.get(broken_reason="no such mailbox")
    assert send_due(now + timedelta(hours=1)) == 0


def test_when_nobody_of_a_level_could_be_paged_the_next_level_is_due_at_once(now: datetime, line: Line) -> None:
    escalation = paged(now, user(name="Ana"), user(name="Eve"))
    line.answers = [Result("refused", "gone"), Result("failed", "busy")]
    send_due(now)
    escalation.refresh_from_db()
    assert escalation.due_at == now + timedelta(minutes=5)
    line.answers = [Result("refused", "gone too")]
    later = now + timedelta(seconds=5)
    send_due(later)
    escalation.refresh_from_db()
    assert escalation.due_at == later
    tick(later)
    assert list(escalation.pages.filter(level=1).values_list("user__name", flat=True)) == ["Bob"]


@pytest.mark.parametrize("end", [acknowledge_escalation, resolve_escalation])
def test_a_page_that_nobody_needs_any_more_is_not_sent(now: datetime, line: Line, end: object) -> None:
    escalation = paged(now)
    end(actor=actor(), escalation=escalation, now=now)  # type: ignore[operator]
    assert state(escalation) == Page.State.DROPPED
    assert send_due(now) == 0
    assert line.sent == []


def test_a_page_whose_try_failed_before_somebody_answered_is_dropped(now: datetime, line: Line) -> None:
    escalation = paged(now)
    line.answers = [Result("failed", "busy")]
    send_due(now)
    # What a sender that was at work while somebody acknowledged leaves behind.
    acknowledge_escalation(actor=actor(), escalation=escalation, now=now)
    escalation.pages.update(state=Page.State.PENDING)
    assert send_due(now + timedelta(seconds=5)) == 1
    assert state(escalation) == Page.State.DROPPED
    assert attempts(escalation)[-1] == (2, "not_sent", "the escalation is acknowledged")
    assert len(line.sent) == 1
    assert not Event.objects.filter(name="page.failed").exists()


def test_a_sender_that_died_leaves_an_unknown_try_and_the_page_is_sent_when_its_lease_ends(
    now: datetime, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    escalation = paged(now)
    with monkeypatch.context() as patch:
        patch.setattr(sending, "_collect", lambda tries, at: None)
        send_due(now)
    assert state(escalation) == Page.State.SENDING
    assert attempts(escalation) == [(1, "unknown", "")]
    assert send_due(now + LEASE - timedelta(seconds=1)) == 0
    assert send_due(now + LEASE) == 1
    assert attempts(escalation) == [(1, "unknown", ""), (2, "accepted", "")]


def test_a_page_that_kills_every_sender_is_given_up_in_the_end(
    now: datetime, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    escalation = paged(now)
    with monkeypatch.context() as patch:
        patch.setattr(sending, "_collect", lambda tries, at: None)
        for number in range(5):
            assert send_due(now + number * LEASE) == 1
    assert send_due(now + 5 * LEASE) == 1
    assert state(escalation) == Page.State.FAILED
    assert attempts(escalation)[-1] == (6, "failed", "gave up: too many tries")


def test_a_late_sender_does_not_undo_what_came_after_its_lease(now: datetime, line: Line) -> None:
    escalation = paged(now)
    (stale,) = sending._read(sending._claim(now, 10))
    send_due(now + LEASE)
    record([Conclusion(Bundle((stale,)), Result("failed", "much too late"), Page.State.FAILED)], now + LEASE)
    assert state(escalation) == Page.State.SENT
    assert attempts(escalation) == [(1, "failed", "much too late"), (2, "accepted", "")]


def test_a_slow_receiver_holds_nobody_up_and_counts_as_failed(
    now: datetime, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    def slow(method: ContactMethod, message: Message) -> Result:
        answers.wait(30)
        return Result("accepted")

    ana, eve = user(name="Ana"), user(name="Eve")
    oncall.contact_method(ana, "webhook", address="https://example.com/slow")
    monkeypatch.setitem(channels._senders, "webhook", slow)
    monkeypatch.setattr(sending, "DEADLINE_SECONDS", 0.4)
    escalation = paged(now, ana, eve)
    try:
        # Returns while the receiver still thinks.
        send_due(now)
        assert not answers.is_set()
    finally:
        answers.set()
    assert escalation.pages.get(user=eve).state == Page.State.SENT
    assert escalation.pages.get(user=ana).state == Page.State.PENDING
    assert (1, "failed", "no answer within 0 seconds") in attempts(escalation)
    assert PageAttempt.objects.get(page__user=ana).finished_at == now + timedelta(seconds=0.4)


def test_a_removed_contact_method_is_told_and_not_tried(now: datetime, line: Line) -> None:
    escalation = paged(now)
    ContactMethod.objects.filter(user__name="Ana").delete()
    send_due(now)
    assert attempts(escalation) == [(1, "refused", "the contact method was removed")]
    assert line.sent == []


def test_claiming_needs_as_many_statements_for_many_pages_as_for_few(now: datetime, line: Line) -> None:
    def statements(number: int) -> int:
        paged(now, *[user() for _ in range(number)])
        with CaptureQueriesContext(connection) as captured:
            assert len(sending._claim(now, 50)) == number
        return len(captured)

    assert statements(2) == statements(12)


def test_a_page_by_mail_has_both_texts_a_link_an_answer_and_the_facts(now: datetime) -> None:
    ana = user(name="Ana", email="ana@example.com")
    oncall.contact_method(ana)
    escalation = oncall.escalation(
        oncall.level(ana), now=now, title="Payments\r\nBcc: eve@example.com", facts={"Severity": "SEV1 <b>"}
    )
    tick(now)
    send_due(now)
    [sent] = mail.outbox
    assert sent.to == ["ana@example.com"]
    assert sent.subject == "[Page] Payments Bcc: eve@example.com"
    assert sent.extra_headers["X-Sitrep-Page"] == str(escalation.pages.get().pk)
    html = str(sent.alternatives[0][0])  # type: ignore[attr-defined]
    links = [word for word in str(sent.body).split() if "/p/" in word]
    assert html.count("<a ") == len(set(links)) == 3
    assert all(f'href="{link}"' in html for link in links)
    assert "Severity: SEV1 <b>" in sent.body
    assert "SEV1 &lt;b&gt;" in html


def test_a_test_page_goes_out_asks_for_nothing_and_mends_the_contact_method(now: datetime) -> None:
    ana = user(name="Ana")
    method = oncall.contact_method(ana)
    ContactMethod.objects.update(broken_reason="no such mailbox")
    result = send_test(actor=Actor.of_user(ana, via="web"), method=method, now=now)
    assert result.outcome == "accepted"
    [sent] = mail.outbox
    assert sent.subject == "[Test] This is a test page"
    assert "/p/" not in str(sent.body)
    method.refresh_from_db()
    assert method.is_usable
    assert Page.objects.count() == 0
    assert Event.objects.get(name="contact_method.tested").data["outcome"] == "accepted"


def test_nobody_sends_test_pages_to_somebody_else(now: datetime) -> None:
    with pytest.raises(NotAllowed):
        send_test(actor=actor(), method=oncall.contact_method(user()), now=now)
    assert mail.outbox == []


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_send_each_page_once(now: datetime, line: Line) -> None:
    paged(now, *[user() for _ in range(30)])
    together = threading.Barrier(2)

    def sender() -> None:
        together.wait()
        try:
            while send_due(now, limit=5):
                pass
        finally:
            connection.close()

    senders = [threading.Thread(target=sender) for _ in range(2)]
    for thread in senders:
        thread.start()
    for thread in senders:
        thread.join()
    while send_due(now):
        pass
    assert sorted(message.page_id for message in line.sent) == sorted(Page.objects.values_list("pk", flat=True))
    assert set(Page.objects.values_list("state", flat=True)) == {Page.State.SENT}
    assert PageAttempt.objects.count() == 30


def test_one_task_pages_and_sends(line: Line) -> None:
    escalation = paged(timezone.now() - timedelta(minutes=5))
    tick_task()
    assert [message.level for message in line.sent] == [1, 2]
    assert set(escalation.pages.values_list("state", flat=True)) == {Page.State.SENT}
