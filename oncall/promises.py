"""The format of paging tests: promises about paging, written as data (docs/user/paging-tests.md). Pure.

paging_tests:
  - name: Payments at night
    policy: payments-critical
    at: Sunday 03:00 Europe/Berlin
    urgency: high
    facts: {severity: critical}
    expect:
      - {pages: ana@example.com, within: 5 minutes, by: voice}
      - {does_not_page: bob@example.com}
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from events.errors import Invalid
from oncall.windows import instant_of

REMEDY = "See “Paging tests” in the user guide."
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ON_CALL = re.compile(r"whoever is on call on (?P<schedule>.+)", re.IGNORECASE)
WALL_CLOCK = re.compile(r"(?P<day>\w+|\d{4}-\d\d-\d\d)[ T](?P<hour>\d?\d):(?P<minute>\d\d)(?: (?P<zone>\S+))?")
LENGTH = re.compile(r"(?P<number>\d+) ?(?P<unit>s|sec|second|m|min|minute|h|hour|day)s?", re.IGNORECASE)
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
OWN_KEYS = {"name", "at", "urgency", "facts", "expect"}
URGENCIES = ("high", "low")
CHANNELS = ("email", "sms", "voice", "push", "webhook", "apprise", "web")


@dataclass(frozen=True)
class Expectation:
    """Somebody who is paged, or never: `who` is an e-mail address, a name or “whoever is on call on …”."""

    who: str
    is_paged: bool = True
    within: timedelta | None = None
    by: str = ""

    def __str__(self) -> str:
        by = f" by {self.by}" if self.by else ""
        within = f" within {in_words(self.within)}" if self.within is not None else ""
        return f"{self.who} {'is' if self.is_paged else 'is not'} paged{by}{within}"


@dataclass(frozen=True)
class Promise:
    """One paging test: what happens to which subject at which instant, and what is expected then.

    `value` names the subject, or is JSON where it takes more than a name.
    """

    name: str
    subject: str
    value: str
    at: str
    urgency: str = "high"
    facts: Mapping[str, str] = field(default_factory=dict)
    expect: Sequence[Expectation] = ()


def read_file(text: str, subjects: Collection[str]) -> list[dict[str, Any]]:
    """The entries of a paging tests file, each checked; raises Invalid that names the entry."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Invalid(f"This is not YAML: {error}", field="spec", remedy=REMEDY) from error
    entries = content.get("paging_tests") if isinstance(content, dict) else content
    if not isinstance(entries, list) or not entries:
        raise Invalid("There is no list of paging_tests in it.", field="spec", remedy=REMEDY)
    plain = [plain_values(entry) for entry in entries]
    names = [promise_of(entry, subjects).name for entry in plain]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise Invalid(f"Two tests are called “{twice}”.", field="spec", remedy="Give each a name of its own.")
    return plain


def promise_of(spec: Any, subjects: Collection[str]) -> Promise:
    """One entry as a promise; raises Invalid for what does not follow the format."""
    if not isinstance(spec, Mapping):
        raise Invalid("A paging test is a mapping.", field="spec", remedy=REMEDY)
    name = str(spec.get("name") or "").strip()
    if not name or len(name) > 200:
        raise _bad("A test", "it needs a name of at most 200 characters")
    chosen = [subject for subject in subjects if spec.get(subject)]
    if len(chosen) != 1:
        raise _bad(name, f"it needs exactly one of {', '.join(sorted(subjects))}")
    unknown = set(spec) - OWN_KEYS - set(chosen)
    if unknown:
        raise _bad(name, f"{', '.join(sorted(map(str, unknown)))} is not known")
    urgency = str(spec.get("urgency") or "high")
    if urgency not in URGENCIES:
        raise _bad(name, f"{urgency!r} is not an urgency")
    facts = spec.get("facts") or {}
    if not isinstance(facts, Mapping):
        raise _bad(name, "facts are names with values")
    expect = spec.get("expect")
    if not isinstance(expect, list) or not expect:
        raise _bad(name, "it expects nothing")
    at = str(spec.get("at") or "")
    _moment(name, at)
    value = spec[chosen[0]]
    return Promise(
        name=name,
        subject=chosen[0],
        value=value if isinstance(value, str) else json.dumps(value),
        at=at,
        urgency=urgency,
        facts={str(key): str(value) for key, value in facts.items()},
        expect=tuple(_expectation(name, each) for each in expect),
    )


