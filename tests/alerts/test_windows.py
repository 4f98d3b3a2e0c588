"""Maintenance windows: what they mute, when they take place, and what becomes of what they hold."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role
from alerts import matchers
from alerts.models import Alert, MaintenanceWindow
from alerts.muting import Mute, muting
from alerts.windows import advance_windows, cancel_window, end_occurrence, extend_window, preview, save_window
from events.errors import Conflict, Invalid, NotAllowed
from events.models import Event
from tests.factories import accounts, alerts, catalog

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def window(now: datetime, **fields: Any) -> MaintenanceWindow:
    """One that runs for an hour from now for a service of its own, unless told otherwise."""
    defaults = {"name": "Upgrade", "starts_at": now, "ends_at": now + HOUR, "now": now}
    if not {"services", "sources", "conditions", "matchers", "window"} & set(fields):
        fields["services"] = [catalog.service()]
    return save_window(actor=accounts.actor(), **{**defaults, **fields})


def held(by: MaintenanceWindow, due_at: datetime) -> Alert:
    """An alert that the window holds back."""
    source = alerts.source()
    times = dict.fromkeys(["started_at", "first_event_at", "last_event_at"], by.created_at)
    return Alert.objects.create(
        source=source, dedup_key="disk", title="Disk full", held="muted", muted_by=by, due_at=due_at, **times
    )


def due(alert: Alert) -> datetime | None:
    return Alert.objects.values_list("due_at", flat=True).get(pk=alert.pk)


# --- What it mutes ----------------------------------------------------------------------------------------------------


def test_every_part_that_a_window_names_must_fit(now: datetime) -> None:
    mute = Mute(1, now, "", frozenset({5}), frozenset({7}), {"fact": "severity", "operator": "is", "value": "warning"})
    facts = {"severity": "warning"}
    assert mute.mutes(service_id=5, source_id=7, facts=facts)
    assert not mute.mutes(service_id=None, source_id=7, facts=facts)
    assert not mute.mutes(service_id=5, source_id=8, facts=facts)
    assert not mute.mutes(service_id=5, source_id=7, facts={"severity": "critical"})


@pytest.mark.parametrize(
    ("matcher", "labels", "holds"),
    [
        ({"name": "job", "value": "db"}, {"job": "db"}, True),
        ({"name": "job", "value": "db"}, {"job": "DB"}, False),
        ({"name": "job", "value": "d.*", "isRegex": True}, {"job": "db"}, True),
        ({"name": "job", "value": "d", "isRegex": True}, {"job": "db"}, False),
        ({"name": "job", "value": "db", "isEqual": False}, {}, True),
        ({"name": "job", "value": "", "isEqual": True}, {}, True),
        ({"name": "job", "value": ".+", "isRegex": True, "isEqual": False}, {"job": "db"}, False),
    ],
)
def test_matchers_match_as_alertmanager_does(matcher: dict[str, Any], labels: dict[str, str], holds: bool) -> None:
    assert matchers.matches(matcher, labels) is holds
    mute = Mute(1, datetime.max, "", matchers=[matcher])  # noqa: DTZ901 (any instant)
    assert mute.mutes(service_id=None, source_id=1, facts={"labels": labels}) is holds


@pytest.mark.parametrize(
    "wrong",
    [
        *(None, {}, {"name": 5, "value": "x"}, {"name": "job"}, {"name": "job", "value": "(", "isRegex": True}),
        {"name": "job", "value": "x", "isRegex": "yes"},
    ],
)
def test_a_matcher_that_makes_no_sense_is_refused(now: datetime, wrong: Any) -> None:
    with pytest.raises(Invalid) as refused:
        window(now, matchers=[wrong])
    assert refused.value.field == "matchers"


def test_matchers_are_said_as_amtool_says_them() -> None:
    assert matchers.in_words({"name": "job", "value": "d.*", "isRegex": True}) == 'job=~"d.*"'
    assert matchers.in_words({"name": "job", "value": "db", "isEqual": False}) == 'job!="db"'


def test_those_that_run_are_read_by_one_statement(
    now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    service, source = catalog.service(), alerts.source()
    longer = window(now, services=[service], sources=[source], ends_at=now + 2 * HOUR, reason="new disks")
    shorter = window(now)
    window(now, starts_at=now + HOUR, ends_at=now + 2 * HOUR)
    with django_assert_num_queries(1):
        found = muting(now)
    assert [mute.window_id for mute in found] == [longer.pk, shorter.pk]
    assert (found[0].service_ids, found[0].source_ids) == (frozenset({service.pk}), frozenset({source.pk}))
    assert "new disks" in found[0].why
    assert muting(now + 3 * HOUR) == []


# --- Making and changing ----------------------------------------------------------------------------------------------


def test_viewers_make_no_windows(now: datetime) -> None:
    with pytest.raises(NotAllowed):
        save_window(
            actor=accounts.actor(Role.VIEWER),
            name="Quiet",
            starts_at=now,
            ends_at=now + HOUR,
            conditions={"fact": "title", "operator": "exists"},
            now=now,
        )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"services": []}, "services"),
        ({"conditions": {"fact": "title"}}, "conditions"),
        ({"ends_at": datetime(2020, 1, 1).astimezone()}, "ends_at"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"recurrence": "FREQ=NEVER"}, "recurrence"),
        ({"recurrence": "FREQ=DAILY;UNTIL=20200101"}, "recurrence"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(now: datetime, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        window(now, **fields)
    assert refused.value.field == field


def test_a_window_that_begins_again_before_it_has_ended_is_refused(now: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        window(now, ends_at=now + 25 * HOUR, recurrence="FREQ=DAILY")
    assert refused.value.field == "recurrence"


def test_a_window_in_the_past_is_refused(now: datetime) -> None:
    with pytest.raises(Invalid):
        window(now, starts_at=now - 2 * HOUR, ends_at=now - HOUR)


def test_a_recurring_window_begins_with_its_first_occurrence_by_the_rule(now: datetime) -> None:
    tuesdays = window(now, recurrence="FREQ=WEEKLY;BYDAY=TU")  # `now` is a Saturday
    assert tuesdays.starts_at == tuesdays.from_at == now.replace(day=17, microsecond=0)
    assert tuesdays.until_at == tuesdays.ends_at == tuesdays.starts_at + HOUR


def test_the_next_occurrences_can_be_seen_before_saving(now: datetime) -> None:
    shown = preview(starts_at=now, ends_at=now + HOUR, recurrence="FREQ=DAILY", time_zone="Asia/Bangkok", now=now)
    assert [start - now for start, _end in shown] == [timedelta(days=days) for days in range(5)]


def test_what_a_changed_window_holds_is_looked_at_again(now: datetime) -> None:
    changed = window(now)
    alert = held(changed, now + HOUR)
    window(now, window=changed, sources=[alerts.source()], ends_at=now + 2 * HOUR)
    assert due(alert) == now


# --- Extending and ending ---------------------------------------------------------------------------------------------


def test_what_a_window_holds_stays_held_when_it_is_extended(now: datetime) -> None:
    running = window(now)
    alert = held(running, now + HOUR)
    extended = extend_window(actor=accounts.actor(), window=running, minutes=30, now=now + HOUR / 2)
    assert due(alert) == extended.until_at == extended.ends_at == now + 1.5 * HOUR


def test_extending_one_night_leaves_the_next_as_it_was(now: datetime) -> None:
    nightly = window(now, recurrence="FREQ=DAILY")
    extend_window(actor=accounts.actor(), window=nightly, minutes=30, now=now)
    advance_windows(now + 1.5 * HOUR)
    nightly.refresh_from_db()
    assert nightly.until_at is not None
    assert nightly.until_at - (nightly.from_at or now) == HOUR


def test_only_what_runs_is_extended(now: datetime) -> None:
    coming = window(now, starts_at=now + HOUR, ends_at=now + 2 * HOUR)
    with pytest.raises(Conflict):
        extend_window(actor=accounts.actor(), window=coming, minutes=30, now=now)


def test_what_a_canceled_window_holds_is_due_at_once(now: datetime) -> None:
    running = window(now)
    alert = held(running, now + HOUR)
    for _ in range(2):
        canceled = cancel_window(actor=accounts.actor(), window=running, now=now + HOUR / 2)
    assert (canceled.canceled_at, canceled.until_at) == (now + HOUR / 2, None)
    assert due(alert) == now + HOUR / 2
    assert muting(now + HOUR / 2) == []
    assert Event.objects.filter(name="maintenance_window.canceled").count() == 1


def test_a_canceled_window_is_not_changed_any_more(now: datetime) -> None:
    canceled = cancel_window(actor=accounts.actor(), window=window(now), now=now)
    with pytest.raises(Conflict):
        window(now, window=canceled, services=[catalog.service()])


def test_ending_tonight_leaves_tomorrow(now: datetime) -> None:
    nightly = window(now, recurrence="FREQ=DAILY")
    alert = held(nightly, now + HOUR)
    ended = end_occurrence(actor=accounts.actor(), window=nightly, now=now + HOUR / 2)
    assert due(alert) == now + HOUR / 2
    assert (ended.canceled_at, ended.from_at) == (None, now.replace(microsecond=0) + timedelta(days=1))
    assert end_occurrence(actor=accounts.actor(), window=nightly, now=now + HOUR / 2).from_at == ended.from_at


def test_ending_one_that_does_not_recur_ends_it_for_good(now: datetime) -> None:
    assert end_occurrence(actor=accounts.actor(), window=window(now), now=now + HOUR / 2).canceled_at is not None


# --- Time -------------------------------------------------------------------------------------------------------------


def test_a_recurring_window_moves_on_and_one_that_is_over_stays_over(now: datetime) -> None:
    once, nightly = window(now, notice_minutes=0), window(now, recurrence="FREQ=DAILY;COUNT=2", notice_minutes=0)
    assert advance_windows(now + HOUR / 2) == 0
    assert advance_windows(now + HOUR) == 2
    once.refresh_from_db()
    nightly.refresh_from_db()
    assert (once.from_at, once.until_at) == (None, None)
    assert nightly.from_at == nightly.starts_at + timedelta(days=1)
    assert advance_windows(now + HOUR) == 0
    assert advance_windows(now + timedelta(days=2)) == 1
    nightly.refresh_from_db()
    assert nightly.until_at is None


def test_occurrences_that_nobody_saw_are_skipped(now: datetime) -> None:
    nightly = window(now, recurrence="FREQ=DAILY")
    later = nightly.starts_at + timedelta(days=10, minutes=5)
    advance_windows(later)
    nightly.refresh_from_db()
    assert nightly.from_at == nightly.starts_at + timedelta(days=10)


def test_its_author_is_told_once_before_each_end(now: datetime) -> None:
    ending = window(now, notice_minutes=10)
    held(ending, now + HOUR)
    told = Event.objects.filter(name="maintenance_window.ending")
    advance_windows(now + timedelta(minutes=49))
    assert not told.exists()
    for _ in range(2):
        advance_windows(now + timedelta(minutes=50))
    assert told.get().data == {"until": (now + HOUR).isoformat(), "held": 1}
    extend_window(actor=accounts.actor(), window=ending, minutes=30, now=now + timedelta(minutes=55))
    advance_windows(now + timedelta(minutes=81))
    assert told.count() == 2


def test_one_shorter_than_its_notice_ends_untold(now: datetime) -> None:
    window(now, ends_at=now + HOUR / 6, notice_minutes=15)
    assert advance_windows(now + HOUR / 7) == 0
    assert not Event.objects.filter(name="maintenance_window.ending").exists()
