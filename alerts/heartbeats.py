"""Signs of life: pings, what is late, and the alerts that begin and end by it.

A heartbeat that is heard of every `interval_seconds` never alerts. `due_at` is when it is late: its last ping, its
interval and its grace. The next ping resolves the alert. One that has never been heard of is not waited for.

While Sitrep itself stood still nothing could be heard: what was expected then gets time to be heard again (see
`_forgive`).
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import connection, transaction

from accounts.actions import hash_secret
from accounts.actor import Actor
from accounts.models import Team
from alerts.actions import save_source
from alerts.batch import Batch
from alerts.dialects.format import LONGEST_TITLE, NormalisedEvent
from alerts.dialects.heartbeat import NAME as DIALECT
from alerts.models import AlertSource, Heartbeat
from alerts.opening import actor_of
from alerts.permissions import can_keep_heartbeats
from catalog.models import Service
from events.actions import Fact, publish, publish_all
from events.durations import exact_length
from events.errors import Conflict, Invalid, require
from events.locking import locked_row, locked_rows
from events.rows import updating, write
from oncall.engine import beat
from oncall.models import EngineBeat

log = structlog.get_logger(__name__)

CHECK_HEARTBEATS = "alerts.check_heartbeats"
BEAT = "heartbeats"
CHECKED_AT_ONCE = 200
RETRY_AFTER = timedelta(seconds=10)
SHORTEST_SECONDS = 10
LONGEST_SECONDS = 400 * 24 * 3600
# Shorter than a heartbeat's usual grace: what is missed in a shorter pause is not late yet.
STOOD_STILL = timedelta(seconds=30)
# So long at most is waited for what may have come while nobody heard: a yearly job is not believed for another year.
LONGEST_WAIT_SECONDS = 3600
NOT_A_KEEPER = "Only managers, and the source itself, may change heartbeats."
# One statement by hand: a ping is one, however many heartbeats there are, and tells which of them had been missed.
PING = """
UPDATE alerts_heartbeat SET last_ping_at = GREATEST(last_ping_at, %(now)s), last_ping_from = %(sender)s,
    due_at = CASE WHEN is_enabled THEN %(now)s + make_interval(secs => interval_seconds + grace_seconds) END
