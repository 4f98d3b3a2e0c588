"""The mails about cover and swaps: who gets them, in whose zone, and what they lead to."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role, User
from events.actions import deliver_due
from events.models import Delivery
from oncall import covering, swaps
from oncall.models import CoverRequest
from tests.factories import oncall
from tests.factories.accounts import actor, user

pytestmark = pytest.mark.django_db
STARTS = datetime(2026, 3, 18, 8, tzinfo=UTC)
ENDS = STARTS + timedelta(hours=4)


def deliver() -> None:
    while deliver_due(timezone.now()):
        pass


def asking(ana: User, now: datetime, *asked: User, by: Actor | None = None) -> CoverRequest:
    made = covering.ask_for_cover(
        actor=by or Actor.of_user(ana, via="web"),
        schedule=oncall.schedule(ana),
        user=ana,
        starts_at=STARTS,
        ends_at=ENDS,
        now=now,
        asked=asked,
        note="Dentist",
    )
    deliver()
    return made


def test_those_who_are_asked_are_mailed_in_their_own_zone_with_a_link(now: datetime) -> None:
    ana, bob = user(name="Ana"), user(name="Bob", time_zone="Asia/Bangkok")
    user()
    request = asking(ana, now, bob)
    [message] = mail.outbox
    assert message.to == [bob.email]
    assert message.subject.startswith("Ana asks for cover on ")
    assert "Wed 18 Mar 15:00 – 19:00 (Asia/Bangkok)" in message.body
    for words in ("Dentist", f"/oncall/cover/{request.pk}/"):
        assert words in message.body
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"


def test_whoever_asked_and_whoever_needs_cover_hear_who_took_it(now: datetime) -> None:
    ana, bob, manager = user(name="Ana"), user(name="Bob"), actor(Role.MANAGER)
    request = asking(ana, now, bob, by=manager)
    mail.outbox.clear()
    covering.accept_cover(actor=Actor.of_user(bob, via="web"), request=request, now=now)
    deliver()
    assert {message.to[0] for message in mail.outbox} == {ana.email, User.objects.get(pk=manager.person_id).email}
    assert all(message.subject.startswith("Bob covers on ") for message in mail.outbox)


def test_it_is_told_that_nobody_can_and_that_nobody_answered(now: datetime) -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    request = asking(ana, now, bob)
    covering.decline_cover(actor=Actor.of_user(bob, via="web"), request=request, now=now)
    asking(ana, now, bob)
    covering.close_expired_requests(ENDS)
    deliver()
    subjects = sorted(message.subject.partition(" on ")[0] for message in mail.outbox if message.to == [ana.email])
    assert subjects == ["Nobody has answered your request for cover", "Nobody who was asked can cover"]


def test_a_request_that_is_closed_before_the_mail_left_mails_nobody(now: datetime) -> None:
    ana, bob = user(), user()
    mine = Actor.of_user(ana, via="web")
    request = covering.ask_for_cover(
        actor=mine, schedule=oncall.schedule(ana), user=ana, starts_at=STARTS, ends_at=ENDS, now=now, asked=[bob]
    )
    covering.withdraw_cover(actor=mine, request=request, now=now)
    deliver()
    assert mail.outbox == []


def test_the_other_hears_of_a_swap_and_of_its_end(now: datetime) -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    schedule = oncall.schedule(ana, bob)
    [half, _other] = swaps.swap_turns(
        actor=Actor.of_user(ana, via="web"),
        schedule=schedule,
        user=ana,
        at=datetime(2026, 3, 17, tzinfo=UTC),
        other=bob,
        other_at=datetime(2026, 3, 25, tzinfo=UTC),
        now=now,
    )
    assert half.swap is not None
    deliver()
    swaps.undo_swap(actor=Actor.of_user(bob, via="web"), schedule=schedule, swap=half.swap, now=now)
    deliver()
    assert [message.to for message in mail.outbox] == [[bob.email], [ana.email]]
    assert "is swapped" in mail.outbox[0].subject
    assert "is undone" in mail.outbox[1].subject


def test_a_mail_that_fails_is_tried_again_without_mailing_the_others_twice(now: datetime) -> None:
    ana, bob, eve = user(), user(email="bob@example.com"), user(email="not\nan-address@example.com")
    asking(ana, now, bob, eve)
    deliver_due(timezone.now() + timedelta(minutes=5))
    assert [message.to for message in mail.outbox] == [[bob.email]]
    assert Delivery.objects.get(handler="oncall.mail_cover_request", attempts=2).state == Delivery.State.PENDING
