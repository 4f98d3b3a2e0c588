"""Signatures that can't be looked at when a message comes in, for their certificates have to be fetched first.

What SNS sends is stored unverified: it makes no alert before its signature is believed, and never if it is not. Then it
is shown among the failed events of its source. A topic's subscription is confirmed here too. Requests go only to
Amazon's own hosts, by https, through the guard for outbound addresses, and outside of any transaction.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from django.core.cache import cache
from django.db import transaction

from accounts.actor import Actor
from alerts.dialects import DialectError, sns
from alerts.ingest import ATTEMPTS, PROCESS_RAW_EVENTS, RETRY_AFTER
from alerts.models import AlertSource, RawEvent
from events import outbound
from events.actions import publish
from events.models import Event
from events.poke import poke

log = structlog.get_logger(__name__)

# On the default queue: nothing that waits for others may stand before a page.
VERIFY_RAW_EVENTS = "signatures.verify_raw_events"
VERIFIED_AT_ONCE = 10
LEASE = timedelta(minutes=5)
LARGEST_ANSWER = 64 * 1024
KEPT_SECONDS = 24 * 3600
TOPICS_SHOWN = 20
CONFIRMED = "alert_source.topic_confirmed"
# GETs an address and returns the body of a 200; raises NotFetched.
Fetch = Callable[[str], bytes]


class NotFetched(Exception):
    """Amazon did not answer as expected; trying again may help."""


class NotBelieved(Exception):
    """The signature is not that of the message: trying again does not help."""


def fetch(url: str) -> bytes:
    """GETs an address of Amazon's; whatever redirects elsewhere is not followed by anything that is believed."""
    try:
        answer, body = outbound.get(url, headers={}, most_bytes=LARGEST_ANSWER)
    except Exception as error:
        raise NotFetched(f"{urlsplit(url).hostname} could not be asked: {error}") from error
    if answer.status_code != 200 or not sns.is_amazons(f"https://{answer.request.headers['Host']}/"):
        raise NotFetched(f"{urlsplit(url).hostname} answered {answer.status_code}.")
    return body


def verify_raw_events(now: datetime, *, fetch: Fetch = fetch) -> int:
    """Looks at the signatures of what is due and returns how many were looked at.

    What is believed goes on to become alerts; what is not has failed, with the reason. A claim is a lease: if this
    process dies they are looked at again.
    """
    claimed = _claim(now)
    believed = []
    for raw in claimed:
        try:
            _verify(raw, now, fetch)
            believed.append(raw.pk)
        except (NotBelieved, DialectError) as error:
            _give_up(raw, str(error))
        except NotFetched as error:
            _wait(raw, str(error), now)
        except Exception as error:
            log.exception("signature_not_looked_at", raw_event_id=raw.pk)
            _wait(raw, f"{type(error).__name__}: {error}", now)
    if believed:
        with transaction.atomic():
            RawEvent.objects.filter(pk__in=believed).update(is_verified=True, due_at=now, attempts=0, error="")
            poke(PROCESS_RAW_EVENTS)
    return len(claimed)


def confirmed_topics(source: AlertSource) -> list[Event]:
    """The topics that have been confirmed for a source, the newest first: `data` has each one's ARN as `topic`."""
    told = Event.objects.filter(subject_type=source._meta.label_lower, subject_id=source.pk, name=CONFIRMED)
    return list(told.order_by("-id")[:TOPICS_SHOWN])


@transaction.atomic
def _claim(now: datetime) -> list[RawEvent]:
    due = list(
        RawEvent.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("source")
        .filter(state=RawEvent.State.PENDING, is_verified=False, due_at__lte=now)
        .order_by("due_at", "id")[:VERIFIED_AT_ONCE]
    )
    RawEvent.objects.filter(pk__in=[raw.pk for raw in due]).update(due_at=now + LEASE)
    return due


def _verify(raw: RawEvent, now: datetime, fetch: Fetch) -> None:
    data = sns.document(raw.request())
    check_signature(data, _certificate(data["SigningCertURL"], fetch))
    if data["Type"] == sns.SUBSCRIPTION:
        fetch(data["SubscribeURL"])
        with transaction.atomic():
            told = {"topic": data["TopicArn"][:300], "raw_event": raw.pk}
            by = Actor.of_alert_source(raw.source.pk, raw.source.name)
            publish(CONFIRMED, subject=raw.source, actor=by, data=told)


def check_signature(data: dict[str, Any], certificate: x509.Certificate) -> None:
    """Raises NotBelieved unless the message is signed with the certificate's key: version 1 is SHA-1, 2 is SHA-256."""
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise NotBelieved("The certificate is not one that SNS signs with.")
    # Not for its strength: version 1 of the format has no other.
    digest = SHA256() if data["SignatureVersion"] == "2" else SHA1()  # noqa: S303
    try:
        key.verify(sns.signature(data), sns.signed_text(data), PKCS1v15(), digest)
    except InvalidSignature as error:
        raise NotBelieved("The signature is not that of this message: it does not come from SNS.") from error


def _certificate(url: str, fetch: Fetch) -> x509.Certificate:
    """The certificate at one of Amazon's addresses, asked for once a day."""
    key = f"sns-certificate:{url}"
    pem = cache.get(key)
    if pem is None:
        pem = fetch(url)
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise NotFetched("What Amazon answered is no certificate.") from error
    cache.set(key, pem, KEPT_SECONDS)
    return certificate


def _give_up(raw: RawEvent, reason: str) -> None:
    log.warning("raw_event_not_believed", raw_event_id=raw.pk, source=raw.source.slug, reason=reason)
    RawEvent.objects.filter(pk=raw.pk).update(state=RawEvent.State.FAILED, error=reason[:2000])


def _wait(raw: RawEvent, reason: str, now: datetime) -> None:
    """Tries again later, at most as often as with what fails otherwise."""
    attempts = raw.attempts + 1
    state = RawEvent.State.FAILED if attempts >= ATTEMPTS else RawEvent.State.PENDING
    due_at = now + RETRY_AFTER * attempts
    RawEvent.objects.filter(pk=raw.pk).update(state=state, attempts=attempts, due_at=due_at, error=reason[:2000])
