"""When a schedule changes hands, read off its shifts."""

from datetime import UTC, datetime, timedelta

from oncall.handovers import changes
from oncall.rota import Shift

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANA, BOB, CHAI = 1, 2, 3


def course(*crews: tuple[int, ...], days: int = 1) -> list[Shift]:
    """One shift after the other, a day each."""
    length = timedelta(days=days)
    return [Shift(START + length * number, START + length * (number + 1), crew) for number, crew in enumerate(crews)]


def test_one_goes_and_one_comes() -> None:
    [change] = changes(course((ANA,), (BOB,)))
    assert (change.at, change.going, change.coming) == (START + timedelta(days=1), (ANA,), (BOB,))
    assert change.since == {ANA: START}
    assert change.is_handover


def test_a_gap_hands_over_to_whoever_comes_after_it() -> None:
    [change] = changes(course((ANA,), (), (BOB,)))
    assert (change.at, change.going, change.coming) == (START + timedelta(days=2), (ANA,), (BOB,))


def test_whoever_comes_back_after_a_gap_takes_over_from_nobody() -> None:
    assert changes(course((ANA,), (), (ANA,))) == []


def test_the_first_ever_on_call_come_after_nobody() -> None:
    [change] = changes(course((), (ANA,)))
    assert (change.going, change.coming) == ((), (ANA,))


def test_nothing_is_known_of_what_was_before_the_first_shift() -> None:
    assert changes(course((ANA,))) == []


def test_one_of_two_goes_without_a_handover() -> None:
    [change] = changes(course((ANA, BOB), (BOB,)))
    assert (change.going, change.coming, change.is_handover) == ((ANA,), (), False)


def test_a_long_stretch_is_followed_back_through_the_changes_of_others() -> None:
    change = changes(course((ANA, BOB), (ANA, CHAI), (BOB, CHAI)))[-1]
    assert (change.going, change.coming, change.since) == ((ANA,), (BOB,), {ANA: START})
