"""When recurring windows occur, on the clocks of their zones."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.occurrences import BadRecurrence, Series, check_rule, occurrences, overlap, rule_in_words

BERLIN = ZoneInfo("Europe/Berlin")


def berlin(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)  # type: ignore[arg-type, misc]  # the parts of a date


def nightly(rule: str = "FREQ=DAILY", start: datetime | None = None, hours: float = 4) -> Series:
    first = start or berlin(2026, 3, 27, 22)
    return Series(first, first + timedelta(hours=hours), rule, BERLIN)


def test_a_window_that_does_not_recur_occurs_once() -> None:
    once = nightly("")
    assert occurrences(once, after=once.starts_at, count=5) == [(once.starts_at, once.ends_at)]
    assert occurrences(once, after=once.ends_at, count=5) == []


def test_each_night_begins_and_ends_by_the_clock_through_a_clock_change() -> None:
    # On the 29th there is no 02:00: it is 03:00 then.
    found = occurrences(nightly(), after=berlin(2026, 3, 28, 1), count=3)
    hours = [(start.astimezone(BERLIN).hour, end.astimezone(BERLIN).hour) for start, end in found]
    assert hours == [(22, 2), (22, 3), (22, 2)]
    through = occurrences(nightly(hours=6), after=berlin(2026, 3, 28, 5), count=2)
    assert [end - start for start, end in through] == [timedelta(hours=5), timedelta(hours=6)]


def test_the_occurrence_that_runs_is_the_first() -> None:
    assert occurrences(nightly(), after=berlin(2026, 3, 30, 1, 30), count=1) == [
        (berlin(2026, 3, 29, 22), berlin(2026, 3, 30, 2))
    ]


def test_a_time_that_does_not_exist_is_read_with_the_offset_before() -> None:
    series = nightly(start=berlin(2026, 3, 28, 2, 30), hours=2)
    found = occurrences(series, after=berlin(2026, 3, 28, 12), count=1)
    assert found == [(datetime(2026, 3, 29, 1, 30, tzinfo=UTC), datetime(2026, 3, 29, 2, 30, tzinfo=UTC))]


def test_what_a_clock_change_turns_around_does_not_take_place() -> None:
    series = nightly(start=berlin(2026, 3, 28, 2, 30), hours=0.5)
    assert occurrences(series, after=berlin(2026, 3, 28, 12), count=1)[0][0] == berlin(2026, 3, 30, 2, 30)


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=WEEKLY;BYDAY=TU,TH", ["03-31", "04-02", "04-07"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", ["04-07", "04-21", "05-05"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", ["03-31", "05-31", "07-31"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", ["03-27", "04-24", "05-29"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", ["04-01", "05-01", "06-01"]),
        ("FREQ=DAILY;COUNT=2", ["03-27", "03-28"]),
        ("FREQ=DAILY;UNTIL=20260328", ["03-27", "03-28"]),
        ("FREQ=DAILY;UNTIL=20260328T205959Z", ["03-27"]),
        ("FREQ=DAILY;UNTIL=20260328T210000Z", ["03-27", "03-28"]),
        ("rrule:freq=daily;until=20260328T220000", ["03-27", "03-28"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", ["02-29", "02-29"]),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", []),
    ],
)
def test_rules_are_followed(rule: str, days: list[str]) -> None:
    found = occurrences(nightly(rule), after=berlin(2026, 3, 1), count=3)
    assert [f"{start.astimezone(BERLIN):%m-%d}" for start, _end in found][: len(days) or 1] == days


def test_a_counted_rule_counts_those_that_are_over() -> None:
    assert occurrences(nightly("FREQ=DAILY;COUNT=3"), after=berlin(2026, 3, 29, 12), count=5) == [
        (berlin(2026, 3, 29, 22), berlin(2026, 3, 30, 2))
    ]


@pytest.mark.parametrize(
    "rule",
    [
        *("nonsense", "FREQ=", "FREQ=SECONDLY", "FREQ=DAILY;FREQ=DAILY", "BYDAY=MO", "FREQ=DAILY;INTERVAL=0"),
        *("FREQ=DAILY;COUNT=2;UNTIL=20270101", "FREQ=DAILY;UNTIL=tomorrow", "FREQ=WEEKLY;BYDAY=XX"),
        *("FREQ=MONTHLY;BYMONTHDAY=x", "FREQ=DAILY;BYEASTER=1", "FREQ=DAILY\nFREQ=DAILY", "FREQ=DAILY;BYHOUR=99"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: str) -> None:
    with pytest.raises(BadRecurrence):
        check_rule(rule)


def test_occurrences_that_overlap_are_found() -> None:
    assert overlap(nightly(hours=25)) is not None
    assert overlap(nightly(hours=24)) is None
    assert overlap(nightly("FREQ=WEEKLY;BYDAY=MO,TU", hours=30)) is not None


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", "every 2 weeks on Monday, Wednesday"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "every month on the last Friday"),
        ("FREQ=MONTHLY;BYMONTHDAY=1;UNTIL=20270101", "every month on day 1 until 2027-01-01"),
        ("FREQ=DAILY;COUNT=3", "every day, 3 times"),
        ("FREQ=DAILY;BYHOUR=1,13", "FREQ=DAILY;BYHOUR=1,13"),
    ],
)
def test_simple_rules_are_said_in_words(rule: str, words: str) -> None:
    assert rule_in_words(rule) == words


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 (wall-clock times)
    st.integers(5, 24 * 60),
    st.integers(0, 800),
)
def test_a_daily_window_never_skips_a_day_and_never_overlaps(start: datetime, minutes: int, later: int) -> None:
    first = start.replace(tzinfo=BERLIN)
    series = Series(first, (start + timedelta(minutes=minutes)).replace(tzinfo=BERLIN), "FREQ=DAILY", BERLIN)
    found = occurrences(series, after=first + timedelta(days=later), count=4)
    for (_start, end), (next_start, _end) in pairwise(found):
        assert end <= next_start
        assert next_start - _start <= timedelta(days=2, hours=2)
