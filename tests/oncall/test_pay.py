"""Hours and pay: each hour counts once, pages are paid, rests are counted, and what is approved never changes."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.actor import Actor
from accounts.models import Role, User
from events.errors import Conflict, Invalid, NotAllowed
from oncall.engine import tick
from oncall.models import DutyStatement, Override, RateTable, Schedule
from oncall.pay import approve_statements, draft_statements, remove_rate_table, save_rate_table
from oncall.scheduling import remove_schedule
from oncall.sending import send_due
from tests.factories import oncall
from tests.factories.accounts import actor, api_key, user

pytestmark = pytest.mark.django_db

FEBRUARY = date(2026, 2, 1)
MARCH_IS_HERE = datetime(2026, 3, 5, tzinfo=UTC)
MANAGER = Actor.system(via="command")
RATES: dict[str, Any] = {
    "weekday": Decimal(1),
    "night": Decimal(2),
    "weekend": Decimal(3),
    "holiday": Decimal(10),
    "per_page": Decimal(50),
}


def rates(*schedules: Schedule, **fields: Any) -> RateTable:
    given = {"name": "Standard", "currency": "eur", **RATES, **fields}
    return save_rate_table(actor=MANAGER, schedules=schedules, **given)


def always(person: User, **fields: Any) -> Schedule:
    """A schedule on which one person is always on call."""
    schedule = oncall.schedule(person)
    Schedule.objects.filter(pk=schedule.pk).update(**fields)
    return schedule


def computed(month: date = FEBRUARY, now: datetime = MARCH_IS_HERE) -> list[DutyStatement]:
    return draft_statements(actor=MANAGER, month=month, now=now)


def page(schedule: Schedule, *times: datetime) -> None:
    """Pages go out through this schedule at these times."""
    for at in times:
        oncall.escalation(oncall.level(schedule), now=at)
        tick(at)
        send_due(at)


def test_every_hour_of_a_month_counts_once_by_what_it_weighs() -> None:
    schedule = always(user())
    rates(schedule)
    [statement] = computed()
    # February 2026: 20 weekdays of 16 hours by day and 8 at night, 4 weekends.
    assert statement.hours == {"weekday": 320.0, "night": 160.0, "weekend": 192.0, "holiday": 0.0}
    assert (statement.amount, statement.currency) == (Decimal(320 + 320 + 576), "EUR")


def test_a_holiday_beats_a_weekend_beats_a_night_beats_a_weekday() -> None:
    schedule = always(user(), country="DE", time_zone="Europe/Berlin")
    rates(schedule)
    # 1 May 2026 is a Friday and a holiday in Germany.
    [statement] = computed(date(2026, 5, 1), datetime(2026, 5, 3, tzinfo=UTC))
    assert statement.hours == {"weekday": 0.0, "night": 0.0, "weekend": 26.0, "holiday": 24.0}


def test_the_month_in_which_clocks_change_has_an_hour_less() -> None:
    schedule = always(user(), time_zone="Europe/Berlin")
    rates(schedule)
    [statement] = computed(date(2026, 3, 1), datetime(2026, 4, 5, tzinfo=UTC))
    assert sum(statement.hours.values()) == 31 * 24 - 1


def test_each_person_has_a_statement_of_their_shifts_and_covers() -> None:
    ana, bob, chai = user(name="Ana"), user(name="Bob"), user(name="Chai")
    schedule = oncall.schedule(ana, bob)
    start = datetime(2026, 2, 10, 12, tzinfo=UTC)
    Override.objects.create(schedule=schedule, user=chai, starts_at=start, ends_at=start + timedelta(hours=6))
    rates(schedule)
    totals = {statement.user: sum(statement.hours.values()) for statement in computed()}
    assert totals[chai] == 6.0
    assert sum(totals.values()) == 28 * 24


def test_a_running_month_is_computed_until_now() -> None:
    schedule = always(user())
    rates(schedule)
    [statement] = computed(date(2026, 2, 1), datetime(2026, 2, 3, 12, tzinfo=UTC))
    assert sum(statement.hours.values()) == 60.0
    with pytest.raises(Invalid, match="not begun"):
        computed(date(2026, 4, 1))


def test_a_page_is_paid_once_however_many_methods_it_went_through() -> None:
    ana = user()
    schedule = always(ana)
    rates(schedule, weekday=0, night=0, weekend=0)
    oncall.contact_method(ana)
    oncall.contact_method(ana, address="second@example.com")
    page(schedule, datetime(2026, 2, 4, 12, tzinfo=UTC), datetime(2026, 2, 5, 12, tzinfo=UTC))
    [statement] = computed()
    assert (statement.pages, statement.amount) == (2, Decimal(100))


def test_a_page_counts_for_the_schedule_that_it_was_sent_for() -> None:
    ana = user()
    first, second = always(ana), always(ana)
    rates(first, second)
    oncall.contact_method(ana)
    page(second, datetime(2026, 2, 4, 12, tzinfo=UTC))
    assert {statement.schedule: statement.pages for statement in computed()} == {first: 0, second: 1}


def test_a_page_to_somebody_off_duty_is_not_paid() -> None:
    ana, bob = user(), user()
    schedule = always(bob)
    rates(schedule)
    oncall.contact_method(ana)
    at = datetime(2026, 2, 4, 12, tzinfo=UTC)
    oncall.escalation(oncall.level(ana), now=at)
    tick(at)
    send_due(at)
    [statement] = computed()
    assert (statement.user, statement.pages) == (bob, 0)


@pytest.mark.parametrize(
    ("pages", "broken"),
    [
        ([(4, 3)], 0),
        # Two pages in one night are one night; the rest begins with the last.
        ([(4, 1), (4, 5)], 0),
        ([(4, 3), (4, 12)], 1),
        ([(4, 3), (4, 15)], 0),
        # A page by day asks for no rest.
        ([(4, 12), (4, 14)], 0),
        ([(4, 3), (4, 12), (5, 3), (5, 13)], 2),
    ],
)
def test_a_page_within_the_rest_after_a_night_breaks_it(pages: list[tuple[int, int]], broken: int) -> None:
    ana = user()
    schedule = always(ana)
    rates(schedule, rest_hours=11)
    oncall.contact_method(ana)
    page(schedule, *(datetime(2026, 2, day, hour, tzinfo=UTC) for day, hour in pages))
    [statement] = computed()
    assert statement.broken_rests == broken


@pytest.mark.parametrize(
    ("pages", "february", "march"),
    [
        # One night, whose rest begins with its last page and is kept.
        ([(2, 28, 23), (3, 1, 1)], 0, 0),
        # The night is counted in the month in which its rest begins, and nowhere else.
        ([(2, 28, 23), (3, 1, 1), (3, 1, 9)], 0, 1),
        ([(2, 28, 23), (3, 1, 9)], 1, 0),
    ],
)
def test_the_night_between_two_months_is_one_night(
    pages: list[tuple[int, int, int]], february: int, march: int
) -> None:
    ana = user()
    schedule = always(ana)
    rates(schedule)
    oncall.contact_method(ana)
    page(schedule, *(datetime(2026, month, day, hour, tzinfo=UTC) for month, day, hour in pages))
    found = [computed(month)[0].broken_rests for month in (FEBRUARY, date(2026, 3, 1))]
    assert found == [february, march]


def test_a_shift_that_begins_within_the_rest_breaks_it() -> None:
    ana, bob = user(), user()
    daily = oncall.rotation(ana, bob, period="days", handovers=[(None, time(9))])
    schedule = oncall.schedule(rotations=[daily])
    rates(schedule)
    oncall.contact_method(ana)
    night = datetime(2026, 2, 5, 3, tzinfo=UTC)
    page(schedule, night)
    other = oncall.schedule(bob)
    found = {statement.user: statement.broken_rests for statement in computed()}
    assert found[ana] == 0
    Override.objects.create(
        schedule=other, user=ana, starts_at=night + timedelta(hours=8), ends_at=night + timedelta(hours=20)
    )
    found = {statement.user: statement.broken_rests for statement in computed()}
    assert found[ana] == 1


def test_what_is_approved_is_never_computed_again() -> None:
    ana = user()
    schedule = always(ana)
    table = rates(schedule)
    [statement] = computed()
    approve_statements(actor=MANAGER, statements=[statement], now=MARCH_IS_HERE)
    rates(schedule, table=table, weekday=Decimal(100))
    [again] = computed()
    assert (again.pk, again.amount, again.status) == (statement.pk, statement.amount, "approved")


def test_drafts_follow_the_shifts_and_go_with_them() -> None:
    ana, bob = user(), user()
    schedule = oncall.schedule(ana)
    rates(schedule)
    start, end = datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    override = Override.objects.create(schedule=schedule, user=bob, starts_at=start, ends_at=end)
    assert [statement.user for statement in computed()] == [bob]
    override.delete()
    assert [statement.user for statement in computed()] == [ana]


def test_a_month_that_runs_or_has_changed_can_not_be_approved() -> None:
    ana, bob = user(), user()
    schedule = always(ana)
    rates(schedule)
    running = computed(FEBRUARY, datetime(2026, 2, 20, tzinfo=UTC))
    with pytest.raises(Conflict, match="not over"):
        approve_statements(actor=MANAGER, statements=running, now=datetime(2026, 2, 20, tzinfo=UTC))
    # Computed in the middle of the month: half of it is missing.
    with pytest.raises(Conflict, match="have changed"):
        approve_statements(actor=MANAGER, statements=running, now=MARCH_IS_HERE)
    done = computed()
    start = datetime(2026, 2, 10, tzinfo=UTC)
    Override.objects.create(schedule=schedule, user=bob, starts_at=start, ends_at=start + timedelta(hours=1))
    with pytest.raises(Conflict, match="have changed"):
        approve_statements(actor=MANAGER, statements=done, now=MARCH_IS_HERE)


def test_nobody_but_managers_and_no_manager_their_own() -> None:
    boss = user(role=Role.MANAGER)
    schedule = always(boss)
    rates(schedule)
    with pytest.raises(NotAllowed):
        draft_statements(actor=actor(), month=FEBRUARY, now=MARCH_IS_HERE)
    statements = computed()
    with pytest.raises(NotAllowed):
        approve_statements(actor=Actor.of_user(boss, via="web"), statements=statements, now=MARCH_IS_HERE)
    [approved] = approve_statements(actor=actor(Role.MANAGER), statements=statements, now=MARCH_IS_HERE)
    assert approved.approved_at == MARCH_IS_HERE


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"currency": "€"}, "currency"),
        ({"name": " "}, "name"),
        ({"night": Decimal(-1)}, "night"),
        ({"rest_hours": 49}, "rest_hours"),
    ],
)
def test_rates_that_make_no_sense_are_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        rates(**fields)
    assert refused.value.field == field


def test_rates_belong_to_exactly_the_chosen_schedules() -> None:
    first, second = oncall.schedule(), oncall.schedule()
    table = rates(first)
    rates(second, table=table)
    assert list(table.schedules.all()) == [second]
    with pytest.raises(Conflict, match="taken"):
        rates(first)
    remove_rate_table(actor=MANAGER, table=table)
    second.refresh_from_db()
    assert second.rate_table is None


def test_computing_costs_as_many_queries_for_six_schedules_as_for_one() -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            computed()
        return len(captured)

    ana = user()
    oncall.contact_method(ana)
    schedules = [always(ana)]
    table = rates(*schedules)
    page(schedules[0], datetime(2026, 2, 4, 3, tzinfo=UTC))
    computed()
    few = queries()
    schedules += [always(user()) for _ in range(5)]
    rates(*schedules, table=table)
    computed()
    assert queries() == few


# --- Screens and API --------------------------------------------------------------------------------------------------


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_a_manager_computes_approves_and_exports_a_month_on_screen() -> None:
    ana = user(name="=cmd()")
    rates(always(ana))
    client = signed_in(user(role=Role.MANAGER))
    assert client.get(reverse("oncall:statements")).status_code == 200
    client.post(reverse("oncall:statements-compute"), {"month": "2026-02"})
    statement = DutyStatement.objects.get()
    html = client.get(reverse("oncall:statements") + "?month=2026-02").content.decode()
    assert "1216.00 EUR" in html
    client.post(reverse("oncall:statements-approve"), {"statement": [statement.pk]})
    statement.refresh_from_db()
    assert statement.status == "approved"
    answer = client.get(reverse("oncall:statements-export") + "?month=2026-02")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "on-call-pay-2026-02.csv" in answer.headers["Content-Disposition"]
    line = answer.content.decode().splitlines()[1]
    # A name is no formula.
    assert f"'=cmd(),{ana.email},2026-02,320.0,160.0,192.0,0.0,0,0,1216.00,EUR,approved" in line


def test_a_month_that_is_none_is_told() -> None:
    client = signed_in(user(role=Role.MANAGER))
    for month in ("", "march", "2999-01"):
        rates(always(user()), name=f"For {month}")
        answer = client.post(reverse("oncall:statements-compute"), {"month": month}, follow=True)
        assert answer.status_code == 200
    assert not DutyStatement.objects.exists()


def test_a_person_sees_their_own_statement_and_no_other() -> None:
    ana, bob = user(name="Ana Ferreira"), user(name="Bob Okafor")
    rates(always(ana), always(bob))
    computed()
    html = signed_in(ana).get(reverse("oncall:statements")).content.decode()
    assert ("Ana Ferreira" in html, "Bob Okafor" in html) == (True, False)
    assert "Bob Okafor" not in signed_in(ana).get(reverse("oncall:statements-export")).content.decode()
    assert signed_in(ana).post(reverse("oncall:statements-compute"), {"month": "2026-02"}).status_code == 403


def test_the_list_asks_the_same_for_ten_statements_as_for_two() -> None:
    client = signed_in(user(role=Role.MANAGER))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("oncall:statements")).status_code == 200
        return len(captured)

    schedules = [always(user()) for _ in range(2)]
    table = rates(*schedules)
    computed()
    queries()
    few = queries()
    schedules += [always(user()) for _ in range(8)]
    rates(*schedules, table=table)
    computed()
    assert queries() == few


def test_a_schedule_whose_hours_were_approved_stays() -> None:
    schedule = always(user())
    rates(schedule)
    approve_statements(actor=MANAGER, statements=computed(), now=MARCH_IS_HERE)
    with pytest.raises(Conflict, match="approved for pay"):
        remove_schedule(actor=MANAGER, schedule=schedule)


def test_rates_are_made_changed_and_removed_on_screen() -> None:
    schedule = oncall.schedule()
    client = signed_in(user(role=Role.MANAGER))
    given = {"name": "Standard", "currency": "EUR", "night_from": "22:00", "night_until": "06:00", "rest_hours": "11"}
    given |= {"weekday": "3.50", "night": "6", "weekend": "8", "holiday": "12", "per_page": "0"}
    answer = client.post(reverse("oncall:rate-table-new"), {**given, "schedules": [schedule.pk]})
    assert answer.status_code == 302, answer.content.decode()
    table = RateTable.objects.get()
    assert (table.weekday, list(table.schedules.all())) == (Decimal("3.50"), [schedule])
    address = reverse("oncall:rate-table", args=[table.pk])
    assert "3.50" in client.get(address).content.decode()
    client.post(address, {**given, "weekday": "4"})
    table.refresh_from_db()
    assert (table.weekday, table.schedules.count()) == (Decimal(4), 0)
    assert "Standard" in client.get(reverse("oncall:rate-tables")).content.decode()
    assert signed_in(user()).get(address).status_code == 403
    client.post(reverse("oncall:rate-table-remove", args=[table.pk]))
    assert not RateTable.objects.exists()


def test_the_api_keeps_rates_computes_and_approves() -> None:
    schedule = always(user())
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(user(role=Role.MANAGER))}")
    body = {"name": "Standard", "currency": "EUR", "weekday": "1.00", "schedules": [schedule.slug]}
    made = client.post("/api/v1/rate-tables/", body)
    assert made.status_code == 201, made.json()
    changed = client.patch(f"/api/v1/rate-tables/{made.json()['id']}/", {"night": "2.00"})
    assert (changed.json()["night"], changed.json()["schedules"]) == ("2.00", [schedule.slug])
    computed_rows = client.post("/api/v1/duty-statements/compute/", {"month": "2026-02"}).json()
    assert computed_rows[0]["hours"]["weekday"] == 320.0
    ids = [row["id"] for row in computed_rows]
    approved = client.post("/api/v1/duty-statements/approve/", {"statements": ids})
    assert approved.json()[0]["status"] == "approved", approved.json()
    listed = client.get("/api/v1/duty-statements/?month=2026-02&status=approved").json()["results"]
    assert [row["id"] for row in listed] == ids
    without = client.post(
        "/api/v1/duty-statements/compute/", {"month": "2026-02", "schedules": [oncall.schedule().slug]}
    )
    assert without.json()["error"]["field"] == "schedule"
    assert client.delete(f"/api/v1/rate-tables/{made.json()['id']}/").status_code == 204
