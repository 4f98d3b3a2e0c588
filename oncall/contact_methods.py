"""Every write on how a person wants to be reached: contact methods, their verification, rules, quiet hours."""

import base64
import binascii
import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.actor import Actor
from accounts.models import User
from events.actions import publish
from events.errors import Conflict, Invalid, NotFound, require
from events.models import Event
from events.outbound import AddressRefused, resolve
from oncall import permissions
from oncall.channels import Message, Result
from oncall.channels.apprise import masked
from oncall.channels.wording import CODE_MINUTES
from oncall.models import ContactMethod, NotificationRule, OnCallProfile, Urgency
from oncall.reaching import mark_broken, try_to_send

Kind = ContactMethod.Kind
NOT_YOURS = "You may only change your own contact methods."
CODE_VALID_FOR = timedelta(minutes=CODE_MINUTES)
CODE_AGAIN_AFTER = timedelta(seconds=60)
CODE_TRIES = 5
CODES_IN_AN_HOUR = 10
MOST_METHODS = 20
MOST_STEPS = 20
LONGEST_DELAY_MINUTES = 24 * 60
DIGEST_AT = time(9)
PHONE_NUMBER = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True)
class RuleDraft:
    """One step of how somebody wants to be paged."""

    contact_method: ContactMethod
    delay_minutes: int


# --- Contact methods --------------------------------------------------------------------------------------------------


def add_contact_method(
    *,
    actor: Actor,
    user: User,
    kind: str,
    now: datetime,
    address: str = "",
    label: str = "",
    subscription: dict[str, Any] | None = None,
) -> ContactMethod:
    """Adds a way to reach a person and sends a code through it, which `verify_contact_method` wants back.

    The browser and an address with which the person signs in need no code, nor does what Sitrep itself sets up. For
    push, `subscription` is what `PushSubscription.toJSON()` gives. A webhook gets a secret that signs what it is sent.
    Adding again changes nothing. Raises Invalid for an address that can't be used.
    """
    method, created = _store(
        actor=actor,
        user=user,
        kind=kind,
        now=now,
        address=address.strip(),
        label=label.strip(),
        subscription=subscription,
    )
    if created and method.verified_at is None:
        send_code(actor=actor, method=method, now=now)
        method.refresh_from_db()
    return method


@transaction.atomic
def _store(
    *,
    actor: Actor,
    user: User,
    kind: str,
    now: datetime,
    address: str,
    label: str,
    subscription: dict[str, Any] | None,
) -> tuple[ContactMethod, bool]:
    require(permissions.can_manage_contact_methods(actor, user.pk), NOT_YOURS)
    if kind not in Kind.values:
        raise Invalid(f"{kind!r} is not a kind.", field="kind", remedy=f"Use {', '.join(Kind.values)}.")
    shown, secret = _checked(kind, address, subscription)
    if kind == Kind.APPRISE:
        same = user.contact_methods.filter(kind=kind, address=shown).first()
        if same is not None and same.secret != secret:
            shown = f"{shown} #{hashlib.sha256(secret.encode()).hexdigest()[:6]}"
    if user.contact_methods.count() >= MOST_METHODS:
        raise Conflict(f"A person has at most {MOST_METHODS} contact methods.", remedy="Remove one first.")
    method, created = ContactMethod.objects.get_or_create(
        user=user,
        kind=kind,
        address=shown,
        defaults={"verified_at": now if _needs_no_code(actor, user, kind, shown) else None, "secret": secret}
        | {"label": label[:60]},
    )
    if created:
        publish("contact_method.added", subject=user, actor=actor, data={"method": method.pk, "kind": kind})
    return method, created


def _needs_no_code(actor: Actor, user: User, kind: str, address: str) -> bool:
    if kind == Kind.WEB or actor.kind == "system":
        return True
    return kind == Kind.EMAIL and EmailAddress.objects.filter(user=user, email__iexact=address, verified=True).exists()


