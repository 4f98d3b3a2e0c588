"""A storm that reaches one person is one message that speaks for all of it, and none is left out."""

import pytest

from accounts.models import User
from oncall import channels
from oncall.channels import Message, Result
from oncall.channels.wording import headline_of
from oncall.models import ContactMethod, Escalation, Page
from oncall.sending import send_due
from tests.factories import oncall
from tests.oncall.ladders import MINUTE, NOON, ladder, ledger, reachable, rung, running

pytestmark = pytest.mark.django_db


class Line:
    """What is beyond the house: answers what it is told to, and remembers what it was sent."""

    def __init__(self) -> None:
        self.answers: list[Result] = []
        self.sent: list[Message] = []

    def send(self, _method: ContactMethod, message: Message) -> Result:
        self.sent.append(message)
        return self.answers.pop(0) if self.answers else Result("accepted", "taken")


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    line = Line()
    monkeypatch.setitem(channels._senders, "email", line.send)
    return line


def storm(person: User, size: int) -> list[Escalation]:
    return [running(ladder(rung(person)), title=f"Disk {number} is full") for number in range(size)]


def test_seven_pages_to_one_person_are_one_message_that_names_them_all(line: Line) -> None:
    ana = reachable()
    escalations = storm(ana, 7)
    send_due(NOON)
    assert [(message.title, headline_of(message)) for message in line.sent] == [
        ("Disk 0 is full", "7 alerts: Disk 0 is full")
    ]
    assert line.sent[0].others == tuple(f"Disk {number} is full" for number in range(1, 7))
    assert set(Page.objects.values_list("state", flat=True)) == {"sent"}
    first = Page.objects.earliest("id")
    assert first.carried_by is None
    assert first.carries.count() == 6
    for escalation in escalations:
        assert "Paged Ana by email, together with 6 more: taken" in ledger(escalation)


def test_a_storm_that_is_longer_than_one_round_of_sending_is_one_message_all_the_same(line: Line) -> None:
    storm(reachable(), 40)
    assert send_due(NOON) == 40
    assert len(line.sent) == 1


def test_two_people_get_a_message_each(line: Line) -> None:
    storm(reachable("Ana"), 2)
    storm(reachable("Bob"), 1)
    send_due(NOON)
    assert sorted((message.person, len(message.others)) for message in line.sent) == [("Ana", 1), ("Bob", 0)]


def test_a_message_that_failed_is_sent_again_for_all_of_them(line: Line) -> None:
    storm(reachable(), 3)
    line.answers = [Result("failed", "busy")]
    send_due(NOON)
    assert set(Page.objects.values_list("state", flat=True)) == {"pending"}
    send_due(NOON + MINUTE)
    assert [len(message.others) for message in line.sent] == [2, 2]
    assert set(Page.objects.values_list("state", flat=True)) == {"sent"}


def test_a_program_gets_each_page_by_itself() -> None:
    ana = reachable()
    ana.contact_methods.all().delete()
    oncall.contact_method(ana, "web")
    storm(ana, 3)
    send_due(NOON)
    assert Page.objects.filter(state="sent", carried_by=None).count() == 3
