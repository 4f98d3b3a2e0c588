"""It is proved that people can be reached, proofs run out, and what broke is said to its owner."""

from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.actor import Actor
from accounts.models import User
from events.actions import deliver_due
from events.errors import Conflict
from events.models import Event
from oncall import channels
from oncall.channels import Message, Result
from oncall.models import ContactMethod
from oncall.reaching import (
    due_for_proof,
    mark_broken,
    mark_proved,
    proof_state,
    prove_reachability,
    send_test,
    tell,
)
from oncall.receipts import Receipt, record_receipt
from tests.factories import oncall
from tests.factories.accounts import user

pytestmark = pytest.mark.django_db
Kind = ContactMethod.Kind
DAY = timedelta(days=1)


class Line:
    """Takes what is sent by SMS and by call, and answers as it is told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Message]] = []
        self.result = Result("accepted", "queued", "here")

    def send(self, method: ContactMethod, message: Message) -> Result:
        self.sent.append((method.kind, message))
        return self.result


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    line = Line()
    monkeypatch.setitem(channels._senders, Kind.SMS, line.send)
    monkeypatch.setitem(channels._senders, Kind.VOICE, line.send)
    return line


@pytest.fixture
def ana() -> User:
    return user(name="Ana", email="ana@example.com", time_zone="UTC")


def phone(person: User, kind: str = Kind.SMS, **fields: object) -> ContactMethod:
    return oncall.contact_method(person, kind, address="+491701234567", **fields)


def fresh(method: ContactMethod) -> ContactMethod:
    return ContactMethod.objects.select_related("user").get(pk=method.pk)


def test_a_proof_is_missing_then_fresh_then_old(ana: User, now: datetime, settings: Settings) -> None:
    settings.PROVE_EVERY_DAYS = 30
    method = phone(ana)
    assert proof_state(method, now) == "missing"
    mark_proved(method=method, how="by hand", now=now)
    method = fresh(method)
    assert proof_state(method, now + 37 * DAY) == "proved"
    assert proof_state(method, now + 37 * DAY + timedelta(seconds=1)) == "old"
    assert proof_state(oncall.contact_method(ana, Kind.WEB), now) == "proved"


def test_a_test_goes_out_when_the_proof_is_thirty_days_old_and_only_once(ana: User, now: datetime, line: Line) -> None:
    method = phone(ana, proved_at=now, verified_at=now)
    assert prove_reachability(now + 29 * DAY) == 0
    later = now + 30 * DAY
    assert prove_reachability(later) == 1
    assert prove_reachability(later + timedelta(minutes=10)) == 0
    [(kind, message)] = line.sent
    assert (kind, message.purpose, message.urgency) == ("sms", "test", "low")
    record_receipt(reference=message.reference, kind=Receipt.DELIVERED, detail="delivered", now=later)
    assert fresh(method).proved_at == later
    assert prove_reachability(later + 29 * DAY) == 0


def test_whoever_does_not_react_is_asked_again_twice_and_told_by_mail(ana: User, now: datetime, line: Line) -> None:
    phone(ana, proved_at=now, verified_at=now)
    oncall.contact_method(ana, proved_at=now + 29 * DAY)
    asked = [day for day in range(25, 59) if prove_reachability(now + day * DAY) and line.sent.pop()]
    assert asked == [30, 33, 36]
    reminders = [each for each in mail.outbox if each.subject.startswith("Does ")]
    assert [each.to for each in reminders] == [["ana@example.com"]] * 2
    assert prove_reachability(now + 66 * DAY) == 2


def test_nobody_is_rung_out_of_bed(now: datetime, line: Line) -> None:
    # 09:26 UTC: afternoon in Bangkok, night in Los Angeles.
    phone(user(time_zone="America/Los_Angeles"))
    phone(user(time_zone="Asia/Bangkok"))
    assert prove_reachability(now) == 1
    assert prove_reachability(now + timedelta(hours=9)) == 1


def test_no_call_is_made_when_an_sms_to_the_same_number_proves_it(ana: User, now: datetime, line: Line) -> None:
    sms, call = phone(ana), phone(ana, Kind.VOICE)
    prove_reachability(now)
    [(kind, message)] = line.sent
    assert kind == "sms"
    record_receipt(reference=message.reference, kind=Receipt.DELIVERED, now=now)
    assert fresh(sms).proved_at == fresh(call).proved_at == now
    assert prove_reachability(now + timedelta(minutes=10)) == 0


def test_a_call_that_was_taken_proves_nothing_until_a_key_is_pressed(ana: User, now: datetime, line: Line) -> None:
    call = phone(ana, Kind.VOICE)
    prove_reachability(now)
    reference = line.sent[0][1].reference
    record_receipt(reference=reference, kind=Receipt.DELIVERED, detail="the call was taken", now=now)
    assert fresh(call).proved_at is None
    record_receipt(reference=reference, kind=Receipt.ANSWERED, detail="key 4", now=now)
    assert fresh(call).proved_at == now


def test_methods_that_are_off_broken_unverified_or_of_somebody_gone_are_left_alone(now: datetime) -> None:
    phone(user(), is_enabled=False)
    phone(user(), broken_reason="gone")
    phone(user(), verified_at=None)
    phone(user(is_active=False))
    oncall.contact_method(user(), Kind.WEB)
    assert not due_for_proof(now).exists()


def test_the_sweep_needs_as_many_statements_for_many_people_as_for_few_when_nothing_is_due(now: datetime) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert prove_reachability(now) == 0
        return len(captured)

    phone(user(), proved_at=now)
    few = statements()
    for _person in range(5):
        phone(user(), proved_at=now)
    assert statements() == few <= 6


def test_pressing_the_button_of_a_tests_mail_proves_it_and_opening_it_does_not(ana: User, now: datetime) -> None:
    method = oncall.contact_method(ana)
    assert send_test(actor=Actor.of_user(ana, via="web"), method=method, now=now).outcome == "accepted"
    link = next(line for line in str(mail.outbox[0].body).split() if "/prove/" in line)
    path = "/" + link.split("/", 3)[3]
    client = Client(enforce_csrf_checks=True)
    assert "It arrived" in client.get(path).content.decode()
    assert fresh(method).proved_at is None
    assert "you can be reached here" in client.post(path).content.decode()
    assert fresh(method).proved_at is not None
    assert client.post("/prove/forged:token/").status_code == 404


def test_a_refused_test_breaks_the_method_and_its_owner_hears_of_it_by_another(
    ana: User, now: datetime, line: Line
) -> None:
    line.result = Result("refused", "error 21610: Attempt to send to unsubscribed recipient", "twilio")
    method = phone(ana)
    oncall.contact_method(ana, proved_at=now)
    assert prove_reachability(now) == 1
    assert "21610" in fresh(method).broken_reason
    deliver_due(timezone.now())
    [notice] = mail.outbox
    assert notice.to == ["ana@example.com"]
    assert notice.subject == "You are no longer paged through SMS +491701234567"
    assert "21610" in str(notice.body)


def test_a_method_breaks_once_and_a_test_that_arrives_mends_it(ana: User, now: datetime, line: Line) -> None:
    method = phone(ana)
    mark_broken(method=method, reason="gone", now=now)
    mark_broken(method=method, reason="gone again", now=now)
    assert Event.objects.filter(name="contact_method.broken").count() == 1
    assert fresh(method).broken_reason == "gone"
    send_test(actor=Actor.of_user(ana, via="web"), method=method, now=now)
    assert fresh(method).is_usable


def test_only_what_is_verified_is_tested_and_not_without_end(ana: User, now: datetime, line: Line) -> None:
    actor = Actor.of_user(ana, via="web")
    with pytest.raises(Conflict, match="not verified"):
        send_test(actor=actor, method=phone(ana, Kind.VOICE, verified_at=None), now=now)
    method = phone(ana)
    send_test(actor=actor, method=method, now=now)
    with pytest.raises(Conflict, match="seconds ago"):
        send_test(actor=actor, method=fresh(method), now=now + timedelta(seconds=9))
    send_test(actor=actor, method=fresh(method), now=now + timedelta(seconds=10))
    assert len(line.sent) == 2


def test_a_message_that_never_arrives_for_good_breaks_the_method(ana: User, now: datetime) -> None:
    method = phone(ana)
    reference = f"test-{method.pk}-1"
    record_receipt(reference=reference, kind=Receipt.FAILED, detail="undelivered (error 30003)", now=now)
    assert fresh(method).is_usable
    record_receipt(
        reference=reference, kind=Receipt.FAILED, detail="undelivered (error 30005)", is_permanent=True, now=now
    )
    assert "30005" in fresh(method).broken_reason


def test_a_notice_takes_the_first_way_that_works_and_never_a_call(ana: User, now: datetime, line: Line) -> None:
    phone(ana, Kind.VOICE)
    assert tell(ana, title="Hello", detail="", now=now) is None
    sms = phone(ana)
    assert tell(ana, title="Hello", detail="", now=now) == sms
    email = oncall.contact_method(ana)
    assert tell(ana, title="Hello", detail="", now=now) == email
    assert tell(ana, title="Hello", detail="", now=now, besides=email) == sms


@pytest.mark.parametrize("reference", ["", "page", "page-x-1", "page-1", "test-999999-1", "page-999999-1"])
def test_a_receipt_for_what_is_not_there_changes_nothing(now: datetime, reference: str) -> None:
    assert record_receipt(reference=reference, kind=Receipt.DELIVERED, now=now) is None
    assert not Event.objects.exists()