def _checked(kind: str, address: str, subscription: dict[str, Any] | None) -> tuple[str, str]:
    """What is shown of an address, and what is kept secret; raises Invalid."""
    if kind == Kind.WEB:
        return "", ""
    if kind == Kind.PUSH:
        return _checked_subscription(subscription or {})
    if kind == Kind.EMAIL:
        try:
            validate_email(address)
        except ValidationError as error:
            raise Invalid(f"{address!r} is not an e-mail address.", field="address") from error
        return address, ""
    if kind in {Kind.SMS, Kind.VOICE}:
        number = re.sub(r"[\s().\-/]", "", address)
        if not PHONE_NUMBER.fullmatch(number):
            raise Invalid(
                f"{address!r} is not a phone number.",
                field="address",
                remedy="Write it with the country's code: +49 30 123456.",
            )
        return number, ""
    if kind == Kind.APPRISE:
        try:
            return masked(address)[:480], address
        except AddressRefused as error:
            raise Invalid(str(error), field="address", remedy="See Being reached in the guide.") from error
        except httpx.HTTPError as error:
            raise Invalid(str(error), field="address") from error
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Invalid("A webhook needs an address.", field="address", remedy="It starts with https:// or http://.")
    return address, secrets.token_urlsafe(32)


def _checked_subscription(subscription: dict[str, Any]) -> tuple[str, str]:
    """A push subscription as RFC 8291 needs it: an endpoint, a public key of P-256, a secret of 16 bytes."""
    endpoint, keys = str(subscription.get("endpoint", "")), subscription.get("keys")
    keys = keys if isinstance(keys, dict) else {}
    parts = urlsplit(endpoint)
    allowed = {"https", "http"} if settings.OUTBOUND_PRIVATE_ADDRESSES else {"https"}
    if parts.scheme not in allowed or not parts.hostname or len(endpoint) > 2000:
        raise Invalid("This is not a push subscription: its endpoint is no https:// address.", field="subscription")
    if (_decoded_length(keys.get("p256dh")), _decoded_length(keys.get("auth"))) != (65, 16):
        raise Invalid("This is not a push subscription: its keys are not right.", field="subscription")
    try:
        resolve(endpoint)
    except (AddressRefused, httpx.HTTPError) as error:
        raise Invalid(str(error), field="subscription") from error
    kept = {"endpoint": endpoint, "keys": {"p256dh": keys["p256dh"], "auth": keys["auth"]}}
    return f"{parts.hostname} #{hashlib.sha256(endpoint.encode()).hexdigest()[:8]}", json.dumps(kept)


