"""What sources sent lies in a table for each month; whole months go at once, the rest by the days of its source."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection

from alerts.models import Alert, AlertSource, EarlyEnd, RawEvent
from alerts.partitions import REST, Month, drop_month, make_month, months, rest_holds, wanted
from alerts.retention import forget_raw_events
from events.rows import inserting, next_ids, write
from tests.factories import alerts

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
# No test's clock, and no month that the migration has made.
JUNE = datetime(2031, 6, 10, 8, tzinfo=UTC)


def sent(source: AlertSource, at: datetime, state: str = RawEvent.State.DONE) -> RawEvent:
    return RawEvent.objects.create(source=source, received_at=at, due_at=at, body=b"{}", state=state)


def table_of(raw: RawEvent) -> str:
    with connection.cursor() as cursor:
        # What is checked at the end of the transaction is checked now: with it open no table can be changed.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("SELECT tableoid::regclass::text FROM alerts_rawevent WHERE id = %s", [raw.pk])
        [name] = cursor.fetchone()
    return str(name)


def test_the_months_ahead_have_tables_from_the_start() -> None:
    assert wanted(datetime.now(UTC))[0] in months()
    assert len(months()) >= 3


def test_a_month_ends_where_the_next_begins_whatever_the_year() -> None:
    december = Month.of(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert december.next.begins_at == december.ends_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert december.table == "alerts_rawevent_2026_12"


def test_what_comes_without_a_month_is_taken_in_all_the_same_and_moves_when_the_month_is_made() -> None:
    source = alerts.source()
    raw, other = sent(source, JUNE), sent(source, JUNE + 40 * DAY)
    assert table_of(raw) == table_of(other) == REST
    assert rest_holds(JUNE)
    make_month(Month.of(JUNE))
    assert table_of(raw) == "alerts_rawevent_2031_06"
    assert table_of(other) == REST
    assert not rest_holds(JUNE + 41 * DAY)
    later = sent(source, JUNE + DAY)
    assert table_of(later) == "alerts_rawevent_2031_06"
    assert later.pk > raw.pk


def test_numbers_are_drawn_and_rows_are_written_together_as_from_any_table() -> None:
    source = alerts.source()
    numbers = next_ids(RawEvent, 3)
    rows = [RawEvent(pk=pk, source=source, received_at=JUNE, due_at=JUNE, body=b"") for pk in numbers]
    write(*inserting(rows))
    assert RawEvent.objects.filter(pk__in=numbers, received_at=JUNE).count() == 3
    assert sent(source, JUNE).pk > numbers[-1]


def test_the_round_makes_this_month_and_those_ahead_and_makes_none_twice() -> None:
    alerts.source()
    made = forget_raw_events(JUNE).made
    assert made == ("alerts_rawevent_2031_06", "alerts_rawevent_2031_07", "alerts_rawevent_2031_08")
    assert forget_raw_events(JUNE + DAY).made == ()


def test_a_month_goes_at_once_when_no_source_keeps_it_but_what_has_failed_stays() -> None:
    source = alerts.source(kept_days=7)
    for month in (Month.of(JUNE), Month.of(JUNE).next):
        make_month(month)
    done, failed = sent(source, JUNE), sent(source, JUNE, RawEvent.State.FAILED)
    recent = sent(source, JUNE + 35 * DAY)
    assert table_of(failed) == "alerts_rawevent_2031_06"
    assert "alerts_rawevent_2031_06" not in forget_raw_events(JUNE + 26 * DAY).dropped
    assert table_of(recent) == "alerts_rawevent_2031_07"
    assert "alerts_rawevent_2031_06" in forget_raw_events(JUNE + 28 * DAY).dropped
    assert set(RawEvent.objects.values_list("pk", flat=True)) == {failed.pk, recent.pk}
    assert table_of(failed) == REST
    assert not RawEvent.objects.filter(pk=done.pk).exists()


def test_the_source_that_keeps_longest_decides_when_a_month_goes() -> None:
    alerts.source(kept_days=1)
    alerts.source(kept_days=90)
    make_month(Month.of(JUNE))
    assert "alerts_rawevent_2031_06" not in forget_raw_events(JUNE + 80 * DAY).dropped
    assert "alerts_rawevent_2031_06" in forget_raw_events(JUNE + 120 * DAY).dropped


def test_each_source_forgets_after_its_own_days_and_never_what_waits_or_has_failed() -> None:
    short, long = alerts.source(kept_days=2), alerts.source(kept_days=30)
    gone = [sent(short, JUNE - 3 * DAY), sent(short, JUNE - 3 * DAY, RawEvent.State.SET_ASIDE)]
    kept = [
        sent(short, JUNE - 3 * DAY, RawEvent.State.FAILED),
        sent(short, JUNE - 3 * DAY, RawEvent.State.PENDING),
        sent(short, JUNE - DAY),
        sent(long, JUNE - 3 * DAY),
    ]
    table_of(gone[0])
    assert forget_raw_events(JUNE).deleted == len(gone)
    assert set(RawEvent.objects.values_list("pk", flat=True)) == {raw.pk for raw in kept}


def test_one_round_deletes_no_more_than_it_may_and_the_next_goes_on() -> None:
    source = alerts.source(kept_days=1)
    for number in range(5):
        table_of(sent(source, JUNE - 5 * DAY + timedelta(minutes=number)))
    assert [forget_raw_events(JUNE, limit=3).deleted for _ in range(3)] == [3, 2, 0]


def test_an_alert_stays_when_what_opened_it_is_forgotten() -> None:
    source = alerts.source(kept_days=1)
    raw = sent(source, JUNE - 5 * DAY)
    fields = {"started_at": JUNE, "first_event_at": JUNE, "last_event_at": JUNE}
    alert = Alert.objects.create(source=source, dedup_key="disk", title="Disk", last_raw_event=raw, **fields)
    table_of(raw)
    forget_raw_events(JUNE)
    found = Alert.objects.select_related("last_raw_event").get(pk=alert.pk)
    assert found.last_raw_event is None


def test_an_early_end_is_forgotten_after_a_week() -> None:
    source = alerts.source()
    for key, days in (("old", 8), ("new", 6)):
        seen = JUNE - days * DAY
        EarlyEnd.objects.create(source=source, dedup_key=key, ended_at=seen, seen_at=seen)
    assert forget_raw_events(JUNE).early_ends == 1
    assert EarlyEnd.objects.get().dedup_key == "new"


@pytest.mark.django_db(transaction=True)
def test_who_is_at_work_is_not_held_up_by_a_month_that_goes() -> None:
    make_month(Month.of(JUNE))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT count(*) FROM alerts_rawevent")
            with pytest.raises(OperationalError):
                drop_month(Month.of(JUNE))
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    drop_month(Month.of(JUNE))
    assert Month.of(JUNE) not in months()
