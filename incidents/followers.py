"""Followers: who is told of what is new in an incident, at the pace that they chose, in one mail each time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.core import signing
from django.db import transaction
from django.db.models import Max
from django.urls import reverse
from django.utils import translation

from accounts.actor import Actor
from accounts.models import User
from events.actions import publish
from events.errors import Invalid, NotFound, require
from events.models import Event
from events.poke import poke
from events.registry import handles
from incidents.models import Incident, IncidentFollower, TimelineEntry
from incidents.news_mail import brief_link, mail_news, subject_of
from incidents.permissions import can_respond, can_view
from incidents.timeline import redraw
from oncall.channels import Message
from oncall.models import ContactMethod
from oncall.reaching import try_to_send

log = structlog.get_logger(__name__)

Kind = TimelineEntry.Kind
Pace = IncidentFollower.Pace
TELL_FOLLOWERS = "incidents.tell_followers"
TOLD_AT_ONCE = 50
TRY_AGAIN_AFTER = timedelta(minutes=5)
WAITS = {Pace.EACH: timedelta(), Pace.QUARTER: timedelta(minutes=15), Pace.HOUR: timedelta(hours=1)}
# What followers hear of; everything else is for those who look at the timeline.
NEWS = ("incident.updated", "incident.severity_changed", "incident.status_changed", "incident.resolved")
NEWS_KINDS = (Kind.UPDATE, Kind.SEVERITY, Kind.STATUS)
UNFOLLOW_SALT = "incidents.unfollow"


@transaction.atomic
def follow(*, actor: Actor, incident: Incident, user: User, now: datetime, pace: str | None = None) -> IncidentFollower:
    """Tells a person from now on what is new; with a pace it also changes theirs. Everybody may follow what they see.

    Raises NotFound where the actor may not see the incident, Invalid for a person who may not or is no longer active.
    """
    _check(actor, incident, user)
    if not user.is_active:
        raise Invalid(f"{user} is no longer active.", field="user", remedy="Choose somebody else.")
    if not can_view(Actor.of_user(user, via="web"), incident):
        raise Invalid(f"{user} may not see this incident.", field="user", remedy="Let them in first.")
    if pace is not None and pace not in Pace.values:
        raise Invalid(f"{pace!r} is not a pace.", field="pace", remedy=f"Use {', '.join(Pace.values)}.")
    known = TimelineEntry.objects.filter(incident=incident).aggregate(newest=Max("id"))["newest"] or 0
    chosen = Pace(pace) if pace else Pace.EACH
    follower, created = IncidentFollower.objects.get_or_create(
        incident=incident, user=user, defaults={"since": now, "told_until": known, "pace": chosen}
    )
    if not created and (pace is None or follower.pace == pace):
        return follower
    if not created:
        follower.pace = chosen
        if follower.due_at is not None:
            follower.due_at = min(follower.due_at, now + WAITS[chosen])
        follower.save(update_fields=["pace", "due_at"])
    publish("incident.followed", subject=incident, actor=actor, data={"user": user.pk, "pace": follower.pace})
    redraw(incident)
    return follower


@transaction.atomic
def unfollow(*, actor: Actor, incident: Incident, user: User, now: datetime) -> Incident:
    """Tells a person no more. Doing it twice changes nothing."""
    _check(actor, incident, user)
    gone, _ = IncidentFollower.objects.filter(incident=incident, user=user).delete()
    if gone:
        publish("incident.unfollowed", subject=incident, actor=actor, data={"user": user.pk})
        redraw(incident)
    return incident


def _check(actor: Actor, incident: Incident, user: User) -> None:
    """One may follow oneself what one sees; who may change the incident may let others follow."""
    if not can_view(actor, incident):
        raise NotFound("There is no such incident.")
    is_own = actor.user_id == user.pk
    require(is_own or can_respond(actor, incident), "Viewers may only follow for themselves.")


# --- Who follows without asking ---------------------------------------------------------------------------------------


@handles("incident.declared", "incident.role_assigned", name="incidents.follow_along")
def follow_along(event: Event) -> None:
    """Whoever declares an incident or is given a role follows it."""
    incident = Incident.objects.filter(pk=event.subject_id).first()
    if incident is None:
        return
    user_id = incident.declared_by_id if event.name == "incident.declared" else event.data.get("user")
    user = User.objects.filter(pk=user_id or 0, is_active=True).first()
    if user is not None and can_view(Actor.of_user(user, via="web"), incident):
        follow(actor=Actor.system(), incident=incident, user=user, now=event.occurred_at)


# --- Telling ----------------------------------------------------------------------------------------------------------


def with_followers(events: Sequence[Event]) -> set[int]:
    """The events about incidents that somebody follows."""
    asked = {event.subject_id for event in events}
    followed = set(IncidentFollower.objects.filter(incident_id__in=asked).values_list("incident_id", flat=True))
    return {event.pk for event in events if event.subject_id in followed}


@handles(*NEWS, name="incidents.mark_followers", concerned=with_followers)
def mark_followers(event: Event) -> None:
    """Makes the followers of an incident due, each after their own pace; who is due already hears it then too."""
    waiting = IncidentFollower.objects.filter(incident_id=event.subject_id, due_at=None)
    for pace, wait in WAITS.items():
        waiting.filter(pace=pace).update(due_at=event.occurred_at + wait)
    poke(TELL_FOLLOWERS)


def tell_due(now: datetime, *, limit: int = TOLD_AT_ONCE) -> int:
    """Mails the followers who are due what is new, each in one mail; returns how many were looked at.

    Each is a transaction of its own: what was mailed is not mailed again, and what could not be is tried again.
    """
    looked_at = 0
    while looked_at < limit and _tell_next(now):
        looked_at += 1
    return looked_at


@transaction.atomic
def _tell_next(now: datetime) -> bool:
    follower = (
        IncidentFollower.objects.filter(due_at__lte=now)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("user", "incident__severity", "incident__status")
        .order_by("due_at", "id")
        .first()
    )
    if follower is None:
        return False
    entries = _news_for(follower)
    try:
        with transaction.atomic():
            if entries and _may_be_told(follower):
                mail_news(follower, entries, unfollow_link(follower))
                _push_news(follower, now)
    except Exception as error:  # a mail server may answer in any of its ways
        log.warning("follower_not_told", follower=follower.pk, error=str(error))
        follower.due_at = now + TRY_AGAIN_AFTER
        follower.save(update_fields=["due_at"])
        return True
    follower.due_at = None
    follower.told_until = max([follower.told_until, *(entry.pk for entry in entries)])
    follower.save(update_fields=["due_at", "told_until"])
    return True


def _push_news(follower: IncidentFollower, now: datetime) -> None:
    """Beside the mail, to the browsers of those who have push; one that does not take it is left to the mail."""
    incident = follower.incident
    for method in ContactMethod.objects.filter(user=follower.user, kind=ContactMethod.Kind.PUSH):
        if not method.is_usable:
            continue
        with translation.override(follower.user.locale):
            title = subject_of(incident)
        message = Message(
            page_id=0,
            attempt=1,
            person=follower.user.display_name,
            title=title,
            detail="",
            facts={},
            since=now,
            level=1,
            link=brief_link(incident),
            purpose="notice",
            urgency="low",
            reference=f"followed-{follower.pk}-{int(now.timestamp())}",
        )
        try_to_send(method, message)


def _may_be_told(follower: IncidentFollower) -> bool:
    """Asked at the moment of telling: somebody may have lost their access since."""
    return follower.user.is_active and can_view(Actor.of_user(follower.user, via="mail"), follower.incident)


def _news_for(follower: IncidentFollower) -> list[TimelineEntry]:
    """What is new since they were last told, but for what they wrote themselves; the oldest first."""
    entries = TimelineEntry.objects.filter(
        incident=follower.incident, pk__gt=follower.told_until, kind__in=NEWS_KINDS, removed_at=None
    )
    return list(entries.exclude(user_id=follower.user_id).order_by("id"))


# --- The link in the mail ---------------------------------------------------------------------------------------------


def unfollow_link(follower: IncidentFollower) -> str:
    """The path at which the mail's reader stops following without signing in."""
    token = signing.dumps([follower.incident_id, follower.user_id], salt=UNFOLLOW_SALT)
    return reverse("incidents:unfollow-by-link", args=[token])


def followed_of_token(token: str) -> IncidentFollower | None:
    """Who follows what by a mail's link; None if it is forged, or they do not follow it any more."""
    try:
        incident_id, user_id = signing.loads(token, salt=UNFOLLOW_SALT)
    except (signing.BadSignature, TypeError, ValueError):
        return None
    found = IncidentFollower.objects.filter(incident_id=incident_id, user_id=user_id)
    return found.select_related("incident", "user").first()
