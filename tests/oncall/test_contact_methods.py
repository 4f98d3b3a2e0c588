"""A way to reach a person is used for pages once a code that was sent through it comes back."""

import json
import re
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from pytest_django import Settings

from accounts.actor import Actor
from accounts.models import Role, User
from events.errors import Conflict, Invalid, NotAllowed, NotFound
from events.models import Event
from oncall import channels
from oncall.channels import Message, Result
from oncall.contact_methods import (
    RuleDraft,
    add_contact_method,
    remove_contact_method,
    renew_subscription,
    rotate_secret,
    save_notification_rules,
    save_quiet_hours,
    send_code,
    set_contact_method_enabled,
    verify_contact_method,
)
from oncall.models import ContactMethod, NotificationRule, OnCallProfile
from oncall.reaching import proof_state
from tests.factories import oncall
from tests.factories.accounts import actor, user
from tests.oncall.servers import PushService

pytestmark = pytest.mark.django_db
Kind = ContactMethod.Kind


@pytest.fixture
def ana() -> User:
    return user(name="Ana", email="ana@example.com")


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    """What goes out by SMS, instead of a provider."""
    sent: list[Message] = []

    def send(method: ContactMethod, message: Message) -> Result:
        sent.append(message)
        return Result("accepted", "ok", "here")

    monkeypatch.setitem(channels._senders, Kind.SMS, send)
    return sent


def as_self(person: User) -> Actor:
    return Actor.of_user(person, via="web")


def add(
    person: User, now: datetime, kind: str = Kind.SMS, address: str = "+49 170 1234567", **more: Any
) -> ContactMethod:
    return add_contact_method(actor=as_self(person), user=person, kind=kind, address=address, now=now, **more)


def test_a_new_method_is_used_only_after_its_code_came_back(ana: User, now: datetime, line: list[Message]) -> None:
    method = add(ana, now)
    assert (method.address, method.is_usable) == ("+491701234567", False)
    [message] = line
    assert re.fullmatch(r"\d{6}", message.code)
    assert message.code not in method.code_hash
    verify_contact_method(actor=as_self(ana), method=method, code=f" {message.code} ", now=now + timedelta(minutes=9))
    method.refresh_from_db()
    assert method.is_usable
    assert method.proved_at == method.verified_at
    assert method.code_hash == ""
    names = Event.objects.filter(name__startswith="contact_method").order_by("id").values_list("name", flat=True)
    assert list(names) == ["contact_method.added", "contact_method.code_sent", "contact_method.verified"]


def test_a_code_goes_by_mail_with_the_code_in_its_subject(ana: User, now: datetime) -> None:
    add(ana, now, Kind.EMAIL, "ana@private.example")
    assert mail.outbox[0].to == ["ana@private.example"]
    assert re.fullmatch(r"\d{6} is your Sitrep code", str(mail.outbox[0].subject))


def test_the_address_of_the_login_the_browser_and_what_sitrep_sets_up_need_no_code(ana: User, now: datetime) -> None:
    EmailAddress.objects.create(user=ana, email="ana@example.com", verified=True, primary=True)
    EmailAddress.objects.create(user=ana, email="not@example.com", verified=False)
    assert add(ana, now, Kind.EMAIL, "Ana@example.com").is_usable
    assert add(ana, now, Kind.WEB, "").is_usable
    assert not add(ana, now, Kind.EMAIL, "not@example.com").is_usable
    assert add_contact_method(actor=oncall.SYSTEM, user=ana, kind=Kind.SMS, address="+4930123456", now=now).is_usable


