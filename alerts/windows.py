"""Maintenance windows: made, changed, extended, ended, and moved on from one occurrence to the next."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import QuerySet

from accounts.actor import Actor
from accounts.models import check_time_zone
from alerts.matchers import check_matcher
from alerts.models import Alert, AlertSource, MaintenanceWindow
from alerts.muting import running
from alerts.occurrences import BadRecurrence, Series, Stretch, check_rule, occurrences, overlap
from alerts.permissions import can_mute
from catalog.models import Service
from events.actions import publish
from events.conditions import BadCondition, check
from events.errors import Conflict, Invalid, require
from events.models import Event

KEEPER = Actor.system("Maintenance windows")
STARTED = "maintenance_window.started"
NOT_ALLOWED = "Viewers may not make or change maintenance windows."
LONGEST = timedelta(days=366)
MOST_EXTENDED_MINUTES = 24 * 60
MOVED_AT_ONCE = 200
LOOK_AFTER_WINDOWS = "windows.look_after"


def series_of(window: MaintenanceWindow) -> Series:
    """When a window takes place, as data."""
    return Series(window.starts_at, window.ends_at, window.recurrence, ZoneInfo(window.time_zone))


# --- What people do ---------------------------------------------------------------------------------------------------


@transaction.atomic
def save_window(
    *,
    actor: Actor,
    name: str,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
    window: MaintenanceWindow | None = None,
    reason: str = "",
    services: Sequence[Service] = (),
    sources: Sequence[AlertSource] = (),
    conditions: Mapping[str, Any] | None = None,
    recurrence: str = "",
    time_zone: str = "UTC",
    notice_minutes: int = 15,
    matchers: Sequence[Mapping[str, Any]] = (),
    silence_id: UUID | None = None,
    author: str = "",
) -> MaintenanceWindow:
    """Makes a maintenance window, or changes one; what it holds follows its new end.

    `starts_at` and `ends_at` become its first occurrence by the rule. `author` is for those who speak for somebody
    whom only they know. Raises Invalid with the field.
    """
    require(can_mute(actor), NOT_ALLOWED)
    window = _locked(window) if window else None
    if window is not None and window.canceled_at is not None:
        raise Conflict("This window has been ended.", remedy="Make a new one.")
    if not name.strip():
        raise Invalid("A maintenance window needs a name.", field="name")
    if not (services or sources or conditions or matchers):
        raise Invalid("It would mute everything.", field="services", remedy="Choose services, sources or conditions.")
    _check_selection(conditions or {}, matchers)
    series = _checked_series(starts_at, ends_at, recurrence.strip(), time_zone)
    coming = occurrences(series, after=now, count=1)
    if not coming:
        raise Invalid("It would be over already.", field="ends_at", remedy="Let it end in the future.")
    created = window is None
    window = window or MaintenanceWindow(
        created_at=now, created_by_id=actor.user_id, author=(author or actor.name)[:100], silence_id=silence_id
    )
    window.name, window.reason, window.time_zone = name.strip()[:200], reason.strip(), time_zone
    window.starts_at, window.ends_at, window.recurrence = series.starts_at, series.ends_at, series.rule
    window.conditions, window.matchers = dict(conditions or {}), [dict(matcher) for matcher in matchers]
    window.notice_minutes = notice_minutes
    window.from_at, window.until_at = coming[0]
    window.save()
    window.services.set(services)
    window.sources.set(sources)
    if not created:
        _look_again(window, now)
    told = {"name": window.name, "from": window.from_at.isoformat(), "until": window.until_at.isoformat()}
    event = "maintenance_window.created" if created else "maintenance_window.changed"
    publish(event, subject=window, actor=actor, data=told)
    return window


@transaction.atomic
def extend_window(*, actor: Actor, window: MaintenanceWindow, minutes: int, now: datetime) -> MaintenanceWindow:
    """Lets the occurrence that runs last longer; what it holds stays muted as long. Others stay as they are."""
    require(can_mute(actor), NOT_ALLOWED)
    window = _locked(window)
    if not _runs(window, now) or window.until_at is None:
        raise Conflict("This window does not run.", remedy="Change when it takes place instead.")
    if not 1 <= minutes <= MOST_EXTENDED_MINUTES:
        raise Invalid("Extend it by 1 minute to 24 hours.", field="minutes")
    window.until_at += timedelta(minutes=minutes)
    if not window.recurrence:
        window.ends_at = window.until_at
    window.save(update_fields=["until_at", "ends_at"])
    held_by(window).update(due_at=window.until_at)
    told = {"minutes": minutes, "until": window.until_at.isoformat()}
    publish("maintenance_window.extended", subject=window, actor=actor, data=told)
    return window


@transaction.atomic
def end_occurrence(*, actor: Actor, window: MaintenanceWindow, now: datetime) -> MaintenanceWindow:
    """Ends the occurrence that runs; one that recurs comes again. What it holds and still fires pages now."""
    require(can_mute(actor), NOT_ALLOWED)
    window = _locked(window)
    if not _runs(window, now):
        return window
    if not window.recurrence:
        return _cancel(actor, window, now)
    window.until_at = now
    _move_on(actor, window, now)
    return window


@transaction.atomic
def cancel_window(*, actor: Actor, window: MaintenanceWindow, now: datetime) -> MaintenanceWindow:
    """Ends the window for good, whether it runs or not. What it holds and still fires pages now. Again is no error."""
    require(can_mute(actor), NOT_ALLOWED)
    window = _locked(window)
    if window.canceled_at is not None or window.until_at is None:
        return window
    return _cancel(actor, window, now)


def _cancel(actor: Actor, window: MaintenanceWindow, now: datetime) -> MaintenanceWindow:
    window.canceled_at, window.from_at, window.until_at = now, None, None
    window.save(update_fields=["canceled_at", "from_at", "until_at"])
    held = held_by(window).update(due_at=now)
    publish("maintenance_window.canceled", subject=window, actor=actor, data={"held": held})
    return window


def _locked(window: MaintenanceWindow) -> MaintenanceWindow:
    return MaintenanceWindow.objects.select_for_update(of=("self",)).get(pk=window.pk)


def _runs(window: MaintenanceWindow, now: datetime) -> bool:
    return window.from_at is not None and window.until_at is not None and window.from_at <= now < window.until_at


def _look_again(window: MaintenanceWindow, now: datetime) -> None:
    """What it holds may be outside of it now: all of it is looked at, and held again if it is still muted."""
    held_by(window).update(due_at=now)


# --- What time does ---------------------------------------------------------------------------------------------------


def advance_windows(now: datetime) -> int:
    """Moves windows whose occurrence is over to their next one, tells of what begins and of ends that are near.

    Returns how many it moved or told of the ends of.
    What an occurrence held is due at its end by itself. Running it twice, or in two processes, does no harm.
    """
    _begin(now)
    return _advance(now) + _notice(now)


@transaction.atomic
def _begin(now: datetime) -> None:
    """Tells of windows that have begun, once for each occurrence."""
    runs = running(MaintenanceWindow.objects.all(), now).select_for_update(skip_locked=True, of=("self",))
    for window in runs.order_by("pk"):
        if window.from_at is None or window.until_at is None:
            continue
        data = {"from": window.from_at.isoformat(), "until": window.until_at.isoformat()}
        told = Event.objects.filter(subject_type=window._meta.label_lower, subject_id=window.pk, name=STARTED)
        if not told.filter(data__from=data["from"]).exists():
            publish(STARTED, subject=window, actor=KEEPER, data=data)


@transaction.atomic
def _advance(now: datetime) -> int:
    over = MaintenanceWindow.objects.select_for_update(skip_locked=True, of=("self",)).filter(until_at__lte=now)
    moved = list(over.order_by("until_at")[:MOVED_AT_ONCE])
    for window in moved:
        _move_on(KEEPER, window, now)
    return len(moved)


def _move_on(actor: Actor, window: MaintenanceWindow, now: datetime) -> None:
    """To the occurrence after the one that has ended, or to none."""
    ended = window.until_at
    coming = occurrences(series_of(window), after=now, count=2)
    # The one that was ended before its time, if it was, is not begun again.
    later = [stretch for stretch in coming if stretch[0] != window.from_at]
    window.from_at, window.until_at = later[0] if later else (None, None)
    window.save(update_fields=["from_at", "until_at"])
    held = held_by(window).filter(due_at__gt=now).update(due_at=now)
    told = {"at": ended.isoformat() if ended else "", "held": held}
    publish("maintenance_window.ended", subject=window, actor=actor, data=told)


@transaction.atomic
def _notice(now: datetime) -> int:
    """Tells of running windows that end soon, once for each end; those shorter than their notice end untold."""
    unseen = models.Q(noticed_until=None) | ~models.Q(noticed_until=models.F("until_at"))
    soon = (
        running(MaintenanceWindow.objects.all(), now)
        .filter(unseen, notice_minutes__gt=0)
        .select_for_update(skip_locked=True, of=("self",))
    )
    told = 0
    for window in soon.order_by("until_at"):
        notice = timedelta(minutes=window.notice_minutes)
        if window.until_at is None or window.from_at is None or now < window.until_at - notice:
            continue
        window.noticed_until = window.until_at
        window.save(update_fields=["noticed_until"])
        if window.from_at + notice < window.until_at:
            data = {"until": window.until_at.isoformat(), "held": held_by(window).count()}
            publish("maintenance_window.ending", subject=window, actor=KEEPER, data=data)
            told += 1
    return told


def held_by(window: MaintenanceWindow) -> QuerySet[Alert]:
    """The alerts that fire and are held back by a window."""
    return Alert.objects.all().firing().filter(muted_by=window, held=Alert.Held.MUTED)


# --- What is refused --------------------------------------------------------------------------------------------------


def _check_selection(conditions: Mapping[str, Any], matchers: Sequence[Mapping[str, Any]]) -> None:
    try:
        check(conditions)
    except BadCondition as error:
        raise Invalid(str(error), field="conditions") from error
    for matcher in matchers:
        wrong = check_matcher(matcher)
        if wrong:
            raise Invalid(wrong, field="matchers")


def _checked_series(starts_at: datetime, ends_at: datetime, recurrence: str, time_zone: str) -> Series:
    """The series, its first occurrence by the rule; raises Invalid."""
    try:
        check_time_zone(time_zone)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field="time_zone") from error
    if ends_at <= starts_at:
        raise Invalid("It ends before it begins.", field="ends_at", remedy="Let it end later than it begins.")
    if ends_at - starts_at > LONGEST:
        raise Invalid("It would last longer than a year.", field="ends_at", remedy="Let it end earlier.")
    series = Series(starts_at, ends_at, recurrence, ZoneInfo(time_zone))
    if not recurrence:
        return series
    try:
        check_rule(recurrence)
        first = occurrences(series, after=starts_at, count=1)
    except BadRecurrence as error:
        raise Invalid(str(error), field="recurrence") from error
    if not first:
        raise Invalid("By this rule it would never take place.", field="recurrence", remedy="Let the rule end later.")
    series = Series(*first[0], recurrence, ZoneInfo(time_zone))
    if overlap(series) is not None:
        raise Invalid(
            "It would begin again before it has ended.", field="recurrence", remedy="Make it shorter, or rarer."
        )
    return series


def preview(
    *, starts_at: datetime, ends_at: datetime, recurrence: str, time_zone: str, now: datetime, count: int = 5
) -> list[Stretch]:
    """The next occurrences that a window like this would have. Raises Invalid as saving it would."""
    return occurrences(_checked_series(starts_at, ends_at, recurrence.strip(), time_zone), after=now, count=count)
