"""Pages by SMS and by call through Twilio: what it is sent, what its answers mean, and who stands in when it fails."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from config.providers import PhoneProvider, phone_providers
from oncall.channels import sms, telephony, voice
from oncall.models import ContactMethod
from tests.oncall.messages import a_test_message, code_message, message
from tests.oncall.servers import Twilio, free_port

PHONE = ContactMethod(kind=ContactMethod.Kind.SMS, address="+491701234567")


@pytest.fixture
def twilio(settings: Settings) -> Iterator[Twilio]:
    with Twilio().running() as server:
        settings.SMS_PROVIDERS = settings.VOICE_PROVIDERS = [server.provider()]
        settings.PUBLIC_URL = "https://sitrep.example.com"
        yield server
        telephony._client.cache_clear()


def test_an_sms_says_what_it_is_about_and_how_to_answer(twilio: Twilio) -> None:
    result = sms.send(PHONE, message())
    assert (result.outcome, result.provider, result.provider_id[:2]) == ("accepted", "twilio", "SM")
    [sent] = twilio.sent
    assert sent["Body"] == (
        "Sitrep: Payment API returning 500 errors\n"
        "payments, SEV1\n"
        "Reply 4 to acknowledge, 6 to escalate.\n"
        "http://localhost/p/token/"
    )
    assert (sent["To"], sent["From"]) == ("+491701234567", "+4930000001")
    assert sent["StatusCallback"] == "https://sitrep.example.com/twilio/status/page-12-1/"


def test_a_storm_is_one_sms_that_says_how_many(twilio: Twilio) -> None:
    sms.send(PHONE, message(others=("Disk full", "Queue grows")))
    assert "3 alerts: Payment API returning 500 errors" in twilio.sent[0]["Body"]


def test_a_long_title_is_cut_and_a_code_has_no_answers(twilio: Twilio) -> None:
    sms.send(PHONE, message(title="x" * 300, facts={}))
    assert len(twilio.sent[0]["Body"]) < 260
    sms.send(PHONE, code_message())
    assert twilio.sent[1]["Body"] == "Your Sitrep code is 042517. It is valid for 10 minutes."


def test_a_messaging_service_sends_in_place_of_a_number(twilio: Twilio, settings: Settings) -> None:
    provider = twilio.provider()
    settings.SMS_PROVIDERS = [PhoneProvider("service", provider.account, provider.token, "MG12", provider.base_url)]
    assert sms.send(PHONE, message()).outcome == "accepted"
    assert twilio.sent[0]["MessagingServiceSid"] == "MG12"
    assert "From" not in twilio.sent[0]


def test_a_call_is_said_three_times_and_waits_for_a_key(twilio: Twilio) -> None:
    result = voice.send(PHONE, message())
    assert (result.outcome, result.provider_id[:2]) == ("accepted", "CA")
    [call] = twilio.sent
    twiml = ET.fromstring(call["Twiml"])
    gathers = twiml.findall("Gather")
    assert len(gathers) == 3
    assert gathers[0].attrib == {
        "input": "dtmf",
        "numDigits": "1",
        "timeout": "10",
        "action": "https://sitrep.example.com/twilio/voice/page-12-1/",
        "method": "POST",
    }
    assert gathers[0].findtext("Say") == (
        "This is Sitrep. You are being paged. Payment API returning 500 errors. SEV1. "
        "Press 4 to acknowledge, 6 to escalate."
    )
    assert call["StatusCallbackEvent"] == ["answered", "completed"]
    assert (call["MachineDetection"], call["AsyncAmd"]) == ("Enable", "true")


def test_a_storm_is_one_call_and_markup_in_a_title_is_only_spoken(twilio: Twilio) -> None:
    voice.send(PHONE, message(title="<Hangup/> & more", others=("Disk full",) * 6, facts={}))
    twiml = ET.fromstring(twilio.sent[0]["Twiml"])
    assert twiml.find("Hangup") is None
    assert "7 alerts: <Hangup/> & more." in (twiml.findtext("Gather/Say") or "")


def test_a_code_is_read_digit_by_digit_and_a_test_asks_for_a_key(twilio: Twilio) -> None:
    voice.send(PHONE, code_message())
    assert "0, 4, 2, 5, 1, 7" in twilio.sent[0]["Twiml"]
    assert "Gather" not in twilio.sent[0]["Twiml"]
    voice.send(PHONE, a_test_message())
    assert "Press 4 to confirm" in twilio.sent[1]["Twiml"]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(21211, "refused"), (21610, "refused"), (21614, "refused"), (21408, "failed"), (429, "failed"), (503, "failed")],
)
def test_only_what_is_wrong_with_the_number_itself_is_refused(twilio: Twilio, answer: int, outcome: str) -> None:
    twilio.answer = answer
    result = sms.send(PHONE, message())
    assert (result.outcome, result.provider) == (outcome, "twilio")
    assert "error" in result.detail


def test_no_answer_in_time_is_a_failed_try(twilio: Twilio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telephony, "TIMEOUT_SECONDS", 0.3)
    telephony._client.cache_clear()
    twilio.answer = 0
    result = voice.send(PHONE, message())
    assert result.outcome == "failed"
    assert "Timeout" in result.detail


def test_a_wrong_token_is_the_accounts_fault_and_not_the_numbers(twilio: Twilio, settings: Settings) -> None:
    provider = twilio.provider()
    settings.SMS_PROVIDERS = [PhoneProvider("wrong", provider.account, "no", provider.sender, provider.base_url)]
    assert sms.send(PHONE, message()).outcome == "failed"


def test_the_second_provider_stands_in_within_the_same_try(twilio: Twilio, settings: Settings) -> None:
    second = Twilio(account="AC00000000000000000000000000000002", token="another", number="+4930000002")
    with second.running():
        settings.SMS_PROVIDERS = [twilio.provider("first"), second.provider("second")]
        twilio.answer = 503
        result = sms.send(PHONE, message())
        assert (result.outcome, result.provider) == ("accepted", "second")
        assert "after first: error 20503" in result.detail
        assert second.sent[0]["From"] == "+4930000002"
        # What no provider can mend is not tried with the next one.
        twilio.answer = 21211
        assert sms.send(PHONE, message()).provider == "first"
        assert len(second.sent) == 1
        twilio.answer = second.answer = 503
        both = sms.send(PHONE, message())
        assert both.outcome == "failed"
        assert "first: error 20503" in both.detail
        assert "second: error 20503" in both.detail


def test_without_a_provider_or_with_one_that_is_gone_the_try_fails(settings: Settings) -> None:
    settings.SMS_PROVIDERS = settings.VOICE_PROVIDERS = []
    assert "SMS_PROVIDERS" in sms.send(PHONE, message()).detail
    assert "VOICE_PROVIDERS" in voice.send(PHONE, message()).detail
    settings.SMS_PROVIDERS = [PhoneProvider("gone", "AC1", "t", "+1", f"http://127.0.0.1:{free_port()}")]
    assert sms.send(PHONE, message()).outcome == "failed"


def test_providers_are_read_from_addresses_in_order() -> None:
    first, second = phone_providers(
        ["twilio://AC1:t%2Fk@api.twilio.com?from=+4930123456", "twilio+http://AC2:x@127.0.0.1:81?from=MG7&name=backup"]
    )
    assert first == PhoneProvider("twilio", "AC1", "t/k", "+4930123456", "https://api.twilio.com")
    assert second == PhoneProvider("backup", "AC2", "x", "MG7", "http://127.0.0.1:81")


@pytest.mark.parametrize(
    ("addresses", "reason"),
    [
        (["nexmo://a:b@c?from=+1"], "nexmo:// is none of"),
        (["twilio://AC1@api.twilio.com?from=+1"], "token"),
        (["twilio://AC1:t@api.twilio.com"], "from"),
        (["twilio://AC1:t@h?from=+1&name=a", "twilio://AC2:t@h?from=+1&name=a"], "same name"),
    ],
)
def test_providers_that_make_no_sense_are_refused_with_a_reason(addresses: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        phone_providers(addresses)
