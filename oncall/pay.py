"""Hours and pay: what an hour on call is worth, and each person's month on each schedule.

Every hour counts once, as the heaviest kind that it is (oncall/hours.py): holiday, else weekend, else night, else
weekday, in the schedule's zone and by its country. A page counts for the schedule that it was sent for, while the
person is on duty there. A night's last page is followed by `rest_hours` that should bring no page and no shift that
begins: if they do, that is one broken rest.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.actor import Actor
from accounts.models import Role
from events.actions import Fact, publish, publish_all
from events.errors import Conflict, Invalid, require
from events.locking import locked_rows
from oncall import permissions
from oncall.hours import Hours, Kind, hours_by_person
from oncall.models import DutyStatement, RateTable, Schedule
from oncall.pages_received import Received, received
from oncall.roster import schedule_ids_naming, schedule_specs, zone_of
from oncall.rota import ScheduleSpec, Shift, shifts
from oncall.windows import WeeklyHours, instant_of, windows

MOST_REST_HOURS = 48
MOST_RATE = Decimal("100000")
CENT = Decimal("0.01")
RATES = ("weekday", "night", "weekend", "holiday", "per_page")
NOT_A_MANAGER = "Only managers may change rates and statements."

# --- Rate tables ------------------------------------------------------------------------------------------------------


@transaction.atomic
def save_rate_table(
    *,
    actor: Actor,
    name: str,
    currency: str,
    table: RateTable | None = None,
    schedules: Collection[Schedule] | None = None,
    weekday: Decimal = Decimal(0),
    night: Decimal = Decimal(0),
    weekend: Decimal = Decimal(0),
    holiday: Decimal = Decimal(0),
    per_page: Decimal = Decimal(0),
    night_from: time = time(22),
    night_until: time = time(6),
    rest_hours: int = 11,
) -> RateTable:
    """Makes a rate table or changes one. With `schedules` it pays exactly these; statements that are approved stay."""
    require(permissions.can_configure(actor), NOT_A_MANAGER)
    name, currency = name.strip(), currency.strip().upper()
    if not name:
        raise Invalid("A name is needed.", field="name")
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise Invalid(f"{currency!r} is no currency.", field="currency", remedy="Use three letters such as EUR.")
    if not 0 <= rest_hours <= MOST_REST_HOURS:
        raise Invalid(f"A rest lasts from 0 to {MOST_REST_HOURS} hours.", field="rest_hours")
    rates = dict(zip(RATES, (weekday, night, weekend, holiday, per_page), strict=True))
    for rate_name, rate in rates.items():
        if not 0 <= rate <= MOST_RATE:
            raise Invalid(f"A rate lies between 0 and {MOST_RATE}.", field=rate_name)
    if RateTable.objects.filter(name__iexact=name).exclude(pk=table.pk if table else 0).exists():
        raise Conflict(f"{name} is taken.", field="name", remedy="Choose another name.")
    created = table is None
    table = table or RateTable()
    times = {"night_from": night_from, "night_until": night_until}
    for field, value in {"name": name, "currency": currency, "rest_hours": rest_hours, **times, **rates}.items():
        setattr(table, field, value)
    table.save()
    if schedules is not None:
        chosen = [schedule.pk for schedule in schedules]
        table.schedules.exclude(pk__in=chosen).update(rate_table=None)
        Schedule.objects.filter(pk__in=chosen).update(rate_table=table)
    publish("rate_table.created" if created else "rate_table.changed", subject=table, actor=actor, data={"name": name})
    return table


@transaction.atomic
def remove_rate_table(*, actor: Actor, table: RateTable) -> None:
    """Takes a rate table away; its schedules are paid by none, statements that were made stay."""
    require(permissions.can_configure(actor), NOT_A_MANAGER)
    publish("rate_table.removed", subject=table, actor=actor, data={"name": table.name})
    table.delete()


# --- What a month comes to --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Earned:
    """A person's month on a schedule, as it is computed."""

    hours: dict[str, float]
    pages: int
    broken_rests: int
    amount: Decimal
    currency: str

    def is_what(self, statement: DutyStatement) -> bool:
        """Whether the stored statement says the same."""
        return (self.hours, self.pages, self.broken_rests, self.amount, self.currency) == (
            statement.hours,
            statement.pages,
            statement.broken_rests,
            statement.amount,
            statement.currency,
        )


