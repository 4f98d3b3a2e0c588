"""What a change does to who is on call in the next 90 days; what leaves new gaps is refused unless confirmed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from events.errors import Conflict
from oncall.coverage import Change, changes
from oncall.rota import ScheduleSpec

HORIZON = timedelta(days=90)


@dataclass(frozen=True)
class Difference:
    """A stretch in which others would be on call, with their names."""

    start: datetime
    end: datetime
    before: str
    after: str
    is_new_gap: bool
    before_ids: tuple[int, ...]
    after_ids: tuple[int, ...]

    def in_words(self, zone: ZoneInfo) -> str:
        """Such as "Tue 17 Mar 02:00 – 06:00: nobody instead of Ana"."""
        return _("%(stretch)s: %(after)s instead of %(before)s") % {
            "stretch": stretch_in_words(self.start, self.end, zone),
            "after": self.after,
            "before": self.before,
        }


class CoverageGetsWorse(Conflict):
    """The change leaves stretches with nobody that have somebody now; it is made when it is confirmed."""

    code = "coverage_gets_worse"

    def __init__(self, message: str, *, differences: Sequence[Difference]) -> None:
        super().__init__(message, remedy=_("Confirm it, or let somebody take these hours first."))
        self.differences = differences


def stretch_in_words(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """From when until when, in a zone; the day of the end only if it is another."""
    begin, finish = start.astimezone(zone), end.astimezone(zone)
    until = f"{finish:%H:%M}" if begin.date() == finish.date() else f"{finish:%a %d %b %H:%M}"
    return f"{begin:%a %d %b %H:%M} – {until}"


def differences_of(before: ScheduleSpec, after: ScheduleSpec, now: datetime) -> list[Difference]:
    """What changes in the next 90 days, stretch by stretch, in order. One query."""
    found = changes(before, after, now, now + HORIZON).changes
    names = names_of(user_id for change in found for user_id in (*change.before, *change.after))
    return [_named(change, names) for change in found]


def names_of(user_ids: Iterable[int]) -> dict[int, str]:
    """What these people are called. One query, none for nobody."""
    return {pk: user.display_name for pk, user in User.objects.in_bulk(set(user_ids)).items()}


def _named(change: Change, names: Mapping[int, str]) -> Difference:
    def listed(user_ids: Sequence[int]) -> str:
        return ", ".join(names.get(user_id, "?") for user_id in user_ids) or _("nobody")

    return Difference(
        start=change.start,
        end=change.end,
        before=listed(change.before),
        after=listed(change.after),
        is_new_gap=not change.after,
        before_ids=change.before,
        after_ids=change.after,
    )


def refuse_new_gaps(before: ScheduleSpec, after: ScheduleSpec, now: datetime) -> None:
    """Raises CoverageGetsWorse if the next 90 days have a gap that they do not have now."""
    found = differences_of(before, after, now)
    gaps = [each for each in found if each.is_new_gap]
    if not gaps:
        return
    words = _("Nobody would be on call %(stretch)s.") % {
        "stretch": stretch_in_words(gaps[0].start, gaps[0].end, after.zone)
    }
    if more := len(gaps) - 1:
        again = ngettext("So once more within 90 days.", "So %(more)d more times within 90 days.", more)
        words = f"{words} {again % {'more': more}}"
    raise CoverageGetsWorse(words, differences=found)
