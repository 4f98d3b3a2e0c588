"""The kinds of things that commands take, read from what was typed and suggested while somebody types."""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from accounts.models import Team, User
from catalog.models import Service
from events.errors import Invalid
from incidents.commands.grammar import Token, unknown
from incidents.commands.registry import ArgumentKind, Asking, Suggestion
from incidents.fields import fields_of
from incidents.mentions import handle_of, people_called, people_like
from incidents.models import (
    Incident,
    IncidentAction,
    IncidentRole,
    IncidentService,
    IncidentStatus,
    IncidentType,
    Severity,
)
from incidents.roles import offered_roles
from incidents.times import NAMES
from oncall.models import EscalationPolicy

MOST_SUGGESTED = 8
CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
LENGTH = re.compile(r"(\d{1,5})\s*(m|min|minutes?|h|hours?)?", re.IGNORECASE)


def one_of(kind: str, rows: Callable[[Asking], Collection[Any]], about: str = "") -> ArgumentKind:
    """A kind whose things have a slug and a name; `about` names the attribute that says more of them."""

    def read(asking: Asking, token: Token) -> Any:
        found, typed = list(rows(asking)), token.text.lower()
        for row in found:
            if typed in {row.slug.lower(), row.name.lower()}:
                return row
        raise unknown(kind, token.text, [row.slug for row in found])

    def suggest(asking: Asking, typed: str) -> Sequence[Suggestion]:
        wanted = typed.lower()
        fitting = [row for row in rows(asking) if wanted in row.slug.lower() or wanted in row.name.lower()]
        fitting.sort(key=lambda row: not row.slug.lower().startswith(wanted))
        return [
            Suggestion(row.slug, row.name, str(getattr(row, about)) if about else "")
            for row in fitting[:MOST_SUGGESTED]
        ]

    return ArgumentKind(kind, read, suggest)


def _person(asking: Asking, token: Token) -> User:
    if token.text.lower() == "me":
        me = User.objects.filter(pk=asking.actor.person_id).first()
        if me is None:
            raise Invalid("You are no person.", field="text", remedy="Name somebody after an @.")
        return me
    found = people_called([token.text])[token.text.lower()]
    if not found:
        raise Invalid(
            f"There is nobody called “{token.text}”.", field="text", remedy="Type @ and a name or an address."
        )
    if len(found) > 1:
        names = ", ".join(f"{person.display_name} ({person.email})" for person in found[:5])
        raise Invalid(f"“{token.text}” can be {names}.", field="text", remedy="Name one by their address.")
    return found[0]


def _person_or_nobody(asking: Asking, token: Token) -> User | None:
    return None if token.text.lower() in {"nobody", "none"} else _person(asking, token)


def suggest_people(asking: Asking, typed: str) -> Sequence[Suggestion]:
    """People whose name or address holds what was typed after the @."""
    people = people_like(typed.removeprefix("@"), limit=MOST_SUGGESTED)
    handles = [handle_of(person) for person in people]
    return [
        Suggestion(
            f"@{handle}" if handles.count(handle) == 1 and re.fullmatch(r"\w[\w.+-]*", handle) else f"@{person.email}",
            person.display_name,
            person.email,
        )
        for person, handle in zip(people, handles, strict=True)
    ]


def _paged(asking: Asking, token: Token) -> Service | EscalationPolicy | Team | User:
    """Whom to page by a word: a service, a policy or a team of that name; by an @ a person."""
    if token.kind == "person":
        return _person(asking, token)
    for model in (Service, EscalationPolicy, Team):
        found = model.objects.filter(Q(slug__iexact=token.text) | Q(name__iexact=token.text)).first()
        if found is not None:
            return found
    known = [*Service.objects.values_list("slug", flat=True), *EscalationPolicy.objects.values_list("slug", flat=True)]
    raise unknown("service, policy or team", token.text, known)


def _suggest_paged(asking: Asking, typed: str) -> Sequence[Suggestion]:
    if typed.startswith("@"):
        return suggest_people(asking, typed)
    fits = Q(slug__icontains=typed) | Q(name__icontains=typed)
    services = Service.objects.filter(fits).exclude(escalation_policy=None)[:MOST_SUGGESTED]
    policies = EscalationPolicy.objects.filter(fits)[:MOST_SUGGESTED]
    return [
        *(Suggestion(row.slug, row.name, "service") for row in services),
        *(Suggestion(row.slug, row.name, "escalation policy") for row in policies),
    ][:MOST_SUGGESTED]


def _incident(asking: Asking, token: Token) -> Incident:
    number = token.text.upper().removeprefix("INC-")
    visible = Incident.objects.visible_to(asking.actor)
    found = visible.filter(number=int(number)).first() if number.isdecimal() and len(number) < 10 else None
    if found is None:
        raise Invalid(f"There is no incident “{token.text}”.", field="text", remedy="Give a number such as #142.")
    return found


def _suggest_incidents(asking: Asking, typed: str) -> Sequence[Suggestion]:
    wanted = typed.upper().removeprefix("#").removeprefix("INC-")
    others = Incident.objects.visible_to(asking.actor).open().exclude(pk=asking.incident.pk).order_by("-number")
    fits = Q(number=int(wanted)) if wanted.isdecimal() and len(wanted) < 10 else Q(name__icontains=wanted)
    return [Suggestion(f"#{row.number}", row.reference, row.name) for row in others.filter(fits)[:MOST_SUGGESTED]]


def _actions(asking: Asking) -> list[IncidentAction]:
    return list(asking.incident.actions.filter(done_at=None).order_by("id"))


