"""Whose turn it is: each kind of rotation, active hours, layers, overrides, swaps, versions, calendars, shadows."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from oncall.rota import (
    FixedShift,
    Handover,
    OverrideSpec,
    ShadowSpec,
    Shift,
    Substitution,
    WeeklyHours,
    begin_of,
    gaps,
    layers,
    mid_turn,
    next_shift,
    on_call_until,
    rotation_shifts,
    shadows_at,
    shifts,
    stretches_of,
    who_is_on_call,
)
from tests.oncall.rotas import ANA, BERLIN, BOB, DAN, EVE, rotation, schedule, utc

WEEKEND = WeeklyHours(time(0), time(0), frozenset({5, 6}))
OFFICE = WeeklyHours(time(9), time(17), frozenset(range(5)))


# --- Kinds of rotation ------------------------------------------------------------------------------------------------


def test_the_turn_goes_round_in_order() -> None:
    weekly = schedule(rotation(ANA, BOB, DAN))
    mondays = [utc(2026, 1, 5, 8) + timedelta(weeks=week) for week in range(4)]
    assert [who_is_on_call(weekly, monday) for monday in mondays] == [(ANA,), (BOB,), (DAN,), (ANA,)]
    assert who_is_on_call(weekly, mondays[1] - timedelta(seconds=1)) == (ANA,)


def test_a_turn_may_last_several_weeks() -> None:
    every_other = schedule(rotation(ANA, BOB, interval=2))
    assert who_is_on_call(every_other, utc(2026, 1, 18, 12)) == (ANA,)
    assert who_is_on_call(every_other, utc(2026, 1, 19, 8)) == (BOB,)


def test_the_turn_that_holds_the_first_day_belongs_to_the_first_person() -> None:
    weekly = schedule(rotation(ANA, BOB, starts_on=date(2026, 1, 8)))
    assert who_is_on_call(weekly, utc(2026, 1, 8, 12)) == (ANA,)
    assert who_is_on_call(weekly, utc(2026, 1, 12, 8)) == (BOB,)
    assert who_is_on_call(weekly, utc(2026, 1, 4, 12)) == ()


def test_a_rotation_may_hand_over_several_times_a_week() -> None:
    monday_and_friday = (Handover(time(17), 4), Handover(time(9), 0))
    found = rotation_shifts(
        rotation(ANA, BOB, DAN, handovers=monday_and_friday), BERLIN, utc(2026, 1, 5, 8), utc(2026, 1, 16, 16)
    )
    assert found == [
        Shift(utc(2026, 1, 5, 8), utc(2026, 1, 9, 16), (ANA,)),
        Shift(utc(2026, 1, 9, 16), utc(2026, 1, 12, 8), (BOB,)),
        Shift(utc(2026, 1, 12, 8), utc(2026, 1, 16, 16), (DAN,)),
    ]


def test_with_several_handovers_a_week_the_first_turn_is_the_one_that_holds_the_first_day() -> None:
    handovers = (Handover(time(9), 2), Handover(time(17), 2), Handover(time(9), 4))
    for starts_on, begin in {
        date(2026, 1, 7): utc(2026, 1, 7, 8),  # its own first handover
        date(2026, 1, 8): utc(2026, 1, 7, 16),  # the last one before
        date(2026, 1, 6): utc(2026, 1, 2, 8),  # the week before's
    }.items():
        several = rotation(ANA, BOB, handovers=handovers, starts_on=starts_on)
        assert begin_of(several, BERLIN, 0) == begin
        assert who_is_on_call(schedule(several), begin) == (ANA,)
        assert who_is_on_call(schedule(several), begin - timedelta(seconds=1)) == ()


def test_a_rotation_may_hand_over_every_few_days() -> None:
    found = rotation_shifts(
        rotation(ANA, BOB, period="days", interval=3), BERLIN, utc(2026, 1, 5, 8), utc(2026, 1, 11, 8)
    )
    assert found == [
        Shift(utc(2026, 1, 5, 8), utc(2026, 1, 8, 8), (ANA,)),
        Shift(utc(2026, 1, 8, 8), utc(2026, 1, 11, 8), (BOB,)),
    ]


def test_a_rotation_of_hours_goes_round_the_clock() -> None:
    found = rotation_shifts(
        rotation(ANA, BOB, DAN, period="hours", interval=8, at=time(6)), BERLIN, utc(2026, 1, 5, 5), utc(2026, 1, 6, 5)
    )
    assert [(shift.start.hour, shift.user_ids) for shift in found] == [(5, (ANA,)), (13, (BOB,)), (21, (DAN,))]


def test_a_month_hands_over_on_the_day_of_the_first_or_on_its_own_last() -> None:
    monthly = rotation(ANA, BOB, period="months", starts_on=date(2027, 10, 31), at=time(0))
    local = [begin_of(monthly, BERLIN, turn).astimezone(BERLIN) for turn in range(6)]
    assert [(each.month, each.day, each.hour) for each in local] == [
        *((10, 31, 0), (11, 30, 0), (12, 31, 0)),
        *((1, 31, 0), (2, 29, 0), (3, 31, 0)),
    ]
    quarterly = replace(monthly, interval=3)
    assert begin_of(quarterly, BERLIN, 2).astimezone(BERLIN).date() == date(2028, 4, 30)


def test_several_people_are_on_call_at_once_and_go_round_together() -> None:
    pairs = schedule(rotation(ANA, BOB, DAN, people_at_once=2))
    mondays = [utc(2026, 1, 5, 8) + timedelta(weeks=week) for week in range(3)]
    assert [who_is_on_call(pairs, monday) for monday in mondays] == [(ANA, BOB), (DAN, ANA), (BOB, DAN)]
    assert who_is_on_call(schedule(rotation(ANA, ANA, BOB, people_at_once=2)), mondays[0]) == (ANA, BOB)
    assert who_is_on_call(schedule(rotation(ANA, BOB, people_at_once=5)), mondays[0]) == (ANA, BOB)


def test_for_somebody_who_has_left_the_next_stands_in_and_nobody_elses_turn_moves() -> None:
    mondays = [utc(2026, 1, 5, 8) + timedelta(weeks=week) for week in range(3)]
    without_bob = schedule(rotation(ANA, BOB, DAN, left=frozenset({BOB})))
    assert [who_is_on_call(without_bob, monday) for monday in mondays] == [(ANA,), (DAN,), (DAN,)]
    pairs = schedule(rotation(ANA, BOB, DAN, EVE, people_at_once=2, left=frozenset({BOB})))
    assert [who_is_on_call(pairs, monday) for monday in mondays[:2]] == [(ANA, DAN), (DAN, EVE)]
    assert who_is_on_call(schedule(rotation(ANA, left=frozenset({ANA}))), mondays[0]) == ()


# --- Active hours -----------------------------------------------------------------------------------------------------


def test_active_hours_limit_a_rotation_to_them() -> None:
    office = schedule(rotation(ANA, BOB, active=OFFICE))
    found = [shift for shift in shifts(office, utc(2026, 1, 9), utc(2026, 1, 13)) if shift.user_ids]
    assert found == [
        Shift(utc(2026, 1, 9, 8), utc(2026, 1, 9, 16), (ANA,)),
        Shift(utc(2026, 1, 12, 8), utc(2026, 1, 12, 16), (BOB,)),
    ]


def test_hours_over_midnight_belong_to_the_day_on_which_they_start() -> None:
    friday_night = WeeklyHours(time(22), time(6), frozenset({4}))
    night = schedule(rotation(ANA, active=friday_night))
    assert who_is_on_call(night, utc(2026, 1, 9, 22)) == (ANA,)
    assert who_is_on_call(night, utc(2026, 1, 10, 4, 59)) == (ANA,)
    assert who_is_on_call(night, utc(2026, 1, 10, 5)) == ()
    assert who_is_on_call(night, utc(2026, 1, 9, 3)) == ()


def test_the_same_time_twice_is_the_whole_day_and_days_that_meet_are_one_shift() -> None:
    weekend = schedule(rotation(ANA, active=WEEKEND))
    found = [shift for shift in shifts(weekend, utc(2026, 1, 8), utc(2026, 1, 14)) if shift.user_ids]
    assert found == [Shift(utc(2026, 1, 9, 23), utc(2026, 1, 11, 23), (ANA,))]


# --- Layers, overrides, calendars -------------------------------------------------------------------------------------


def test_only_the_highest_active_layer_counts_and_people_on_one_layer_are_on_call_together() -> None:
    base = rotation(ANA, rotation_id=1, layer=1)
    cover = rotation(BOB, rotation_id=2, layer=2, starts_on=date(2026, 2, 2))
    beside = rotation(DAN, rotation_id=3, layer=2, starts_on=date(2026, 2, 2))
    both = schedule(cover, beside, base)
    assert who_is_on_call(both, utc(2026, 1, 20)) == (ANA,)
    assert who_is_on_call(both, utc(2026, 2, 3)) == (BOB, DAN)


def test_outside_its_active_hours_a_layer_leaves_the_one_below_on_call() -> None:
    layered = schedule(rotation(BOB, layer=2, active=WEEKEND), rotation(ANA))
    assert who_is_on_call(layered, utc(2026, 1, 9, 12)) == (ANA,)
    assert who_is_on_call(layered, utc(2026, 1, 10, 12)) == (BOB,)


def test_a_rotation_of_nobody_leaves_the_layer_below_on_call() -> None:
    assert who_is_on_call(schedule(rotation(layer=2), rotation(ANA)), utc(2026, 1, 20)) == (ANA,)
    assert rotation_shifts(rotation(), BERLIN, utc(2026, 1, 5), utc(2026, 2, 5)) == []


def test_an_override_replaces_everybody_while_it_lasts() -> None:
    override = OverrideSpec(1, DAN, utc(2026, 1, 6, 18), utc(2026, 1, 7, 6))
    assert shifts(schedule(rotation(ANA, BOB), overrides=(override,)), utc(2026, 1, 6), utc(2026, 1, 8)) == [
        Shift(utc(2026, 1, 6), utc(2026, 1, 6, 18), (ANA,)),
        Shift(utc(2026, 1, 6, 18), utc(2026, 1, 7, 6), (DAN,), True),
        Shift(utc(2026, 1, 7, 6), utc(2026, 1, 8), (ANA,)),
    ]


def test_an_override_of_one_person_leaves_the_others_on_call() -> None:
    override = OverrideSpec(1, DAN, utc(2026, 1, 6), utc(2026, 1, 7), replaces=BOB)
    pair = schedule(rotation(ANA, BOB, people_at_once=2), overrides=(override,))
    assert shifts(pair, utc(2026, 1, 6), utc(2026, 1, 8)) == [
        Shift(utc(2026, 1, 6), utc(2026, 1, 7), (ANA, DAN), True),
        Shift(utc(2026, 1, 7), utc(2026, 1, 8), (ANA, BOB)),
    ]


def test_an_override_of_somebody_who_is_not_on_call_adds_nobody() -> None:
    override = OverrideSpec(1, DAN, utc(2026, 1, 6), utc(2026, 1, 7), replaces=BOB)
    alone = schedule(rotation(ANA), overrides=(override,))
    assert shifts(alone, utc(2026, 1, 6), utc(2026, 1, 7)) == [Shift(utc(2026, 1, 6), utc(2026, 1, 7), (ANA,))]


def test_whoever_covers_may_be_covered_in_turn() -> None:
    first = OverrideSpec(1, DAN, utc(2026, 1, 6), utc(2026, 1, 8), replaces=ANA)
    second = OverrideSpec(2, EVE, utc(2026, 1, 7), utc(2026, 1, 8), replaces=DAN)
    covered = schedule(rotation(ANA), overrides=(first, second))
    assert who_is_on_call(covered, utc(2026, 1, 6, 12)) == (DAN,)
    assert who_is_on_call(covered, utc(2026, 1, 7, 12)) == (EVE,)


def test_shifts_of_a_calendar_are_layers_and_its_overrides_beat_them() -> None:
    fixed = (
        FixedShift(ANA, utc(2026, 1, 5), utc(2026, 1, 9)),
        FixedShift(BOB, utc(2026, 1, 6), utc(2026, 1, 7), layer=1),
        FixedShift(DAN, utc(2026, 1, 6, 12), utc(2026, 1, 6, 18), is_override=True),
    )
    imported = schedule(fixed=fixed)
    assert [who_is_on_call(imported, utc(2026, 1, 6, hour)) for hour in (11, 12, 18)] == [(BOB,), (DAN,), (BOB,)]
    assert who_is_on_call(imported, utc(2026, 1, 7)) == (ANA,)


def test_a_shift_of_somebody_unknown_covers_nothing_and_hides_nobody() -> None:
    unknown = FixedShift(None, utc(2026, 1, 6), utc(2026, 1, 7), layer=9)
    assert who_is_on_call(schedule(rotation(ANA), fixed=(unknown,)), utc(2026, 1, 6, 12)) == (ANA,)
    start, end = utc(2026, 1, 5), utc(2026, 1, 8)
    assert gaps(schedule(fixed=(unknown,)), start, end) == [Shift(start, end, ())]


# --- Swaps and versions -----------------------------------------------------------------------------------------------


def test_a_substitute_takes_the_whole_turn() -> None:
    swap = Substitution(utc(2026, 1, 7), ANA, DAN)
    swapped = schedule(rotation(ANA, BOB, substitutions=(swap,)))
    assert shifts(swapped, utc(2026, 1, 5, 8), utc(2026, 1, 19, 8)) == [
        Shift(utc(2026, 1, 5, 8), utc(2026, 1, 12, 8), (DAN,)),
        Shift(utc(2026, 1, 12, 8), utc(2026, 1, 19, 8), (BOB,)),
    ]


def test_a_swap_follows_its_shift_when_the_handover_moves() -> None:
    weekly = rotation(ANA, BOB)
    anchors = [mid_turn(weekly, BERLIN, utc(2026, 1, day)) for day in (6, 13)]
    swap = (Substitution(anchors[0], ANA, BOB), Substitution(anchors[1], BOB, ANA))
    moved = rotation(ANA, BOB, at=time(18), weekday=1, starts_on=date(2026, 1, 6), substitutions=swap)
    assert shifts(schedule(moved), utc(2026, 1, 6, 17), utc(2026, 1, 27, 17)) == [
        Shift(utc(2026, 1, 6, 17), utc(2026, 1, 13, 17), (BOB,)),
        Shift(utc(2026, 1, 13, 17), utc(2026, 1, 27, 17), (ANA,)),
    ]


def test_a_substitution_by_somebody_who_is_on_duty_anyway_takes_no_place_away() -> None:
    swap = Substitution(anchor=utc(2026, 1, 7), going=ANA, coming=BOB)
    both = rotation(ANA, BOB, people_at_once=2, substitutions=(swap,))
    assert who_is_on_call(schedule(both), utc(2026, 1, 7)) == (ANA, BOB)


def test_a_substitution_for_somebody_who_is_not_on_duty_then_changes_nothing() -> None:
    swap = Substitution(utc(2026, 1, 7), BOB, DAN)
    assert who_is_on_call(schedule(rotation(ANA, BOB, substitutions=(swap,))), utc(2026, 1, 7)) == (ANA,)


def test_a_swap_lasts_when_its_person_leaves() -> None:
    swap = Substitution(utc(2026, 1, 7), ANA, DAN)
    left = rotation(ANA, BOB, substitutions=(swap,), left=frozenset({ANA}))
    assert who_is_on_call(schedule(left), utc(2026, 1, 7)) == (DAN,)


def test_a_new_version_begins_at_its_date_and_a_swap_after_it_does_not_reach_back() -> None:
    change = utc(2026, 1, 7)
    swap = (Substitution(utc(2026, 1, 9), ANA, DAN),)
    ended = rotation(ANA, BOB, effective_until=change, substitutions=swap)
    begun = rotation(ANA, BOB, EVE, rotation_id=2, effective_from=change, substitutions=swap)
    assert shifts(schedule(begun, ended), utc(2026, 1, 6), utc(2026, 1, 12, 8)) == [
        Shift(utc(2026, 1, 6), change, (ANA,)),
        Shift(change, utc(2026, 1, 12, 8), (DAN,)),
    ]


# --- What is asked about it -------------------------------------------------------------------------------------------


def test_a_gap_is_told_with_its_length() -> None:
    start, end = utc(2026, 1, 5), utc(2026, 1, 6)
    assert gaps(schedule(rotation(ANA)), start, end) == [Shift(start, utc(2026, 1, 5, 8), ())]
    assert gaps(schedule(), start, end) == [Shift(start, end, ())]


def test_the_versions_of_a_rotation_are_one_row_and_each_layer_of_a_calendar_is_another() -> None:
    change = utc(2026, 1, 7)
    ended = rotation(ANA, series="s", name="Old", effective_until=change)
    begun = rotation(BOB, rotation_id=2, series="s", name="New", effective_from=change)
    fixed = (FixedShift(DAN, utc(2026, 1, 1), utc(2026, 1, 6, 12)), FixedShift(None, utc(2026, 1, 7), utc(2027, 1, 1)))
    rows = layers(schedule(ended, begun, fixed=fixed), utc(2026, 1, 6), utc(2026, 1, 8))
    assert [(row.series, row.name, row.layer) for row in rows] == [("s", "New", 1), ("", "", 0)]
    assert [shift.user_ids for shift in rows[0].shifts] == [(ANA,), (BOB,)]
    assert rows[1].shifts == (
        Shift(utc(2026, 1, 6), utc(2026, 1, 6, 12), (DAN,)),
        Shift(utc(2026, 1, 7), utc(2026, 1, 8), ()),
    )
    later = layers(schedule(ended, begun, fixed=fixed), utc(2026, 3, 1), utc(2026, 3, 2))
    assert [row.name for row in later] == ["New", ""]


def test_a_rotation_that_has_ended_has_no_row_any_more() -> None:
    ended = rotation(ANA, effective_until=utc(2026, 1, 7))
    assert layers(schedule(ended), utc(2026, 3, 1), utc(2026, 3, 2)) == []


def test_the_next_shift_is_the_one_after_the_present() -> None:
    weekly = schedule(rotation(ANA, BOB))
    horizon = timedelta(days=60)
    found = Shift(utc(2026, 1, 19, 8), utc(2026, 1, 26, 8), (ANA,))
    assert next_shift(weekly, ANA, utc(2026, 1, 7), horizon) == found
    assert next_shift(weekly, ANA, utc(2026, 1, 13), horizon) == found
    assert next_shift(weekly, DAN, utc(2026, 1, 13), horizon) is None


def test_a_persons_stretch_goes_on_while_those_beside_them_change() -> None:
    pairs = schedule(rotation(ANA, BOB, rotation_id=1), rotation(DAN, rotation_id=2))
    start, end = utc(2026, 1, 6), utc(2026, 2, 6)
    assert stretches_of(pairs, DAN, start, end) == [Shift(start, end, (DAN,))]


def test_until_when_somebody_is_on_call_runs_on_over_schedules_and_adjoining_shifts() -> None:
    first, second = schedule(rotation(ANA, BOB)), schedule(rotation(ANA, ANA, BOB))
    at, horizon = utc(2026, 1, 7), timedelta(days=30)
    assert on_call_until([first], ANA, at, horizon) == utc(2026, 1, 12, 8)
    assert on_call_until([first, second], ANA, at, horizon) == utc(2026, 1, 19, 8)
    assert on_call_until([first, second], DAN, at, horizon) is None


def test_a_shadow_is_told_and_never_on_call() -> None:
    start, end = utc(2026, 1, 5), utc(2026, 2, 5)
    always = ShadowSpec(DAN, None, start, end)
    with_bob = ShadowSpec(EVE, BOB, start, end)
    shadowed = schedule(rotation(ANA, BOB), shadows=(always, with_bob, ShadowSpec(ANA, None, start, end)))
    assert shadows_at(shadowed, utc(2026, 1, 6)) == (DAN,)
    assert shadows_at(shadowed, utc(2026, 1, 13)) == (DAN, EVE, ANA)
    assert shadows_at(shadowed, utc(2026, 3, 1)) == ()
    assert who_is_on_call(shadowed, utc(2026, 1, 6)) == (ANA,)
    alone = schedule(shadows=(always,))
    assert gaps(alone, start, end) == [Shift(start, end, ())]


def test_the_longest_rotation_and_the_last_years_are_answered() -> None:
    # Some 2,730 years each: the third turn begins in 7487.
    huge = schedule(rotation(ANA, BOB, DAN, period="months", interval=32767))
    assert who_is_on_call(huge, datetime(9990, 1, 1, tzinfo=UTC)) == (DAN,)
    hours = schedule(rotation(ANA, period="hours", interval=32767))
    assert who_is_on_call(hours, datetime(9990, 1, 1, tzinfo=UTC)) == (ANA,)