WHERE id = ANY(%(ids)s) RETURNING id, late_since
"""
FORGIVE = """
UPDATE alerts_heartbeat
SET due_at = GREATEST(due_at, %(now)s + make_interval(secs => LEAST(interval_seconds, %(longest)s) + grace_seconds))
WHERE due_at >= %(since)s AND due_at - make_interval(secs => 2 * grace_seconds) <= %(now)s
"""


class Absence(NamedTuple):
    """From when to when nothing could be heard."""

    since: datetime
    until: datetime


# --- What people and programs do --------------------------------------------------------------------------------------


@transaction.atomic
def save_heartbeat(
    *,
    actor: Actor,
    name: str,
    interval_seconds: int,
    now: datetime,
    heartbeat: Heartbeat | None = None,
    source: AlertSource | None = None,
    description: str = "",
    grace_seconds: int = 60,
    is_enabled: bool = True,
    severity: str = "critical",
    message: str = "",
    tags: Sequence[str] = (),
    service: Service | None = None,
    team: Team | None = None,
) -> Heartbeat:
    """Makes a heartbeat with a token of its own, or changes one. Its alerts are those of `source`.

    Without a source a new one joins the source of heartbeats, which is made when it is needed. Raises Invalid for
    lengths of time that make no sense and Conflict if the source has one of this name.
    """
    before = _locked(heartbeat) if heartbeat else None
    source = source or (before.source if before else _source(actor, now))
    _require(actor, source)
    if before:
        _require(actor, before.source)
    _check(name, interval_seconds, grace_seconds)
    taken = Heartbeat.objects.filter(source=source, name__iexact=name.strip()).exclude(pk=before.pk if before else 0)
    if taken.exists():
        raise Conflict(f"There is a heartbeat called {name.strip()}.", field="name", remedy="Choose another name.")
    saved = before or Heartbeat(created_at=now)
    if before is None:
        _give_token(saved)
    elif before.late_since and (before.source_id != source.pk or not is_enabled):
        _end_alert(before, now)
    saved.source, saved.name, saved.description = source, name.strip(), description
    saved.interval_seconds, saved.grace_seconds, saved.is_enabled = interval_seconds, grace_seconds, is_enabled
    saved.severity, saved.message, saved.tags = severity[:60], message, [str(tag) for tag in tags]
    saved.service, saved.team = service, team
    saved.due_at = _due(saved, now)
    saved.save()
    event = "heartbeat.changed" if before else "heartbeat.created"
    publish(event, subject=saved, actor=actor, data={"name": saved.name, "source": source.slug})
    return saved


def _check(name: str, interval_seconds: int, grace_seconds: int) -> None:
    if not name.strip():
        raise Invalid("A heartbeat needs a name.", field="name")
    if not SHORTEST_SECONDS <= interval_seconds <= LONGEST_SECONDS:
        remedy = f"Use {SHORTEST_SECONDS} seconds to {LONGEST_SECONDS // 86400} days."
        raise Invalid("This is no interval to wait for.", field="interval_seconds", remedy=remedy)
    if not 0 <= grace_seconds <= LONGEST_SECONDS:
        remedy = f"Use 0 seconds to {LONGEST_SECONDS // 86400} days."
        raise Invalid("This is no grace to wait.", field="grace_seconds", remedy=remedy)


@transaction.atomic
def switch_heartbeat(*, actor: Actor, heartbeat: Heartbeat, is_enabled: bool, now: datetime) -> Heartbeat:
    """Begins or ceases to wait for it. Ceasing resolves its alert; saying it again changes nothing."""
    heartbeat = _locked(heartbeat)
    _require(actor, heartbeat.source)
    if heartbeat.is_enabled == is_enabled:
        return heartbeat
    if not is_enabled and heartbeat.late_since:
        _end_alert(heartbeat, now)
    heartbeat.is_enabled = is_enabled
    heartbeat.due_at = _due(heartbeat, now)
    heartbeat.save(update_fields=["is_enabled", "due_at", "late_since"])
    event = "heartbeat.enabled" if is_enabled else "heartbeat.disabled"
    publish(event, subject=heartbeat, actor=actor, data={"name": heartbeat.name})
    return heartbeat


@transaction.atomic
def remove_heartbeat(*, actor: Actor, heartbeat: Heartbeat, now: datetime) -> None:
    """Forgets it; an alert of it that fires is over."""
    heartbeat = _locked(heartbeat)
    _require(actor, heartbeat.source)
    if heartbeat.late_since:
        _end_alert(heartbeat, now)
    publish("heartbeat.removed", subject=heartbeat, actor=actor, data={"name": heartbeat.name})
    heartbeat.delete()


@transaction.atomic
def rotate_heartbeat_token(*, actor: Actor, heartbeat: Heartbeat) -> Heartbeat:
    """Gives it a new address; the old one stops working at once."""
    heartbeat = _locked(heartbeat)
    _require(actor, heartbeat.source)
    _give_token(heartbeat)
    heartbeat.save(update_fields=["token", "token_hash"])
    publish("heartbeat.token_rotated", subject=heartbeat, actor=actor, data={"name": heartbeat.name})
    return heartbeat


def _locked(heartbeat: Heartbeat) -> Heartbeat:
    """The heartbeat as it is now; no ping and no sweep changes it meanwhile."""
    return locked_row(Heartbeat.objects.select_related("source", "service", "team"), heartbeat.pk)


def _require(actor: Actor, source: AlertSource) -> None:
    require(can_keep_heartbeats(actor, source), NOT_A_KEEPER)


def _source(actor: Actor, now: datetime) -> AlertSource:
    """The source of heartbeats that nobody gave another one."""
    found = AlertSource.objects.filter(dialect=DIALECT).order_by("pk").first()
    if found is not None:
        return found
    return save_source(actor=actor, name="Heartbeats", slug="heartbeats", dialect=DIALECT, now=now)


def _give_token(heartbeat: Heartbeat) -> None:
    heartbeat.token = secrets.token_hex(16)
    heartbeat.token_hash = hash_secret(heartbeat.token)


def _due(heartbeat: Heartbeat, now: datetime) -> datetime | None:
    """When it is late: never while it is off, has never been heard of, or is late already."""
    if not heartbeat.is_enabled or heartbeat.last_ping_at is None or heartbeat.late_since:
        return None
    wait = timedelta(seconds=heartbeat.interval_seconds + heartbeat.grace_seconds)
    # One that was off, or had more time before, is waited for once more: nobody was told that it would be late now.
    return max(heartbeat.last_ping_at + wait, now + timedelta(seconds=heartbeat.grace_seconds))


# --- Pings ------------------------------------------------------------------------------------------------------------


def ping_by_token(*, token: str, now: datetime, sender: str = "") -> Heartbeat | None:
    """It was heard of, as whoever knows its token says; None if no heartbeat has this token."""
    heartbeat = Heartbeat.objects.filter(token_hash=hash_secret(token)).only("id").first() if token else None
    return heartbeat if heartbeat and ping_heartbeats(ids=[heartbeat.pk], now=now, sender=sender) else None


@transaction.atomic
def ping_heartbeats(*, ids: Collection[int], now: datetime, sender: str = "") -> int:
    """They were heard of; returns how many there are. Those that were late resolve their alerts.

    One statement for all of them; a ping is no fact of its own. The caller has checked that the sender may.
    """
    with connection.cursor() as cursor:
        cursor.execute(PING, {"now": now, "sender": sender[:300], "ids": sorted(ids)})
        heard = cursor.fetchall()
    missed = [pk for pk, late_since in heard if late_since is not None]
    if missed:
        _welcome_back(missed, now)
    return len(heard)


def _welcome_back(ids: Sequence[int], now: datetime) -> None:
    back = list(Heartbeat.objects.filter(pk__in=ids).select_related("source").order_by("pk"))
    facts = []
    for heartbeat in back:
        missed = round((now - heartbeat.late_since).total_seconds()) if heartbeat.late_since else 0
        data = {"name": heartbeat.name, "missed_seconds": missed}
        facts.append(Fact("heartbeat.back", heartbeat, data, actor_of(heartbeat.source)))
    _tell(back, [_end(heartbeat) for heartbeat in back], now)
    for heartbeat in back:
        heartbeat.late_since = None
    write(*updating(back, ["late_since"]))
    publish_all(facts, actor=Actor.system())


# --- Lateness ---------------------------------------------------------------------------------------------------------


def check_heartbeats(now: datetime, *, limit: int = CHECKED_AT_ONCE) -> int:
    """Makes alerts of those that are late and returns how many were looked at. Others may check at the same time."""
    _forgive(now)
    try:
        with transaction.atomic():
            late = _claim(now, limit)
            _raise(late, now)
    except Exception:
        # One that can't be told of must not keep the others quiet.
        log.warning("heartbeats_checked_one_by_one", exc_info=True)
        return _one_by_one(now, limit)
    return len(late)


def absence() -> Absence | None:
    """When nothing could be heard for the last time, if ever."""
    kept = EngineBeat.objects.filter(name=BEAT).first()
    if kept is None or "since" not in kept.data:
        return None
    return Absence(datetime.fromisoformat(kept.data["since"]), datetime.fromisoformat(kept.data["until"]))


@transaction.atomic
def _forgive(now: datetime) -> None:
    """After a time in which nothing was checked: what was expected in it gets time to be heard again.

    That is its interval, but no more than an hour, and its grace. A sender that still lives pings within that; what
    comes seldom is told of rather than believed, with a word about the pause.
    """
    stood_still = beat(BEAT, now)
    if stood_still <= STOOD_STILL:
        return
    since = now - stood_still
    data = {"since": since.isoformat(), "until": now.isoformat()}
    EngineBeat.objects.filter(name=BEAT).update(data=data)
    with connection.cursor() as cursor:
        cursor.execute(FORGIVE, {"now": now, "since": since, "longest": LONGEST_WAIT_SECONDS})
        log.info("heartbeats_given_time", seconds=round(stood_still.total_seconds()), heartbeats=cursor.rowcount)


def _claim(now: datetime, limit: int) -> list[Heartbeat]:
    due = (
        Heartbeat.objects.select_related("source", "service", "team")
        .filter(due_at__lte=now, source__is_enabled=True)
        .order_by("due_at", "pk")
    )
    return sorted(locked_rows(due, skip_locked=True, limit=limit), key=lambda heartbeat: heartbeat.pk)


def _raise(late: Sequence[Heartbeat], now: datetime) -> None:
    """An alert for each, under a key that only its own ping resolves."""
    if not late:
        return
    away = absence()
    told = _tell(late, [_late(heartbeat, away) for heartbeat in late], now)
    facts = []
    for heartbeat, outcome in zip(late, told, strict=True):
        heartbeat.late_since, heartbeat.due_at = heartbeat.due_at, None
        data = {"name": heartbeat.name, "alert": outcome["alert"]}
        facts.append(Fact("heartbeat.late", heartbeat, data, actor_of(heartbeat.source)))
    write(*updating(late, ["late_since", "due_at"]))
    publish_all(facts, actor=Actor.system())


@transaction.atomic
def _one_by_one(now: datetime, limit: int) -> int:
    late = _claim(now, limit)
    for heartbeat in late:
        due_at = heartbeat.due_at
        try:
            with transaction.atomic():
                _raise([heartbeat], now)
        except Exception:
            log.exception("heartbeat_not_told_of", heartbeat=heartbeat.pk, due_at=str(due_at))
            Heartbeat.objects.filter(pk=heartbeat.pk).update(due_at=now + RETRY_AFTER)
    return len(late)


def _late(heartbeat: Heartbeat, away: Absence | None) -> NormalisedEvent:
    last, expected = heartbeat.last_ping_at, exact_length(heartbeat.interval_seconds)
    words = [f"Expected every {expected}; last heard of at {last:%Y-%m-%d %H:%M:%S} UTC." if last else ""]
    if away and last and last < away.until:
        words.append(
            f"Sitrep itself stood still from {away.since:%Y-%m-%d %H:%M:%S} to {away.until:%Y-%m-%d %H:%M:%S} UTC: "
            "a ping may have come then."
        )
    return NormalisedEvent(
        dedup_key=heartbeat.dedup_key,
        status="firing",
        title=(heartbeat.message or f"{heartbeat.name} is not heard of")[:LONGEST_TITLE],
        description="\n\n".join(word for word in (heartbeat.description, *words) if word),
        severity=heartbeat.severity,
        service=heartbeat.service.slug if heartbeat.service else "",
        team=heartbeat.team.slug if heartbeat.team else "",
        tags=tuple(heartbeat.tags),
        source_url=f"{settings.PUBLIC_URL}{heartbeat.get_absolute_url()}",
        started_at=heartbeat.due_at,
        attributes={
            "heartbeat": heartbeat.name,
            "interval_seconds": heartbeat.interval_seconds,
            "last_ping_at": last.isoformat() if last else "",
            "last_ping_from": heartbeat.last_ping_from,
        },
    )


def _end(heartbeat: Heartbeat) -> NormalisedEvent:
    return NormalisedEvent(dedup_key=heartbeat.dedup_key, status="resolved", title="")


def _end_alert(heartbeat: Heartbeat, now: datetime) -> None:
    """Resolves the alert of one that is late and no longer waited for."""
    _tell([heartbeat], [_end(heartbeat)], now)
    heartbeat.late_since = None


def _tell(heartbeats: Sequence[Heartbeat], events: Sequence[NormalisedEvent], now: datetime) -> list[dict[str, Any]]:
    """Does with the events what is done with those of any sender; returns what became of each."""
    own = [(heartbeat.source, event) for heartbeat, event in zip(heartbeats, events, strict=True)]
    batch = Batch(own, now)
    told = [batch.add(source, event, None) for source, event in own]
    batch.write()
    return told