def _action(asking: Asking, token: Token) -> IncidentAction:
    """An open action by its place in the list, counted from 1, or by words that its title holds."""
    there = _actions(asking)
    if token.text.isdecimal() and 0 < int(token.text) <= len(there):
        return there[int(token.text) - 1]
    found = [row for row in there if token.text.lower() in row.title.lower()]
    if len(found) == 1:
        return found[0]
    if not there:
        raise Invalid("There is nothing left to do.", field="text", remedy="Add something with /action.")
    listed = "; ".join(f"{place} {row.title}" for place, row in enumerate(there[:8], start=1))
    raise Invalid(f"“{token.text}” does not say which one.", field="text", remedy=f"Give its number: {listed}.")


def _suggest_actions(asking: Asking, typed: str) -> Sequence[Suggestion]:
    return [
        Suggestion(str(place), row.title, f"{row.assignee or ''}")
        for place, row in enumerate(_actions(asking), start=1)
        if typed.lower() in row.title.lower() or str(place).startswith(typed)
    ][:MOST_SUGGESTED]


def _entry(asking: Asking, token: Token) -> Any:
    found = asking.incident.timeline.filter(sequence=int(token.text)).first() if token.text.isdecimal() else None
    if found is None:
        raise Invalid(f"There is no entry “{token.text}”.", field="text", remedy="Give its number, such as #12.")
    return found


def _impact(asking: Asking, token: Token) -> str:
    """An impact by its name or its first word; empty for none."""
    typed = token.text.lower().replace("-", "_").replace(" ", "_")
    if typed in {"none", "ok", "operational", "off"}:
        return ""
    found = [value for value in IncidentService.Impact.values if value == typed or value.startswith(f"{typed}_")]
    if len(found) == 1:
        return str(found[0])
    raise unknown("impact", token.text, [*IncidentService.Impact.values, "none"])


def _suggest_impacts(asking: Asking, typed: str) -> Sequence[Suggestion]:
    choices = [*IncidentService.Impact.choices, ("none", "Not affected any more")]
    return [Suggestion(value, str(label)) for value, label in choices if typed.lower() in value]


def _length(asking: Asking, token: Token) -> timedelta | None:
    """A length of time; None for `off`."""
    if token.text.lower() == "off":
        return None
    found = LENGTH.fullmatch(token.text)
    if found is None or int(found[1]) < 1:
        raise Invalid(f"“{token.text}” is no length of time.", field="text", remedy="Say 15, 15m, 2h or off.")
    is_hours = (found[2] or "m").lower().startswith("h")
    return timedelta(hours=int(found[1])) if is_hours else timedelta(minutes=int(found[1]))


def _which(asking: Asking, token: Token) -> str:
    if token.text.lower() not in NAMES:
        raise unknown("time", token.text, list(NAMES))
    return token.text.lower()


def _zone_of(asking: Asking) -> tzinfo:
    """The zone in which whoever asks means a clock."""
    me = User.objects.filter(pk=asking.actor.person_id).first()
    return ZoneInfo(me.time_zone) if me else UTC


def _moment(asking: Asking, token: Token) -> datetime | None:
    """An instant, on a clock the last one that was; in the asker's zone unless it says which. None for `unknown`."""
    if token.text.lower() in {"unknown", "none"}:
        return None
    zone, clock = _zone_of(asking), CLOCK.fullmatch(token.text)
    try:
        if clock:
            here = asking.now.astimezone(zone)
            at = here.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
            return (at if at <= here else at - timedelta(days=1)).astimezone(UTC)
        at = datetime.fromisoformat(token.text)
    except ValueError as error:
        raise Invalid(
            f"“{token.text}” is no time.", field="text", remedy="Say 14:05, 2026-03-14T14:05 or unknown."
        ) from error
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def _severities(asking: Asking) -> Collection[Severity]:
    return Severity.objects.filter(is_active=True)


def _statuses(asking: Asking) -> Collection[IncidentStatus]:
    return IncidentStatus.objects.filter(is_active=True)


def _types(asking: Asking) -> Collection[IncidentType]:
    return IncidentType.objects.filter(is_active=True)


def _roles(asking: Asking) -> Collection[IncidentRole]:
    return offered_roles(asking.incident.incident_type)


def _services(asking: Asking) -> Collection[Service]:
    return Service.objects.order_by("tier", "name")


SEVERITY = one_of("severity", _severities, about="description")
STATUS = one_of("status", _statuses, about="description")
TYPE = one_of("type", _types, about="description")
ROLE = one_of("role", _roles, about="name")
SERVICE = one_of("service", _services)
PERSON = ArgumentKind("person", _person, suggest_people, is_person=True)
PERSON_OR_NOBODY = ArgumentKind("person", _person_or_nobody, suggest_people, is_person=True)
PAGED = ArgumentKind("service, policy, team or person", _paged, _suggest_paged)
FIELD = one_of("field", lambda asking: fields_of(asking.incident.incident_type))
INCIDENT = ArgumentKind("incident", _incident, _suggest_incidents)
ACTION = ArgumentKind("action", _action, _suggest_actions, takes_rest=True)
ENTRY = ArgumentKind("entry", _entry)
IMPACT = ArgumentKind("impact", _impact, _suggest_impacts)
LENGTH_OF_TIME = ArgumentKind("length of time", _length, lambda asking, typed: [])
WHICH_TIME = ArgumentKind(
    "time", _which, lambda asking, typed: [Suggestion(name, name) for name in NAMES if typed.lower() in name]
)
MOMENT = ArgumentKind("14:05", _moment)
CONFIRM = ArgumentKind(
    "--confirm",
    lambda asking, token: True,
    lambda asking, typed: [Suggestion("--confirm", "Confirm", "Do it, though it asks for a confirmation")],
    is_flag=True,
)
WORD = ArgumentKind("word", lambda asking, token: token.text)
TEXT = ArgumentKind("text", lambda asking, token: token.text, takes_rest=True)