def _decoded_length(text: Any) -> int:
    if not isinstance(text, str):
        return 0
    try:
        return len(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        return 0


@transaction.atomic
def renew_subscription(
    *, actor: Actor, user: User, old_endpoint: str, subscription: dict[str, Any], now: datetime
) -> ContactMethod:
    """Puts the subscription that a browser has made of its own accord in the place of its old one.

    The person is signed in at that browser, and it knows the old endpoint, which nobody else does: no new code is
    needed. The method keeps its row, its name and its rules and is whole again if it was broken; that it reaches the
    person is to be proved again. Renewing again changes nothing. Raises NotFound if the person has no
    such subscription.
    """
    require(actor.user_id == user.pk, NOT_YOURS)
    shown, secret = _checked_subscription(subscription)
    own = list(user.contact_methods.select_for_update().filter(kind=Kind.PUSH))
    present = next((each for each in own if each.address == shown), None)
    if present is not None:
        return present
    method = next((each for each in own if constant_time_compare(_endpoint_of(each), old_endpoint)), None)
    if method is None:
        raise NotFound("This browser was not subscribed for you.", remedy="Subscribe it on your profile.")
    method.address, method.secret = shown, secret
    method.broken_reason = method.code_hash = ""
    method.proved_at = method.proof_sent_at = None
    method.save(update_fields=["address", "secret", "broken_reason", "code_hash", "proved_at", "proof_sent_at"])
    publish("contact_method.renewed", subject=user, actor=actor, data={"method": method.pk, "kind": method.kind})
    return method


def _endpoint_of(method: ContactMethod) -> str:
    return str(json.loads(method.secret).get("endpoint", "")) if method.secret else ""


@transaction.atomic
def set_contact_method_enabled(*, actor: Actor, method: ContactMethod, is_enabled: bool) -> ContactMethod:
    """Switches a contact method off or on; switching on also clears that it was broken."""
    require(permissions.can_change_contact_method(actor, method), NOT_YOURS)
    method = ContactMethod.objects.select_for_update().get(pk=method.pk)
    method.is_enabled = is_enabled
    method.broken_reason = "" if is_enabled else method.broken_reason
    method.save(update_fields=["is_enabled", "broken_reason"])
    data = {"method": method.pk, "kind": method.kind, "enabled": is_enabled}
    publish("contact_method.changed", subject=method.user, actor=actor, data=data)
    return method


@transaction.atomic
def rotate_secret(*, actor: Actor, method: ContactMethod) -> str:
    """Gives a webhook a new signing secret and returns it; what is sent from now on is signed with it."""
    require(permissions.can_change_contact_method(actor, method), NOT_YOURS)
    if method.kind != Kind.WEBHOOK:
        raise Conflict("Only webhooks have a signing secret.", remedy="Remove it and add it again instead.")
    method.secret = secrets.token_urlsafe(32)
    method.save(update_fields=["secret"])
    publish("contact_method.secret_rotated", subject=method.user, actor=actor, data={"method": method.pk})
    return method.secret


@transaction.atomic
def remove_contact_method(*, actor: Actor, method: ContactMethod) -> None:
    """Takes a way to reach a person away with the rules that use it; what was sent through it stays recorded."""
    require(permissions.can_change_contact_method(actor, method), NOT_YOURS)
    user, data = method.user, {"method": method.pk, "kind": method.kind}
    method.delete()
    publish("contact_method.removed", subject=user, actor=actor, data=data)


# --- Verification -----------------------------------------------------------------------------------------------------


def send_code(*, actor: Actor, method: ContactMethod, now: datetime) -> Result:
    """Sends a new code of six digits through the method; an older one is void.

    It holds for ten minutes and five tries. Raises Conflict within a minute of the last one, and past ten codes an
    hour for one person. When it can't be sent, the result says why.
    """
    require(permissions.can_change_contact_method(actor, method), NOT_YOURS)
    code = f"{secrets.randbelow(1_000_000):06}"
    with transaction.atomic():
        method = ContactMethod.objects.select_for_update().select_related("user").get(pk=method.pk)
        if method.verified_at is not None:
            raise Conflict("This contact method is already verified.", remedy="Send a test page instead.")
        if method.code_sent_at and now - method.code_sent_at < CODE_AGAIN_AFTER:
            raise Conflict("A code was sent less than a minute ago.", remedy="Wait for it before you ask for another.")
        recent = Event.objects.filter(
            name="contact_method.code_sent",
            subject_type=User._meta.label_lower,
            subject_id=method.user_id,
            occurred_at__gt=now - timedelta(hours=1),
        )
        if recent.count() >= CODES_IN_AN_HOUR:
            raise Conflict("Too many codes were sent within an hour.", remedy="Try again later.")
        method.code_hash, method.code_sent_at, method.code_tries = _hash(method, code), now, 0
        method.save(update_fields=["code_hash", "code_sent_at", "code_tries"])
        data = {"method": method.pk, "kind": method.kind}
        publish("contact_method.code_sent", subject=method.user, actor=actor, data=data)
    result = try_to_send(method, _code_message(method, code, now))
    if result.outcome != "accepted":
        ContactMethod.objects.filter(pk=method.pk, code_hash=method.code_hash).update(code_hash="")
    if result.outcome == "refused":
        mark_broken(method=method, reason=result.detail, now=now)
    return result


def _code_message(method: ContactMethod, code: str, now: datetime) -> Message:
    return Message(
        page_id=0,
        attempt=1,
        person=method.user.display_name,
        title="Your Sitrep code",
        detail="",
        facts={},
        since=now,
        level=1,
        link=settings.PUBLIC_URL + "/settings/profile/",
        purpose="code",
        code=code,
        reference=f"code-{method.pk}-{int(now.timestamp())}",
    )


def _hash(method: ContactMethod, code: str) -> str:
    return salted_hmac("oncall.code", f"{method.pk}:{code}", algorithm="sha256").hexdigest()


def verify_contact_method(*, actor: Actor, method: ContactMethod, code: str, now: datetime) -> ContactMethod:
    """Verifies a method with the code that was sent through it; that also proves that it reaches the person.

    Raises Invalid for a wrong code and Conflict when it is too old or was tried too often. Again changes nothing.
    """
    require(permissions.can_change_contact_method(actor, method), NOT_YOURS)
    problem = _try_code(actor, method.pk, "".join(code.split()), now)
    # Raised out here, so that the try stays counted.
    if problem is not None:
        raise problem
    method.refresh_from_db()
    return method


@transaction.atomic
def _try_code(actor: Actor, method_id: int, code: str, now: datetime) -> Invalid | Conflict | None:
    method = ContactMethod.objects.select_for_update().select_related("user").get(pk=method_id)
    if method.verified_at is not None:
        return None
    again = "Send a new code."
    if not method.code_hash or method.code_sent_at is None or now - method.code_sent_at > CODE_VALID_FOR:
        return Conflict("There is no code that still holds.", field="code", remedy=again)
    if method.code_tries >= CODE_TRIES:
        return Conflict(f"This code was tried {CODE_TRIES} times.", field="code", remedy=again)
    if not constant_time_compare(method.code_hash, _hash(method, code)):
        method.code_tries += 1
        method.save(update_fields=["code_tries"])
        return Invalid("This is not the code that was sent.", field="code", remedy="Look at the newest one.")
    method.verified_at = method.proved_at = now
    method.code_hash = method.broken_reason = ""
    method.save(update_fields=["verified_at", "proved_at", "code_hash", "broken_reason"])
    data = {"method": method.pk, "kind": method.kind}
    publish("contact_method.verified", subject=method.user, actor=actor, data=data)
    return None


# --- Rules and quiet hours --------------------------------------------------------------------------------------------


@transaction.atomic
def save_notification_rules(
    *, actor: Actor, user: User, urgency: str, steps: Sequence[RuleDraft]
) -> list[NotificationRule]:
    """Says how a person is paged at this urgency: through what, how many minutes after the page was decided.

    The steps become exactly these, in the order of their delays. Without any, every usable method is used at once.
    """
    require(permissions.can_manage_contact_methods(actor, user.pk), "You may only change your own rules.")
    if urgency not in Urgency.values:
        raise Invalid(f"{urgency!r} is not an urgency.", field="urgency", remedy="Use high or low.")
    if len(steps) > MOST_STEPS:
        raise Invalid(f"There are at most {MOST_STEPS} steps.", field="steps")
    for step in steps:
        if step.contact_method.user_id != user.pk:
            raise Invalid("This contact method belongs to somebody else.", field="contact_method")
        if not 0 <= step.delay_minutes <= LONGEST_DELAY_MINUTES:
            raise Invalid("A step waits between 0 minutes and a day.", field="delay_minutes")
    # The person's row is the lock: two saves at once leave the steps of one of them.
    User.objects.select_for_update().get(pk=user.pk)
    NotificationRule.objects.filter(user=user, urgency=urgency).delete()
    rules = NotificationRule.objects.bulk_create(
        NotificationRule(
            user=user,
            urgency=urgency,
            position=position,
            delay_minutes=step.delay_minutes,
            contact_method=step.contact_method,
        )
        for position, step in enumerate(sorted(steps, key=lambda step: step.delay_minutes))
    )
    said = [{"method": rule.contact_method_id, "delay_minutes": rule.delay_minutes} for rule in rules]
    publish("notification_rules.changed", subject=user, actor=actor, data={"urgency": urgency, "steps": said})
    return rules


@transaction.atomic
def save_quiet_hours(
    *,
    actor: Actor,
    user: User,
    quiet_from: time | None,
    quiet_until: time | None,
    digest_at: time,
    country: str = "",
) -> OnCallProfile:
    """Sets when low urgency stays quiet, in wall-clock times of the person's zone, and whose holidays they have.

    High urgency ignores quiet hours. Both times or neither; they may run past midnight.
    """
    require(permissions.can_manage_contact_methods(actor, user.pk), "You may only change your own quiet hours.")
    if (quiet_from is None) != (quiet_until is None):
        raise Invalid("Quiet hours need a beginning and an end.", field="quiet_until", remedy="Fill both, or neither.")
    if quiet_from is not None and quiet_from == quiet_until:
        raise Invalid("Quiet hours must end at another time than they begin.", field="quiet_until")
    profile, _created = OnCallProfile.objects.update_or_create(
        user=user,
        defaults={
            "quiet_from": quiet_from,
            "quiet_until": quiet_until,
            "digest_at": digest_at,
            "country": country.strip().upper(),
        },
    )
    publish("on_call_profile.changed", subject=user, actor=actor)
    return profile