@dataclass(frozen=True)
class Paid:
    """A schedule that is paid, its shifts of the month, and the stretch that they cover."""

    schedule: Schedule
    table: RateTable
    spec: ScheduleSpec
    start: datetime
    end: datetime
    shifts: list[Shift]

    @property
    def night(self) -> WeeklyHours:
        return WeeklyHours(self.table.night_from, self.table.night_until)

    @property
    def rest(self) -> timedelta:
        return timedelta(hours=self.table.rest_hours)

    def is_on_duty(self, page: Received) -> bool:
        """Whether the page reached somebody on duty here, and was not sent for another schedule."""
        if page.schedule_ids and self.schedule.pk not in page.schedule_ids:
            return False
        return any(shift.start <= page.at < shift.end and page.user_id in shift.user_ids for shift in self.shifts)


def first_of_month(day: date) -> date:
    """The month that a day is in, by its first day."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def bounds_of(schedule: Schedule, month: date) -> tuple[datetime, datetime]:
    """When a month begins and ends in the schedule's zone (UTC)."""
    zone = zone_of(schedule.time_zone)
    return instant_of(month, time(0), zone), instant_of(next_month(month), time(0), zone)


def earned(schedules: Sequence[Schedule], month: date, now: datetime) -> dict[tuple[int, int], Earned]:
    """What each person has earned on each of these schedules, by (schedule id, user id); of a running month until now.

    The schedules carry their rate tables. The number of queries does not depend on how many there are.
    """
    paid = _paid(schedules, month, now)
    user_ids = {user_id for each in paid for shift in each.shifts for user_id in shift.user_ids}
    if not user_ids:
        return {}
    start, end = min(each.start for each in paid), max(each.end + each.rest for each in paid)
    pages: dict[int, list[Received]] = defaultdict(list)
    for page in received(user_ids, start, min(end, now)):
        pages[page.user_id].append(page)
    begins = _begins(set(pages), start, end)
    found = {}
    for each in paid:
        by_person = hours_by_person(each.shifts, zone=each.spec.zone, country=each.spec.country, night=each.night)
        nights = windows(each.night, each.spec.zone, each.start, each.end)
        for user_id, hours in by_person.items():
            own = [page.at for page in pages[user_id] if page.at < each.end and each.is_on_duty(page)]
            paged = [night for night in nights if any(night[0] <= at < night[1] for at in own)]
            broken = _broken_rests(paged, [page.at for page in pages[user_id]], begins[user_id], each)
            found[each.schedule.pk, user_id] = _earned(each.table, hours, len(own), broken)
    return found


def _paid(schedules: Sequence[Schedule], month: date, now: datetime) -> list[Paid]:
    bounds = {schedule.pk: bounds_of(schedule, month) for schedule in schedules}
    begun = [schedule for schedule in schedules if bounds[schedule.pk][0] < now]
    if not begun:
        return []
    start, end = min(bounds[each.pk][0] for each in begun), max(bounds[each.pk][1] for each in begun)
    specs = schedule_specs(start, end, {schedule.pk for schedule in begun})
    paid = []
    for schedule in begun:
        start, end = bounds[schedule.pk][0], min(bounds[schedule.pk][1], now)
        spec = specs[schedule.pk]
        if schedule.rate_table is not None:
            paid.append(Paid(schedule, schedule.rate_table, spec, start, end, shifts(spec, start, end)))
    return paid


