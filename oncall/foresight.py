"""What a change does to who is on call in the next 90 days; what makes coverage worse is refused unless confirmed."""

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
    """A stretch in which others would be on call, with their names.

    `missing` are those for whom somebody would come in who is on call anyway: one fewer than wanted.
    """

    start: datetime
    end: datetime
    before: str
    after: str
    missing: str
    is_new_gap: bool
    is_worse: bool
    before_ids: tuple[int, ...]
    after_ids: tuple[int, ...]
    missing_ids: tuple[int, ...]

    def in_words(self, zone: ZoneInfo) -> str:
        """Such as "Tue 17 Mar 02:00 – 06:00: nobody instead of Ana"."""
        if self.missing:
            return _("%(stretch)s: only %(after)s; who comes in for %(missing)s is on call anyway") % {
                "stretch": stretch_in_words(self.start, self.end, zone),
                "after": self.after,
                "missing": self.missing,
            }
        return _("%(stretch)s: %(after)s instead of %(before)s") % {
            "stretch": stretch_in_words(self.start, self.end, zone),
            "after": self.after,
            "before": self.before,
        }


class CoverageGetsWorse(Conflict):
    """The change leaves stretches with nobody that have somebody now, or with one fewer than wanted.

    It is made when it is confirmed.
    """

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
    names = names_of(user_id for change in found for user_id in (*change.before, *change.after, *change.missing))
    return [_named(change, names) for change in found]


def names_of(user_ids: Iterable[int]) -> dict[int, str]:
    """What these people are called. One query, none for nobody."""
    return {pk: user.display_name for pk, user in User.objects.in_bulk(set(user_ids)).items()}


def _named(change: Change, names: Mapping[int, str]) -> Difference:
    def listed(user_ids: Sequence[int]) -> str:
        return ", ".join(names.get(user_id, "?") for user_id in user_ids)

    return Difference(
        start=change.start,
        end=change.end,
        before=listed(change.before) or _("nobody"),
        after=listed(change.after) or _("nobody"),
        missing=listed(change.missing),
        is_new_gap=change.is_new_gap,
        is_worse=change.is_worse,
        before_ids=change.before,
        after_ids=change.after,
        missing_ids=change.missing,
    )


def refuse_worse(before: ScheduleSpec, after: ScheduleSpec, now: datetime) -> None:
    """Raises CoverageGetsWorse if the next 90 days have a gap that they do not have now, or one fewer than wanted."""
    found = differences_of(before, after, now)
    worse = [each for each in found if each.is_worse]
    if not worse:
        return
    first = next((each for each in worse if each.is_new_gap), worse[0])
    words = _("Too few would be on call %(what)s.") % {"what": first.in_words(after.zone)}
    if first.is_new_gap:
        words = _("Nobody would be on call %(stretch)s.") % {
            "stretch": stretch_in_words(first.start, first.end, after.zone)
        }
    if more := len(worse) - 1:
        again = ngettext("So once more within 90 days.", "So %(more)d more times within 90 days.", more)
        words = f"{words} {again % {'more': more}}"
    raise CoverageGetsWorse(words, differences=found)
