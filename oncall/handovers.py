"""When a schedule changes hands: pure, read off its final shifts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from oncall.rota import Shift


@dataclass(frozen=True, slots=True)
class Change:
    """At `at` (UTC) the people in `going` leave duty and those in `coming` take it up.

    Nobody comes when one of several people goes: that ends a shift and is no handover. `since` tells from when those
    who go were on duty, as far as the shifts that were looked at reach back.
    """

    at: datetime
    going: tuple[int, ...]
    coming: tuple[int, ...]
    since: dict[int, datetime] = field(default_factory=dict)

    @property
    def is_handover(self) -> bool:
        """Whether somebody takes over."""
        return bool(self.coming)


def just_after(now: datetime) -> datetime:
    """Shifts end before their end: so that what begins at this very instant is among them."""
    return now + timedelta(microseconds=1)


def changes(found: Iterable[Shift]) -> list[Change]:
    """Each change of hands in these shifts, which are in order and leave nothing out.

    A gap changes nothing by itself: whoever was on duty before it hands over to whoever comes after it, unless they are
    the same. Who was on duty before the first shift is not known, so that shift changes nothing either.
    """
    crew: tuple[int, ...] = ()
    since: dict[int, datetime] = {}
    made = []
    for number, shift in enumerate(found):
        if not shift.user_ids:
            continue
        coming = tuple(user_id for user_id in shift.user_ids if user_id not in crew)
        going = tuple(user_id for user_id in crew if user_id not in shift.user_ids)
        if number and (coming or going):
            made.append(Change(shift.start, going, coming, {user_id: since[user_id] for user_id in going}))
        since = {user_id: since.get(user_id, shift.start) for user_id in shift.user_ids}
        crew = shift.user_ids
    return made