def _begins(user_ids: Collection[int], start: datetime, end: datetime) -> dict[int, list[datetime]]:
    """When shifts of these people begin, on whatever schedule. Nothing is asked for nobody."""
    begins: dict[int, list[datetime]] = defaultdict(list)
    if not user_ids:
        return begins
    for spec in schedule_specs(start, end, schedule_ids_naming(user_ids, start, end)).values():
        on_duty: Collection[int] = ()
        for shift in shifts(spec, start, end):
            for user_id in shift.user_ids:
                if user_id in user_ids and user_id not in on_duty and shift.start > start:
                    begins[user_id].append(shift.start)
            on_duty = shift.user_ids
    return begins


def _broken_rests(
    nights: Iterable[tuple[datetime, datetime]], pages: Collection[datetime], begins: Collection[datetime], paid: Paid
) -> int:
    """After how many of these nights, each with a page in it, the person was paged or began a shift in their rest.

    The rest begins with the night's last page, whichever schedule that was sent for, and belongs to the month in which
    it begins: the night between two months is one night.
    """
    rests = [max(at for at in pages if start <= at < end) for start, end in nights]
    return sum(
        any(last < at < last + paid.rest for at in (*pages, *begins)) for last in rests if paid.start <= last < paid.end
    )


def _earned(table: RateTable, hours: Hours, pages: int, broken_rests: int) -> Earned:
    rounded = {str(kind): round(hours.of(kind) / timedelta(hours=1), 2) for kind in Kind}
    amount = sum((Decimal(str(rounded[kind])) * getattr(table, kind) for kind in Kind), pages * table.per_page)
    return Earned(rounded, pages, broken_rests, amount.quantize(CENT, ROUND_HALF_UP), table.currency)


# --- Statements -------------------------------------------------------------------------------------------------------


def visible_statements(actor: Actor) -> QuerySet[DutyStatement]:
    """Managers see all statements, everybody else their own."""
    found = DutyStatement.objects.select_related("schedule", "user", "approved_by")
    return found if permissions.can_configure(actor) else found.filter(user_id=actor.person_id)


@transaction.atomic
def draft_statements(
    *, actor: Actor, month: date, now: datetime, schedules: Collection[Schedule] | None = None
) -> list[DutyStatement]:
    """Computes a month anew: of these schedules, else of all that have rates. What is approved stays as it is."""
    require(permissions.can_configure(actor), NOT_A_MANAGER)
    month = first_of_month(month)
    rated = Schedule.objects.select_related("rate_table").order_by("pk")
    wanted = locked_rows(
        rated.filter(rate_table__isnull=False) if schedules is None else rated.filter(pk__in=[s.pk for s in schedules])
    )
    without = [schedule.name for schedule in wanted if schedule.rate_table is None]
    if without:
        raise Invalid(f"{', '.join(without)} has no rates.", field="schedule", remedy="Choose its rate table first.")
    if wanted and all(bounds_of(schedule, month)[0] >= now for schedule in wanted):
        raise Invalid("This month has not begun.", field="month", remedy="Choose this month or an earlier one.")
    found = earned(wanted, month, now)
    stored = {
        (row.schedule_id, row.user_id): row
        for row in DutyStatement.objects.select_for_update().filter(schedule__in=wanted, starts_on=month)
    }
    approved = {key for key, row in stored.items() if row.status == DutyStatement.Status.APPROVED}
    gone = [row.pk for key, row in stored.items() if key not in found and key not in approved]
    DutyStatement.objects.filter(pk__in=gone).delete()
    new: list[DutyStatement] = []
    changed: list[DutyStatement] = []
    for (schedule_id, user_id), value in found.items():
        if (schedule_id, user_id) in approved:
            continue
        row = stored.get((schedule_id, user_id)) or DutyStatement(
            schedule_id=schedule_id, user_id=user_id, starts_on=month, ends_on=next_month(month)
        )
        (changed if row.pk else new).append(row)
        row.hours, row.pages, row.broken_rests = value.hours, value.pages, value.broken_rests
        row.amount, row.currency = value.amount, value.currency
    DutyStatement.objects.bulk_create(new)
    DutyStatement.objects.bulk_update(changed, ["hours", "pages", "broken_rests", "amount", "currency"])
    data = {"month": f"{month:%Y-%m}"}
    publish_all([Fact("duty_statements.drafted", schedule, data) for schedule in wanted], actor=actor)
    return list(visible_statements(actor).filter(schedule__in=wanted, starts_on=month).order_by("schedule", "user"))


