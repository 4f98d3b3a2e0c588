"""Whether people can be reached: test pages, the proofs that they give and that expire, methods that broke."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.urls import reverse

from accounts.actor import Actor
from accounts.models import User
from events.actions import publish
from events.errors import Conflict, require
from events.models import Event
from oncall import permissions
from oncall.channels import Message, Result, sender_of
from oncall.links import proof_link
from oncall.models import ContactMethod

log = structlog.get_logger(__name__)

Kind = ContactMethod.Kind
ProofState = Literal["proved", "old", "missing"]
REACHING = Actor.system("Reachability")
# Nobody is rung out of bed to prove that it would work.
AWAKE_FROM, AWAKE_UNTIL = 9, 18
# How long somebody has to react to a test before their proof counts as old, and when they are asked again.
GRACE = timedelta(days=7)
ASK_AGAIN_AFTER = timedelta(days=3)
TEST_AGAIN_AFTER = timedelta(seconds=10)
FIRST_PROOF_AFTER = timedelta(days=1)
TESTS_AT_ONCE = 50
SENT_TOGETHER = 8


def try_to_send(method: ContactMethod, message: Message) -> Result:
    """One try outside of paging: a sender that breaks is a failed try."""
    try:
        return sender_of(method.kind)(method, message)
    except Exception as error:
        log.exception("send_failed", method_id=method.pk, kind=method.kind)
        return Result("failed", f"{type(error).__name__}: {error}")


# --- Tests ------------------------------------------------------------------------------------------------------------


def send_test(*, actor: Actor, method: ContactMethod, now: datetime) -> Result:
    """Sends a test page through a contact method and says what came of it; success clears that it was broken.

    Raises Conflict while it is not verified, and within ten seconds of the last one.
    """
    require(permissions.can_change_contact_method(actor, method), "You may only test your own contact methods.")
    if method.verified_at is None:
        raise Conflict("This contact method is not verified.", remedy="Type in the code that was sent to it.")
    if method.proof_sent_at is not None and now - method.proof_sent_at < TEST_AGAIN_AFTER:
        raise Conflict("A test page was sent seconds ago.", remedy="Wait for it before you send another.")
    result = try_to_send(method, _test_message(method, now))
    _conclude_test(actor, method, result, now)
    return result


def _test_message(method: ContactMethod, now: datetime) -> Message:
    link = proof_link(method.pk)
    return Message(
        page_id=0,
        attempt=1,
        person=method.user.display_name,
        title="This is a test page",
        detail="Nothing is wrong: Sitrep tries whether it reaches you. Open the link to say that it does.",
        facts={},
        since=now,
        level=1,
        link=link,
        purpose="test",
        urgency="low",
        links={"received": link},
        reference=f"test-{method.pk}-{int(now.timestamp())}",
    )


def _conclude_test(actor: Actor, method: ContactMethod, result: Result, now: datetime) -> None:
    with transaction.atomic():
        if result.outcome == "accepted":
            ContactMethod.objects.filter(pk=method.pk).update(broken_reason="", proof_sent_at=now)
        data = {"method": method.pk, "kind": method.kind, "outcome": result.outcome, "detail": result.detail[:300]}
        publish("contact_method.tested", subject=method.user, actor=actor, data=data)
    if result.outcome == "refused":
        mark_broken(method=method, reason=result.detail, now=now)
    elif result.outcome == "accepted" and method.kind == Kind.WEBHOOK:
        # A program took it: there is nobody who could open a link.
        mark_proved(method=method, how="it answered", now=now)


# --- Proofs -----------------------------------------------------------------------------------------------------------


def proof_state(method: ContactMethod, now: datetime) -> ProofState:
    """Whether it is known that this method reaches its person: proved lately, too long ago, or never."""
    if method.kind == Kind.WEB:
        return "proved"
    if method.proved_at is None:
        return "missing"
    return "proved" if now - method.proved_at <= proof_lasts() else "old"


def proof_lasts() -> timedelta:
    """How long a proof counts: PROVE_EVERY_DAYS until the next test, and a week to react to that."""
    return timedelta(days=settings.PROVE_EVERY_DAYS) + GRACE


@transaction.atomic
def mark_proved(*, method: ContactMethod, how: str, now: datetime) -> None:
    """Notes that something reached the person through this method. An SMS proves calls to its number too."""
    same = Q(pk=method.pk)
    if method.kind == Kind.SMS:
        same |= Q(user_id=method.user_id, kind=Kind.VOICE, address=method.address, verified_at__isnull=False)
    later = Q(proved_at__isnull=True) | Q(proved_at__lt=now)
    if ContactMethod.objects.filter(same, later).update(proved_at=now):
        data = {"method": method.pk, "kind": method.kind, "how": how}
        publish("contact_method.proved", subject=method.user, actor=REACHING, data=data)


def prove_reachability(now: datetime, *, limit: int = TESTS_AT_ONCE) -> int:
    """Sends a silent test through each method whose proof runs out, in its owner's working hours; returns how many.

    Whoever does not react is asked again after three days, and told by another method too. Claims make it harmless to
    run it twice at once.
    """
    zones = User.objects.filter(is_active=True).values_list("time_zone", flat=True).order_by().distinct()
    awake = [zone for zone in zones if AWAKE_FROM <= now.astimezone(_zone(zone)).hour < AWAKE_UNTIL]
    claimed = _claim(due_for_proof(now).filter(user__time_zone__in=awake), now, limit)
    for method, is_again in claimed:
        if is_again:
            _remind(method, now)
    methods = [method for method, _is_again in claimed]
    with ThreadPoolExecutor(max_workers=SENT_TOGETHER, thread_name_prefix="prove") as pool:
        results = pool.map(lambda method: try_to_send(method, _test_message(method, now)), methods)
        for method, result in zip(methods, results, strict=True):
            _conclude_test(REACHING, method, result, now)
    return len(claimed)


def due_for_proof(now: datetime) -> QuerySet[ContactMethod]:
    """The usable methods to which a test should go: their proof is PROVE_EVERY_DAYS old, or there is none yet."""
    every = timedelta(days=settings.PROVE_EVERY_DAYS)
    not_proved = Q(proved_at__lte=now - every) | Q(proved_at__isnull=True, verified_at__lte=now - FIRST_PROOF_AFTER)
    fresh = Q(proved_at__isnull=True) | Q(proved_at__gt=now - every - GRACE)
    not_asked = (
        Q(proof_sent_at__isnull=True)
        | Q(proof_sent_at__lte=now - every)
        | (fresh & Q(proof_sent_at__lte=now - ASK_AGAIN_AFTER, proof_sent_at__gt=F("verified_at")))
    )
    usable = Q(user__is_active=True, is_enabled=True, verified_at__isnull=False, broken_reason="")
    return ContactMethod.objects.filter(usable, not_proved, not_asked).exclude(kind=Kind.WEB)


@transaction.atomic
def _claim(due: QuerySet[ContactMethod], now: datetime, limit: int) -> list[tuple[ContactMethod, bool]]:
    found = list(due.select_for_update(skip_locked=True, of=("self",)).select_related("user").order_by("id")[:limit])
    every = timedelta(days=settings.PROVE_EVERY_DAYS)
    claimed = [(method, bool(method.proof_sent_at and method.proof_sent_at > now - every)) for method in found]
    # Calls are made last: an SMS to the same number may prove it before.
    phones = {(method.user_id, method.address) for method, _again in claimed if method.kind == Kind.SMS}
    claimed = [
        (method, again)
        for method, again in claimed
        if method.kind != Kind.VOICE or (method.user_id, method.address) not in phones
    ]
    ContactMethod.objects.filter(pk__in=[method.pk for method, _again in claimed]).update(proof_sent_at=now)
    return claimed


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        return ZoneInfo("UTC")


def _remind(method: ContactMethod, now: datetime) -> None:
    tell(
        method.user,
        title=f"Does {method} still reach you?",
        detail=f"Nobody confirmed the last test page that went to {method}. Another one is on its way: please confirm "
        "it, or remove what you no longer use. Your schedules show that it is not known whether you can be reached.",
        now=now,
        besides=method,
    )


# --- Broken methods ---------------------------------------------------------------------------------------------------


@transaction.atomic
def mark_broken(*, method: ContactMethod, reason: str, now: datetime) -> None:
    """Takes a method out of use after a permanent failure; its owner is told by another one (`oncall.tell_broken`)."""
    if not ContactMethod.objects.filter(pk=method.pk, broken_reason="").update(broken_reason=reason[:300] or "refused"):
        return
    data = {"method": method.pk, "kind": method.kind, "name": str(method), "reason": reason[:300]}
    publish("contact_method.broken", subject=method.user, actor=REACHING, data=data)


def tell(
    user: User, *, title: str, detail: str, now: datetime, besides: ContactMethod | None = None, link: str = ""
) -> ContactMethod | None:
    """Sends a notice to a person through the first usable method that takes it; None if none did.

    Mail and chat come before anything that rings. `link` is the whole address of what it is about; without one it is
    that of their own contact methods.
    """
    order: list[str] = [Kind.EMAIL, Kind.PUSH, Kind.APPRISE, Kind.SMS, Kind.WEBHOOK]
    methods = [
        method
        for method in user.contact_methods.filter(kind__in=order)
        if method.is_usable and (besides is None or method.pk != besides.pk)
    ]
    for method in sorted(methods, key=lambda method: order.index(method.kind)):
        if try_to_send(method, _notice(method, title, detail, now, link)).outcome == "accepted":
            return method
    return None


def _notice(method: ContactMethod, title: str, detail: str, now: datetime, link: str = "") -> Message:
    return Message(
        page_id=0,
        attempt=1,
        person=method.user.display_name,
        title=title,
        detail=detail,
        facts={},
        since=now,
        level=1,
        link=link or settings.PUBLIC_URL + reverse("oncall:profile"),
        purpose="notice",
        urgency="low",
        links={"about": link} if link else {},
        reference=f"notice-{method.pk}-{int(now.timestamp())}",
    )


def last_news(user: User) -> dict[int, Any]:
    """The newest thing that happened to each of a person's contact methods, by the method's id. One query."""
    events = Event.objects.filter(
        subject_type=User._meta.label_lower,
        subject_id=user.pk,
        name__in=["contact_method.tested", "contact_method.proved", "contact_method.receipt"],
    ).order_by("-id")[:100]
    news: dict[int, Any] = {}
    for event in events:
        news.setdefault(int(event.data.get("method") or 0), event)
    return news
