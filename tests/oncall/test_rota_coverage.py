"""How good a schedule is, and what a change does to it."""

from datetime import date, datetime, time, timedelta

from hypothesis import given

from oncall.coverage import MOST, Change, Comparison, Flaw, LeaveSpec, changes, quality
from oncall.rota import FixedShift, OverrideSpec, ScheduleSpec, Substitution, WeeklyHours, shifts
from tests.oncall.rotas import ANA, BOB, DAN, EVE, instants, rotation, schedule, schedules, stretches, utc

START, END = utc(2026, 1, 5, 8), utc(2026, 4, 6, 7)
NIGHTS = WeeklyHours(time(18), time(9))
DAYS = WeeklyHours(time(9), time(18))


def test_a_schedule_without_gaps_that_shares_evenly_is_perfect() -> None:
    found = quality(schedule(rotation(ANA, BOB, DAN)), start=START, end=END)
    assert (found.score, found.findings) == (100, ())
    assert set(found.loads) == {ANA, BOB, DAN}


def test_a_gap_costs_points_and_is_named_with_its_instants() -> None:
    holed = schedule(rotation(ANA, BOB, effective_until=utc(2026, 3, 1)))
    found = quality(holed, start=START, end=END)
    (gap,) = found.of(Flaw.GAP)
    assert (gap.start, gap.end) == (utc(2026, 3, 1), END)
    assert 35 < gap.points < 45
    assert found.score == round(100 - gap.points)


def test_many_small_gaps_cost_no_more_than_the_most_for_gaps() -> None:
    days_only = schedule(rotation(ANA, BOB, active=DAYS))
    found = quality(days_only, start=START, end=END)
    assert len(found.of(Flaw.GAP)) == 91
    assert sum(each.points for each in found.of(Flaw.GAP)) <= MOST[Flaw.GAP] + 1e-6
    assert found.score == 40


def test_nobody_at_all_is_no_better_than_the_worst_gap() -> None:
    assert quality(schedule(), start=START, end=END).score == 40


def test_a_person_on_two_schedules_at_once_is_a_double_booking() -> None:
    primary = schedule(rotation(ANA, BOB))
    secondary = schedule(rotation(BOB, BOB, ANA), schedule_id=2)
    start, end = utc(2026, 1, 5, 8), utc(2026, 1, 26, 8)
    found = quality(
        primary, start=start, end=end, others={1: shifts(primary, start, end), 2: shifts(secondary, start, end)}
    )
    assert [(each.start, each.user_id, each.other_schedule_id) for each in found.of(Flaw.DOUBLE_BOOKING)] == [
        (utc(2026, 1, 12, 8), BOB, 2),
        (utc(2026, 1, 19, 8), ANA, 2),
    ]
    assert found.score == 85


def test_a_shift_in_somebodys_leave_is_a_conflict_and_changes_nobodys_duty() -> None:
    leave = LeaveSpec(ANA, utc(2026, 1, 10), utc(2026, 1, 24))
    weekly = schedule(rotation(ANA, BOB))
    found = quality(weekly, start=utc(2026, 1, 5, 8), end=utc(2026, 1, 26, 8), leaves=[leave])
    assert [(each.start, each.end, each.user_id) for each in found.of(Flaw.LEAVE)] == [
        (utc(2026, 1, 10), utc(2026, 1, 12, 8), ANA),
        (utc(2026, 1, 19, 8), utc(2026, 1, 24), ANA),
    ]
    assert found.score < 100


def test_a_shift_of_somebody_unknown_is_told() -> None:
    unknown = FixedShift(None, utc(2026, 1, 6), utc(2026, 1, 7))
    found = quality(schedule(rotation(ANA, BOB), fixed=(unknown,)), start=START, end=END)
    assert [(each.flaw, each.start) for each in found.findings] == [(Flaw.UNKNOWN_PERSON, utc(2026, 1, 6))]


def test_whoever_has_all_the_nights_and_weekends_carries_too_much() -> None:
    unfair = schedule(
        rotation(ANA, layer=2, active=NIGHTS),
        rotation(ANA, layer=2, active=WeeklyHours(time(0), time(0), frozenset({5, 6}))),
        rotation(BOB, DAN),
    )
    found = quality(unfair, start=START, end=END)
    assert {each.flaw: each.user_id for each in found.findings} == {Flaw.UNFAIR_NIGHTS: ANA, Flaw.UNFAIR_WEEKENDS: ANA}
    assert found.score == 90


def test_overrides_may_make_a_fair_schedule_unfair() -> None:
    always_ana = tuple(
        OverrideSpec(number, ANA, START + timedelta(weeks=number, hours=12), START + timedelta(weeks=number + 1))
        for number in range(8)
    )
    found = quality(schedule(rotation(ANA, BOB, DAN), overrides=always_ana), start=START, end=END)
    assert {each.flaw: each.user_id for each in found.findings} == {Flaw.UNFAIR_NIGHTS: ANA, Flaw.UNFAIR_WEEKENDS: ANA}
    assert 90 <= found.score < 100


def test_one_turn_more_is_as_even_as_whole_turns_can_be() -> None:
    uneven = schedule(rotation(ANA, BOB, DAN, EVE, 5, 6, 7, 8))
    found = quality(uneven, start=START, end=END)
    assert found.score == 100


