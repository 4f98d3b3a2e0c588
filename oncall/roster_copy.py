"""A copy of the roster that another host can page by when this one is gone: who is on call when, and how to reach them.

    {"made_at": "2026-11-21T13:00:00+00:00", "until": "2026-11-28T13:00:00+00:00",
     "shifts": [{"schedule": "Primary", "start": …, "end": …, "people": ["7"]}, …],
     "people": {"7": {"name": "Ana", "emails": ["ana@example.com"], "phones": ["+49…"]}}}

Pure, but for `copy_roster`, which makes it.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from accounts.models import User
from oncall.models import ContactMethod
from oncall.roster import schedule_specs, usable_methods
from oncall.rota import shifts

PHONES = {ContactMethod.Kind.SMS, ContactMethod.Kind.VOICE}


def copy_roster(now: datetime, ahead: timedelta) -> dict[str, Any]:
    """The shifts of every schedule from now on, and the usable addresses of whoever has one. A constant number of
    queries."""
    until = now + ahead
    rows = [
        {
            "schedule": spec.name,
            "start": shift.start.isoformat(),
            "end": shift.end.isoformat(),
            "people": [str(user_id) for user_id in shift.user_ids],
        }
        for spec in schedule_specs(now, until).values()
        for shift in shifts(spec, now, until)
    ]
    user_ids = {int(user_id) for row in rows for user_id in row["people"]}
    return {"made_at": now.isoformat(), "until": until.isoformat(), "shifts": rows, "people": _people(user_ids)}


def _people(user_ids: set[int]) -> dict[str, Any]:
    methods = usable_methods(user_ids)
    people: dict[str, Any] = {}
    for user in User.objects.filter(pk__in=user_ids, is_active=True):
        own: dict[str, list[str]] = defaultdict(list)
        for method in methods.get(user.pk, ()):
            kind = "phones" if method.kind in PHONES else "emails" if method.kind == ContactMethod.Kind.EMAIL else ""
            if kind and method.address not in own[kind]:
                own[kind].append(method.address)
        emails = own["emails"] or [user.email]
        people[str(user.pk)] = {"name": user.display_name, "emails": emails, "phones": own["phones"]}
    return people


def on_call_in(roster: Mapping[str, Any], at: datetime) -> list[dict[str, Any]]:
    """The people of a copy who are on call at an instant, each once; everybody who has a shift if it is too old."""
    current = [
        shift
        for shift in roster["shifts"]
        if datetime.fromisoformat(shift["start"]) <= at < datetime.fromisoformat(shift["end"])
    ]
    if not current and at >= datetime.fromisoformat(roster["until"]):
        current = list(roster["shifts"])
    ids = dict.fromkeys(user_id for shift in current for user_id in shift["people"])
    return [roster["people"][user_id] for user_id in ids if user_id in roster["people"]]
