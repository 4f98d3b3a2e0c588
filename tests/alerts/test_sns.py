"""Amazon SNS: alarms fire and resolve, topics are confirmed, and only what Amazon signed is believed."""

import base64
import json
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from accounts.models import Role
from alerts.dialects import DIALECTS, DialectError, NormalisedEvent, sns
from alerts.dialects.format import Request
from alerts.failed_events import retry_raw_event
from alerts.ingest import ATTEMPTS, RETRY_AFTER, process_raw_events
from alerts.models import Alert, AlertSource, RawEvent
from alerts.signatures import NotFetched, confirmed_topics, fetch, verify_raw_events
from alerts.trying import send_test_event
from tests.factories import accounts, alerts
from tests.oncall.servers import Quiet, served

PAYLOADS = Path(__file__).parent.parent / "payloads" / "sns"
SOON = timedelta(seconds=1)


def payload(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return document


def parsed(document: dict[str, Any], **headers: str) -> list[NormalisedEvent]:
    return DIALECTS["sns"].parse(Request("", json.dumps(document).encode(), headers))


class Amazon:
    """A small server with a certificate of its own: it signs, and hears which subscriptions are confirmed."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
        day = datetime(2026, 1, 1, tzinfo=UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(day)
            .not_valid_after(day + timedelta(days=3650))
            .sign(self.key, hashes.SHA256())
        )
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)
        self.asked: list[str] = []
        self.is_away = False
        amazon = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                amazon.asked.append(self.path)
                body = amazon.pem if self.path.endswith(".pem") else b"<ConfirmSubscriptionResponse/>"
                self.send_response(503 if amazon.is_away else 200)
                self.end_headers()
                self.wfile.write(b"" if amazon.is_away else body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def fetch(self, url: str) -> bytes:
        """What the guard for outbound addresses does, but here instead of at Amazon's."""
        assert sns.is_amazons(url)
        there = urlsplit(url)._replace(scheme="http", netloc=f"127.0.0.1:{self.server.server_port}").geturl()
        answer = httpx.get(there)
        if answer.status_code != 200:
            raise NotFetched("It is away.")
        return answer.content

    def sign(self, document: dict[str, Any], version: str = "2") -> dict[str, Any]:
        document = {**document, "SignatureVersion": version}
        digest = hashes.SHA256() if version == "2" else hashes.SHA1()
        signed = self.key.sign(sns.signed_text(document), padding.PKCS1v15(), digest)
        return {**document, "Signature": base64.b64encode(signed).decode()}


@pytest.fixture
def amazon(valkey: redis.Redis) -> Generator[Amazon]:
    cache.clear()
    made = Amazon()
    Thread(target=made.server.serve_forever, args=[0.02], daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def source(db: None) -> AlertSource:
    return alerts.source(dialect="sns")


def post(source: AlertSource, document: dict[str, Any]) -> int:
    """As SNS posts it: JSON that calls itself text."""
    answer = Client().post(f"/sns/{source.token}", json.dumps(document), content_type="text/plain; charset=UTF-8")
    return answer.status_code


def worked_off(amazon: Amazon, now: datetime) -> list[str]:
    """What became of all that was sent, in the order in which it came."""
    verify_raw_events(now, fetch=amazon.fetch)
    process_raw_events(now)
    raws = RawEvent.objects.order_by("id")
    return [str(raw.outcomes[0]["outcome"]) if raw.outcomes else raw.state for raw in raws]


# --- What is understood -----------------------------------------------------------------------------------------------


def test_an_alarm_fires_with_its_reason_and_its_metric() -> None:
    [event] = parsed(payload("firing"))
    assert (event.status, event.title) == ("firing", "payments-5xx")
    assert event.dedup_key == "arn:aws:cloudwatch:us-west-2:123456789012:alarm:payments-5xx"
    assert event.description.startswith("The payment API answers 500.\n\nThreshold Crossed")
    assert event.started_at == datetime(2026, 11, 21, 8, 13, 11, 831000, tzinfo=UTC)
    assert event.attributes["dimensions"] == {"LoadBalancer": "app/payments/50dc6c495c0c9188"}


def test_an_alarm_that_is_ok_resolves_and_one_without_data_says_nothing() -> None:
    [event] = parsed(payload("resolved"))
    assert (event.status, event.dedup_key) == ("resolved", parsed(payload("firing"))[0].dedup_key)
    unsure = payload("firing")
    unsure["Message"] = unsure["Message"].replace('"NewStateValue": "ALARM"', '"NewStateValue": "INSUFFICIENT_DATA"')
    assert parsed(unsure) == []


def test_any_other_message_fires_under_its_first_line() -> None:
    [event] = parsed(payload("plain"))
    assert (event.status, event.title, event.description) == (
        "firing",
        "Disk is nearly full",
        "Disk is nearly full\non db-1",
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"Type": "Other"}, "Type"),
        ({"Signature": None}, "Signature"),
        ({"SignatureVersion": "3"}, "SignatureVersion"),
        ({"SigningCertURL": "https://evil.example/x.pem"}, "SigningCertURL"),
        ({"SigningCertURL": "http://sns.us-west-2.amazonaws.com/x.pem"}, "SigningCertURL"),
        ({"SigningCertURL": "https://sns.us-west-2.amazonaws.com.evil.example/x.pem"}, "SigningCertURL"),
        ({"SigningCertURL": "https://sns.us-west-2.amazonaws.com@evil.example/x.pem"}, "SigningCertURL"),
        ({"SigningCertURL": "https://sns.us-west-2.amazonaws.com/x.txt"}, "SigningCertURL"),
        ({"Type": "SubscriptionConfirmation", "Token": "x", "SubscribeURL": "http://169.254.169.254/"}, "SubscribeURL"),
    ],
)
def test_what_is_not_of_sns_is_refused_with_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(DialectError) as refused:
        parsed({**payload("firing"), **changes})
    assert refused.value.field_name == field