def test_whoever_gets_most_pages_is_named_unless_the_difference_is_chance() -> None:
    weekly = schedule(rotation(ANA, BOB))
    found = quality(weekly, start=START, end=END, pages_per_person={ANA: 20, BOB: 2})
    assert [(each.flaw, each.user_id) for each in found.findings] == [(Flaw.UNFAIR_PAGES, ANA)]
    assert found.loads[ANA].pages == 20
    assert quality(weekly, start=START, end=END, pages_per_person={ANA: 3, BOB: 1}).score == 100


@given(any_schedule=schedules(), start=instants, length=stretches)
def test_the_points_are_what_is_missing_from_the_score(
    any_schedule: ScheduleSpec, start: datetime, length: timedelta
) -> None:
    found = quality(any_schedule, start=start, end=start + length, leaves=[LeaveSpec(1, start, start + length / 2)])
    assert 0 <= found.score <= 100
    assert found.score == max(0, round(100 - sum(each.points for each in found.findings)))
    assert all(start <= each.start < each.end <= start + length for each in found.findings)


# --- Before and after -------------------------------------------------------------------------------------------------


def test_a_change_is_told_stretch_by_stretch() -> None:
    before = schedule(rotation(ANA, BOB))
    after = schedule(
        rotation(ANA, BOB, effective_until=utc(2026, 1, 13)), rotation(DAN, effective_from=utc(2026, 1, 14))
    )
    found = changes(before, after, utc(2026, 1, 5, 8), utc(2026, 1, 19, 8))
    assert found.changes == (
        Change(utc(2026, 1, 13), utc(2026, 1, 14), (BOB,), ()),
        Change(utc(2026, 1, 14), utc(2026, 1, 19, 8), (BOB,), (DAN,)),
    )
    assert found.new_gaps == [found.changes[0]]
    assert found.is_worse


def test_a_change_that_closes_a_gap_makes_nothing_worse() -> None:
    before = schedule(rotation(ANA, starts_on=date(2026, 2, 2)))
    found = changes(before, schedule(rotation(ANA)), START, END)
    assert [(each.start, each.end) for each in found.closed_gaps] == [(START, utc(2026, 2, 2, 8))]
    assert not found.is_worse


def test_a_new_schedule_makes_nothing_worse_and_taking_one_away_does() -> None:
    days_only = schedule(rotation(ANA, active=DAYS))
    assert not changes(None, days_only, START, END).is_worse
    assert changes(days_only, None, START, END).is_worse
    assert changes(None, None, START, END) == Comparison(())


def test_a_rotation_of_two_at_once_leaves_one_fewer_while_one_of_them_comes_in_for_the_other() -> None:
    stands_in = OverrideSpec(1, ANA, utc(2026, 1, 13, 9), utc(2026, 1, 13, 17), replaces=BOB)
    before = schedule(rotation(BOB), overrides=(stands_in,))
    after = schedule(rotation(ANA, BOB, people_at_once=2), overrides=(stands_in,))
    found = changes(before, after, utc(2026, 1, 13), utc(2026, 1, 14))
    assert found.changes == (
        Change(utc(2026, 1, 13), stands_in.start, (BOB,), (ANA, BOB)),
        Change(stands_in.start, stands_in.end, (ANA,), (ANA,), missing=(BOB,)),
        Change(stands_in.end, utc(2026, 1, 14), (BOB,), (ANA, BOB)),
    )
    assert (found.is_worse, found.new_gaps) == (True, [])
    assert changes(after, after, START, END) == Comparison(())
    assert not changes(after, before, START, END).is_worse


def test_a_swap_leaves_one_fewer_when_another_rotation_puts_both_on_call() -> None:
    swap = Substitution(utc(2026, 1, 15), going=BOB, coming=ANA)
    weekly = rotation(BOB, substitutions=(swap,), series="weekly")
    found = changes(schedule(weekly), schedule(weekly, rotation(ANA)), utc(2026, 1, 5, 8), utc(2026, 1, 19, 8))
    assert [(each.start, each.end, each.missing) for each in found.changes if each.is_worse] == [
        (utc(2026, 1, 12, 8), utc(2026, 1, 19, 8), (BOB,))
    ]


def test_the_same_people_in_another_order_are_no_change() -> None:
    assert changes(
        schedule(rotation(ANA, BOB, people_at_once=2)), schedule(rotation(BOB, ANA, people_at_once=2)), START, END
    ) == Comparison(())


@given(before=schedules(), after=schedules(), start=instants, length=stretches)
def test_what_changes_is_where_the_two_differ(
    before: ScheduleSpec, after: ScheduleSpec, start: datetime, length: timedelta
) -> None:
    end = start + length
    found = changes(before, after, start, end)
    assert changes(before, before, start, end) == Comparison(())
    back = changes(after, before, start, end)
    assert _exchanges(back, turned=True) == _exchanges(found)
    assert all(each.missing or set(each.before) != set(each.after) for each in found.changes)


def _exchanges(found: Comparison, *, turned: bool = False) -> list[tuple[datetime, tuple[int, ...], tuple[int, ...]]]:
    """Who is on call instead of whom, and from when on, however many are missing."""
    exchanges: list[tuple[datetime, tuple[int, ...], tuple[int, ...]]] = []
    until = None
    for each in found.changes:
        if set(each.before) == set(each.after):
            continue
        old, new = (each.after, each.before) if turned else (each.before, each.after)
        if until != each.start or exchanges[-1][1:] != (old, new):
            exchanges.append((each.start, old, new))
        until = each.end
    return exchanges
