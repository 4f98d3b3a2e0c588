"""Bars and uptime from spans: the arithmetic of days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from events.durations import length_in_words
from statuspage.board import in_percent
from statuspage.uptime import Span, daily_bars, day_bounds, uptime_percent

BERLIN, ZULU = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
NOW = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def at(hour: int, minute: int = 0, day: int = 14) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def test_there_are_ninety_bars_and_the_last_one_is_today() -> None:
    bars = daily_bars([Span("operational", LONG_AGO)], now=NOW, zone=ZULU)
    assert len(bars) == 90
    assert bars[-1].day == date(2026, 3, 14)
    assert {bar.status for bar in bars} == {"operational"}


def test_a_bar_shows_the_worst_of_its_day_and_how_long_each_lasted() -> None:
    spans = [
        Span("operational", LONG_AGO, at(1)),
        Span("degraded_performance", at(1), at(2)),
        Span("major_outage", at(2), at(2, 30)),
        Span("operational", at(2, 30)),
    ]
    today = daily_bars(spans, now=NOW, zone=ZULU)[-1]
    assert today.status == "major_outage"
    assert today.seconds == {"degraded_performance": 3600, "major_outage": 1800}


def test_a_span_over_midnight_counts_on_both_days_of_the_pages_zone() -> None:
    spans = [Span("major_outage", at(22, 30, day=12), at(23, 30, day=12)), Span("operational", at(23, 30, day=12))]
    berlin = daily_bars(spans, now=NOW, zone=BERLIN)
    assert [bar.seconds.get("major_outage") for bar in berlin[-3:]] == [1800, 1800, None]
    assert [bar.seconds.get("major_outage") for bar in daily_bars(spans, now=NOW, zone=ZULU)[-3:]] == [3600, None, None]


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
def test_days_have_23_or_25_hours_when_the_clocks_change(day: date, hours: int) -> None:
    start, end = day_bounds(day, BERLIN)
    assert end - start == timedelta(hours=hours)


def test_days_before_the_component_existed_are_unrecorded() -> None:
    bars = daily_bars([Span("operational", at(0, day=13))], now=NOW, zone=ZULU)
    assert [bar.status for bar in bars[-3:]] == ["", "operational", "operational"]


def test_a_component_that_begins_at_this_instant_has_a_bar_today() -> None:
    assert daily_bars([Span("operational", NOW)], now=NOW, zone=ZULU)[-1].status == "operational"


def test_major_outages_count_fully_and_partial_ones_by_three_tenths() -> None:
    start = at(0, day=13)
    spans = [
        Span("major_outage", start, start + timedelta(hours=2)),
        Span("partial_outage", start + timedelta(hours=2), start + timedelta(hours=12)),
        Span("degraded_performance", start + timedelta(hours=12), start + timedelta(hours=20)),
        Span("operational", start + timedelta(hours=20)),
    ]
    percent = uptime_percent(spans, now=start + timedelta(hours=50), zone=ZULU)
    assert percent == pytest.approx(100 * (1 - 5 / 50))


def test_uptime_before_the_first_day_does_not_count() -> None:
    spans = [
        Span("major_outage", LONG_AGO, datetime(2025, 10, 1, tzinfo=UTC)),
        Span("operational", datetime(2025, 10, 1, tzinfo=UTC)),
    ]
    assert uptime_percent(spans, now=NOW, zone=ZULU) == 100


def test_without_a_record_there_is_no_uptime() -> None:
    assert uptime_percent([], now=NOW, zone=ZULU) is None


@pytest.mark.parametrize(("percent", "text"), [(100.0, "100"), (99.9999, "99.99"), (99.5, "99.50"), (0.0, "0.00")])
def test_less_than_all_is_never_shown_as_100(percent: float, text: str) -> None:
    assert in_percent(percent) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (10, "less than a minute"),
        (60, "1 min"),
        (3600, "1 h"),
        (11100, "3 h 5 min"),
        (86400 * 2 + 4 * 3600 + 60, "2 days 4 h"),
    ],
)
def test_lengths_are_said_in_hours_and_minutes(seconds: int, text: str) -> None:
    assert length_in_words(seconds) == text