def test_a_wrong_code_counts_and_the_fifth_voids_it(ana: User, now: datetime, line: list[Message]) -> None:
    method = add(ana, now)
    code = line[0].code
    wrong = "000000" if code != "000000" else "111111"
    for _try in range(5):
        with pytest.raises(Invalid, match="not the code"):
            verify_contact_method(actor=as_self(ana), method=method, code=wrong, now=now)
    with pytest.raises(Conflict, match="5 times"):
        verify_contact_method(actor=as_self(ana), method=method, code=code, now=now)
    send_code(actor=as_self(ana), method=method, now=now + timedelta(minutes=2))
    verify_contact_method(actor=as_self(ana), method=method, code=line[1].code, now=now + timedelta(minutes=3))
    method.refresh_from_db()
    assert method.is_usable


def test_a_code_is_void_after_ten_minutes_and_when_a_newer_one_was_sent(
    ana: User, now: datetime, line: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = iter([111111, 222222])
    monkeypatch.setattr("oncall.contact_methods.secrets.randbelow", lambda _limit: next(codes))
    method = add(ana, now)
    with pytest.raises(Conflict, match="still holds"):
        verify_contact_method(actor=as_self(ana), method=method, code="111111", now=now + timedelta(minutes=11))
    send_code(actor=as_self(ana), method=method, now=now + timedelta(minutes=12))
    with pytest.raises(Invalid):
        verify_contact_method(actor=as_self(ana), method=method, code="111111", now=now + timedelta(minutes=12))


def test_codes_can_not_be_asked_for_without_end(ana: User, now: datetime, line: list[Message]) -> None:
    method = add(ana, now)
    with pytest.raises(Conflict, match="less than a minute"):
        send_code(actor=as_self(ana), method=method, now=now + timedelta(seconds=59))
    # Removing it and adding it again is no way around: the limit is the person's.
    for _try in range(9):
        method.delete()
        method = add(ana, now)
    method.delete()
    with pytest.raises(Conflict, match="within an hour"):
        add(ana, now)
    assert len(line) == 10


def test_a_code_that_can_not_be_sent_is_no_code(ana: User, now: datetime, settings: Settings) -> None:
    settings.SMS_PROVIDERS = []
    method = add(ana, now)
    assert (method.code_hash, method.broken_reason) == ("", "")
    with pytest.raises(Conflict, match="still holds"):
        verify_contact_method(actor=as_self(ana), method=method, code="123456", now=now)


def test_a_refused_number_is_broken_at_once(ana: User, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Result("refused", "error 21211: Invalid 'To' Phone Number", "twilio")
    monkeypatch.setitem(channels._senders, Kind.SMS, lambda method, message: refused)
    assert "21211" in add(ana, now).broken_reason


@pytest.mark.parametrize("address", ["0170 123456", "+49", "+0123456789", "nonsense", "", "+49170123456789012"])
def test_what_is_no_phone_number_is_refused(ana: User, now: datetime, address: str) -> None:
    with pytest.raises(Invalid, match="phone number"):
        add(ana, now, Kind.VOICE, address)


def test_an_apprise_address_is_kept_encrypted_and_shown_masked(ana: User, now: datetime) -> None:
    address = "tgram://123456789:abcdefg_hijklmnopqrstuvwxyz/12315544/"
    method = add_contact_method(actor=oncall.SYSTEM, user=ana, kind=Kind.APPRISE, address=address, now=now)
    assert "abcdefg" not in method.address
    assert method.secret == address
    # Two that look alike once they are masked are still two.
    other = address.replace("klmn", "nmlk")
    again = add_contact_method(actor=oncall.SYSTEM, user=ana, kind=Kind.APPRISE, address=other, now=now)
    assert again.pk != method.pk
    for refused in ("file:///etc/passwd", "https://example.com/", "ntfy://127.0.0.1/topic"):
        with pytest.raises(Invalid):
            add(ana, now, Kind.APPRISE, refused)


def test_a_push_subscription_is_checked_and_kept_secret(ana: User, now: datetime, settings: Settings) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    with PushService().running() as service:
        method = add(ana, now, Kind.PUSH, "", subscription=service.subscription, label="Chrome · Android")
        assert method.address.startswith("127.0.0.1 #")
        assert str(method) == "Chrome · Android"
        code = re.search(r"\d{6}", service.received[0]["body"])
        assert code is not None
        verify_contact_method(actor=as_self(ana), method=method, code=code[0], now=now)
        good = service.subscription
    short = {**good, "keys": {"p256dh": "AAAA", "auth": "AAAA"}}
    for bad in (None, {}, {"endpoint": "https://push.example.com/1"}, short, {**good, "endpoint": "file:///x"}):
        with pytest.raises(Invalid, match="subscription"):
            add(ana, now, Kind.PUSH, "", subscription=bad)
    settings.OUTBOUND_PRIVATE_ADDRESSES = False
    with pytest.raises(Invalid):
        add(ana, now, Kind.PUSH, "", subscription=good)


def test_a_browser_that_renews_its_subscription_keeps_its_row_its_rules_and_its_verification(
    ana: User, now: datetime, settings: Settings
) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    with PushService().running() as service:
        old = service.subscription
        method = add(ana, now, Kind.PUSH, "", subscription=old, label="Chrome · Android")
    rule = save_notification_rules(actor=as_self(ana), user=ana, urgency="high", steps=[RuleDraft(method, 0)])[0]
    ContactMethod.objects.update(verified_at=now, proved_at=now, proof_sent_at=now, broken_reason="answered 410")
    fresh = {**old, "endpoint": old["endpoint"].replace("one-browser", "renewed")}

    def renew(person: User, endpoint: str) -> ContactMethod:
        given: dict[str, Any] = {"old_endpoint": endpoint, "subscription": fresh, "now": now}
        return renew_subscription(actor=as_self(person), user=person, **given)

    with pytest.raises(NotFound):
        renew(ana, old["endpoint"] + "x")
    with pytest.raises(NotFound):
        renew(user(), old["endpoint"])
    with pytest.raises(NotAllowed):
        renew_subscription(actor=as_self(user()), user=ana, old_endpoint=old["endpoint"], subscription=fresh, now=now)
    renewed = renew(ana, old["endpoint"])
    assert (renewed.pk, renewed.verified_at, renewed.is_usable) == (method.pk, now, True)
    assert proof_state(renewed, now) == "missing"
    assert renewed.address != method.address
    assert list(renewed.rules.all()) == [rule]
    assert json.loads(ContactMethod.objects.get().secret)["endpoint"] == fresh["endpoint"]
    assert renew(ana, old["endpoint"]) == renewed
    assert Event.objects.filter(name="contact_method.renewed").count() == 1


def test_what_was_not_verified_is_not_by_being_renewed(ana: User, now: datetime, settings: Settings) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    with PushService().running() as service:
        old = service.subscription
        add(ana, now, Kind.PUSH, "", subscription=old)
    fresh = {**old, "endpoint": old["endpoint"].replace("one-browser", "renewed")}
    given: dict[str, Any] = {"old_endpoint": old["endpoint"], "subscription": fresh, "now": now}
    renewed = renew_subscription(actor=as_self(ana), user=ana, **given)
    assert (renewed.verified_at, renewed.code_hash, renewed.is_usable) == (None, "", False)


def test_a_webhooks_secret_can_be_rotated_and_nothing_elses(ana: User, now: datetime) -> None:
    method = add_contact_method(
        actor=oncall.SYSTEM, user=ana, kind=Kind.WEBHOOK, address="https://example.com/", now=now
    )
    old = method.secret
    assert rotate_secret(actor=as_self(ana), method=method) != old
    with pytest.raises(Conflict):
        rotate_secret(actor=as_self(ana), method=oncall.contact_method(ana))


def test_nobody_verifies_or_changes_what_is_somebody_elses(ana: User, now: datetime, line: list[Message]) -> None:
    method = add(ana, now)
    stranger = actor(Role.MANAGER)
    for attempt in (
        lambda: send_code(actor=stranger, method=method, now=now + timedelta(minutes=5)),
        lambda: verify_contact_method(actor=stranger, method=method, code=line[0].code, now=now),
        lambda: rotate_secret(actor=stranger, method=method),
        lambda: save_notification_rules(actor=stranger, user=ana, urgency="high", steps=[]),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_adding_twice_is_once_and_what_makes_no_sense_is_refused_at_its_field(ana: User, now: datetime) -> None:
    for _time in range(2):
        method = add(ana, now, Kind.EMAIL, " ana@home.example ")
    assert ana.contact_methods.get() == method
    assert method.address == "ana@home.example"
    for kind, address, field in (
        ("pigeon", "x", "kind"),
        ("email", "not an address", "address"),
        ("webhook", "ftp://example.com", "address"),
    ):
        with pytest.raises(Invalid) as refused:
            add(ana, now, kind, address)
        assert refused.value.field == field


def test_switching_a_broken_method_on_mends_it(ana: User) -> None:
    method = oncall.contact_method(ana, broken_reason="no such mailbox", is_enabled=False)
    set_contact_method_enabled(actor=as_self(ana), method=method, is_enabled=True)
    method.refresh_from_db()
    assert method.is_usable


def test_only_administrators_take_away_what_is_somebody_elses(ana: User) -> None:
    method = oncall.contact_method(ana)
    with pytest.raises(NotAllowed):
        remove_contact_method(actor=actor(Role.MANAGER), method=method)
    remove_contact_method(actor=actor(Role.ADMINISTRATOR), method=method)
    assert not ContactMethod.objects.exists()


# --- Rules and quiet hours --------------------------------------------------------------------------------------------


def test_rules_are_kept_in_the_order_of_their_delays_and_replace_those_before(ana: User) -> None:
    email, sms = oncall.contact_method(ana), oncall.contact_method(ana, Kind.SMS, address="+4930123456")
    drafts = [RuleDraft(sms, 5), RuleDraft(email, 0), RuleDraft(sms, 2)]
    save_notification_rules(actor=as_self(ana), user=ana, urgency="high", steps=drafts)
    save_notification_rules(actor=as_self(ana), user=ana, urgency="low", steps=[RuleDraft(email, 0)])
    save_notification_rules(actor=as_self(ana), user=ana, urgency="high", steps=drafts)
    rules = NotificationRule.objects.filter(user=ana, urgency="high").order_by("position")
    assert [(rule.contact_method, rule.delay_minutes) for rule in rules] == [(email, 0), (sms, 2), (sms, 5)]
    assert NotificationRule.objects.filter(user=ana, urgency="low").count() == 1
    save_notification_rules(actor=as_self(ana), user=ana, urgency="high", steps=[])
    assert not rules.all().exists()


def test_rules_that_make_no_sense_are_refused(ana: User) -> None:
    own, foreign = oncall.contact_method(ana), oncall.contact_method(user())
    for steps in ([RuleDraft(foreign, 0)], [RuleDraft(own, -1)], [RuleDraft(own, 1441)], [RuleDraft(own, 0)] * 21):
        with pytest.raises(Invalid):
            save_notification_rules(actor=as_self(ana), user=ana, urgency="high", steps=steps)
    with pytest.raises(Invalid):
        save_notification_rules(actor=as_self(ana), user=ana, urgency="loud", steps=[])


def test_quiet_hours_are_two_times_or_none(ana: User) -> None:
    def save(start: time | None, end: time | None) -> OnCallProfile:
        return save_quiet_hours(
            actor=as_self(ana), user=ana, quiet_from=start, quiet_until=end, digest_at=time(9), country="de"
        )

    save(time(22), time(7))
    assert OnCallProfile.objects.get(user=ana).country == "DE"
    assert save(None, None).quiet_from is None
    for start, end in ((time(22), None), (None, time(7)), (time(7), time(7))):
        with pytest.raises(Invalid):
            save(start, end)