def test_raw_delivery_is_refused_for_it_is_not_signed() -> None:
    with pytest.raises(DialectError) as refused:
        parsed(payload("firing"), **{sns.RAW: "true"})
    assert "Switch it off" in refused.value.remedy


# --- What is believed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", "2"])
def test_what_amazon_signed_fires_and_resolves(
    source: AlertSource, amazon: Amazon, now: datetime, version: str
) -> None:
    later = now.replace(year=2100)
    assert [post(source, amazon.sign(payload(name), version)) for name in ("firing", "resolved")] == [202, 202]
    assert process_raw_events(later) == 0
    assert worked_off(amazon, later) == ["recorded", "resolved"]
    assert len(amazon.asked) == 1, "the certificate is kept"


def test_what_somebody_else_signed_is_never_an_alert_and_can_be_seen(
    source: AlertSource, amazon: Amazon, now: datetime
) -> None:
    later = now.replace(year=2100)
    forged = {**amazon.sign(payload("firing")), "Message": "The password is wanted"}
    assert post(source, forged) == 202
    assert worked_off(amazon, later) == ["failed"]
    raw = RawEvent.objects.get()
    assert raw.error == "The signature is not that of this message: it does not come from SNS."
    retry_raw_event(actor=alerts.SYSTEM, raw_event=raw, now=later)
    assert worked_off(amazon, later) == ["failed"]
    assert not Alert.objects.exists()


def test_a_topic_is_confirmed_once_its_signature_is_believed(
    source: AlertSource, amazon: Amazon, now: datetime
) -> None:
    post(source, payload("confirmation"))
    assert worked_off(amazon, now.replace(year=2100)) == ["failed"]
    assert not any("ConfirmSubscription" in path for path in amazon.asked)
    post(source, amazon.sign(payload("confirmation"), "1"))
    assert worked_off(amazon, now.replace(year=2100)) == ["failed", "done"]
    assert amazon.asked[-1].startswith("/?Action=ConfirmSubscription")
    assert [event.data["topic"] for event in confirmed_topics(source)] == [payload("confirmation")["TopicArn"]]


def test_while_amazon_is_away_it_waits_and_is_tried_again(source: AlertSource, amazon: Amazon, now: datetime) -> None:
    later = now.replace(year=2100)
    post(source, amazon.sign(payload("firing")))
    amazon.is_away = True
    assert worked_off(amazon, later) == ["pending"]
    assert RawEvent.objects.get().error == "It is away."
    amazon.is_away = False
    assert worked_off(amazon, later + SOON) == ["pending"]
    assert worked_off(amazon, later + RETRY_AFTER) == ["recorded"]
    amazon.is_away = True
    cache.clear()
    post(source, amazon.sign(payload("resolved")))
    for number in range(ATTEMPTS):
        told = worked_off(amazon, later + timedelta(minutes=number + 1))
    assert told == ["recorded", "failed"]


def test_our_own_test_event_needs_no_signature(source: AlertSource, now: datetime) -> None:
    send_test_event(actor=alerts.SYSTEM, source=source, now=now)
    assert process_raw_events(now) == 1
    assert Alert.objects.get().title == "payments-5xx"


def test_what_goes_wrong_at_the_door_is_told_and_counted(source: AlertSource, monkeypatch: pytest.MonkeyPatch) -> None:
    assert post(source, {**payload("firing"), "TopicArn": 7}) == 400
    assert Client().post("/sns/nonsense", "{}", content_type="text/plain").status_code == 401
    monkeypatch.setattr("django.conf.settings.MAX_EVENT_BYTES", 100)
    assert post(source, payload("firing")) == 413
    assert sorted(source.rejections.values_list("reason", flat=True)) == ["invalid", "too_large"]
    assert not RawEvent.objects.exists()


def test_nothing_but_amazon_is_asked() -> None:
    for url in (
        "https://evil.example/",
        "https://sns.a.amazonaws.com/",
        "https://sns.us-west-2.amazonaws.com:8080/x.pem",
    ):
        assert not sns.is_amazons(url)
    assert sns.is_amazons("https://sns.cn-north-1.amazonaws.com.cn/x.pem")


def test_its_page_tells_which_topics_are_confirmed(source: AlertSource, amazon: Amazon, now: datetime) -> None:
    manager = Client()
    manager.force_login(accounts.user(role=Role.MANAGER))
    assert "Confirmed topics" not in manager.get(f"/alerts/sources/{source.slug}/").content.decode()
    post(source, amazon.sign(payload("confirmation")))
    worked_off(amazon, now.replace(year=2100))
    assert payload("confirmation")["TopicArn"] in manager.get(f"/alerts/sources/{source.slug}/").content.decode()


# --- Asking Amazon ----------------------------------------------------------------------------------------------------


class Somebody(Quiet):
    """Who answers, but is not Amazon."""

    def do_GET(self) -> None:  # noqa: N802  (the name of http.server)
        self.reply(200, b"{}")


def test_who_answers_and_is_not_amazon_is_not_believed(settings: Settings) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    server = ThreadingHTTPServer(("127.0.0.1", 0), Somebody)
    with served(server), pytest.raises(NotFetched, match="answered 200"):
        fetch(f"http://127.0.0.1:{server.server_port}/SimpleNotificationService.pem")


def test_an_address_inside_the_network_is_never_asked(settings: Settings) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = False
    with pytest.raises(NotFetched, match="private network"):
        fetch("http://127.0.0.1:1/SimpleNotificationService.pem")
