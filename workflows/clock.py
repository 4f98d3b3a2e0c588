"""When a clock starts a workflow: cron lines in a time zone, right through changes of the clock. Pure."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError


class BadClock(ValueError):
    """The line or the zone can't be read; the message says why."""


def in_words(cron: str) -> str:
    """A cron line as people say it: "At 09:00 on Monday"; one that can't be read as it is."""
    try:
        return CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC)).explain()
    except CronSimError:
        return f"At {cron}"


def next_time(cron: str, time_zone: str, after: datetime) -> datetime | None:
    """The first instant after `after` at which the cron line (five fields) is due in the zone; None if it never is.

    As Debian's cron has it: what is due in an hour that the clock skips is due right after it, what is due in an hour
    that comes twice is due once; lines that run each hour or oftener follow the hours that really pass.
    Raises BadClock.
    """
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadClock(f"There is no time zone {time_zone!r}.") from error
    try:
        return next(CronSim(cron, after.astimezone(zone)))
    except CronSimError as error:
        raise BadClock(f"{cron!r} is not a cron line: {error}") from error
    except StopIteration:
        return None