def _expectation(name: str, given: Any) -> Expectation:
    if not isinstance(given, Mapping) or ("pages" in given) == ("does_not_page" in given):
        raise _bad(name, "each expectation says whom it `pages` or `does_not_page`")
    unknown = set(given) - {"pages", "does_not_page", "within", "by"}
    if unknown:
        raise _bad(name, f"{', '.join(sorted(map(str, unknown)))} is not known")
    who = str(given.get("pages") or given.get("does_not_page") or "").strip()
    if not who:
        raise _bad(name, "an expectation names nobody")
    by = str(given.get("by") or "")
    if by and by not in CHANNELS:
        # A promise that somebody is not paged by it would hold for ever.
        raise _bad(name, f"nobody can be paged by {by!r}; say one of {', '.join(CHANNELS)}")
    within = given.get("within")
    return Expectation(
        who=who,
        is_paged="pages" in given,
        within=length_of(str(within), name) if within is not None else None,
        by=by,
    )


def length_of(text: str, name: str) -> timedelta:
    """“5 minutes”, “90 s”, “2 h”; raises Invalid for anything else."""
    found = LENGTH.fullmatch(text.strip())
    if found is None:
        raise _bad(name, f"{text!r} is not a length of time; say “5 minutes”")
    return timedelta(seconds=int(found["number"]) * SECONDS[found["unit"][0].lower()])


def in_words(length: timedelta) -> str:
    """A length to the second: “5 minutes”, “1:30 min”."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    if seconds:
        return f"{minutes}:{seconds:02} min"
    return f"{minutes} minute" + ("" if minutes == 1 else "s")


def moment_of(promise: Promise, now: datetime) -> datetime:
    """The instant (UTC) of a promise: the next such weekday and time from `now` on, or the date that it names."""
    day, clock, zone = _moment(promise.name, promise.at)
    if isinstance(day, date):
        return instant_of(day, clock, zone)
    today = now.astimezone(zone).date()
    first = today + timedelta(days=(day - today.weekday()) % 7)
    found = instant_of(first, clock, zone)
    return found if found >= now else instant_of(first + timedelta(days=7), clock, zone)


def _moment(name: str, text: str) -> tuple[date | int, time, ZoneInfo]:
    """A date or a weekday (0 is Monday), the time of day, and the zone that both are read in."""
    reason = f"{text!r} is no instant; say “Sunday 03:00 Europe/Berlin” or “2026-03-29 02:30 Europe/Berlin”"
    found = WALL_CLOCK.fullmatch(" ".join(text.split()))
    if found is None:
        return _iso_moment(name, text, reason)
    try:
        clock, zone = time(int(found["hour"]), int(found["minute"])), ZoneInfo(found["zone"] or "UTC")
        if found["day"].lower() in WEEKDAYS:
            return WEEKDAYS.index(found["day"].lower()), clock, zone
        return date.fromisoformat(found["day"]), clock, zone
    except (ValueError, KeyError, OSError) as error:
        raise _bad(name, reason) from error


def _iso_moment(name: str, text: str, reason: str) -> tuple[date, time, ZoneInfo]:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise _bad(name, reason) from error
    if at.tzinfo is None:
        raise _bad(name, f"{text!r} does not say in which zone")
    at = at.astimezone(UTC)
    return at.date(), at.time(), ZoneInfo("UTC")


def plain_values(value: Any) -> Any:
    """What YAML made of a text as JSON can hold it: times and dates become text again."""
    if isinstance(value, Mapping):
        return {str(key): plain_values(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain_values(each) for each in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value


def _bad(name: str, reason: str) -> Invalid:
    return Invalid(f"{name}: {reason}.", field="spec", remedy=REMEDY)