def can_approve(actor: Actor, statement: DutyStatement) -> bool:
    """Managers, but nobody their own, unless they are administrators."""
    is_own = actor.user_id == statement.user_id
    return permissions.can_configure(actor) and (not is_own or actor.has_role(Role.ADMINISTRATOR))


@transaction.atomic
def approve_statements(*, actor: Actor, statements: Collection[DutyStatement], now: datetime) -> list[DutyStatement]:
    """Freezes these statements, all or none. Each must be of a month that is over, and still be what the shifts say."""
    ids = [statement.pk for statement in statements]
    locked = DutyStatement.objects.select_for_update(of=("self",)).select_related("schedule__rate_table", "user")
    rows = list(locked.filter(pk__in=ids).order_by("pk"))
    for row in rows:
        require(can_approve(actor, row), "Only managers may approve, and nobody their own statement.")
    drafts = [row for row in rows if row.status == DutyStatement.Status.DRAFT]
    for month in {row.starts_on for row in drafts}:
        _check_final([row for row in drafts if row.starts_on == month], month, now)
    for row in drafts:
        row.status, row.approved_by_id, row.approved_at = DutyStatement.Status.APPROVED, actor.user_id, now
    DutyStatement.objects.bulk_update(drafts, ["status", "approved_by", "approved_at"])
    publish_all([_approved(row) for row in drafts], actor=actor)
    return rows


def _check_final(rows: Sequence[DutyStatement], month: date, now: datetime) -> None:
    schedules = {row.schedule_id: row.schedule for row in rows}
    running = [schedule.name for schedule in schedules.values() if bounds_of(schedule, month)[1] > now]
    if running:
        raise Conflict(f"{month:%Y-%m} is not over on {', '.join(running)}.", remedy="Approve it next month.")
    found = earned(list(schedules.values()), month, now)
    for row in rows:
        value = found.get((row.schedule_id, row.user_id))
        if value is None or not value.is_what(row):
            raise Conflict(
                f"The shifts, pages or rates behind {row} have changed since it was computed.",
                remedy="Compute the month again, look at it, and approve it then.",
            )


def _approved(row: DutyStatement) -> Fact:
    data: dict[str, Any] = {"user": row.user_id, "schedule": row.schedule_id, "amount": str(row.amount)}
    return Fact("duty_statement.approved", row, {**data, "month": f"{row.starts_on:%Y-%m}"})


HEADER = (
    *("schedule", "person", "email", "month", "weekday hours", "night hours", "weekend hours", "holiday hours"),
    *("pages", "broken rests", "amount", "currency", "status", "approved by", "approved at"),
)


def row_of(statement: DutyStatement) -> list[Any]:
    """A statement as a line of the CSV, under `HEADER`."""
    approved_at = f"{statement.approved_at:%Y-%m-%dT%H:%M:%SZ}" if statement.approved_at else ""
    return [
        statement.schedule.name,
        statement.user.display_name,
        statement.user.email,
        f"{statement.starts_on:%Y-%m}",
        *(statement.hours.get(kind, 0) for kind in Kind),
        statement.pages,
        statement.broken_rests,
        statement.amount,
        statement.currency,
        statement.status,
        str(statement.approved_by or ""),
        approved_at,
    ]
