"""Custom fields: which a type has, what a value must be, and the action that sets them."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.db.models import Q

from accounts.actor import Actor
from accounts.models import Team, User
from catalog.models import Service
from events.actions import publish
from events.errors import Conflict, Invalid
from incidents.models import CustomField, Incident, IncidentType, TimelineEntry
from incidents.timeline import add_entry
from incidents.writing import locked

Kind = CustomField.Kind
RequiredAt = CustomField.RequiredAt
LONGEST_VALUE = 2_000
MOST_CHOSEN = 50
# A whole number that a JSON reader keeps as it is (RFC 8259, section 6).
LARGEST_NUMBER = 2**53
EMPTY: tuple[Any, ...] = (None, "", [], ())
_is_link = URLValidator(schemes=["http", "https"])


# --- What a value must be ---------------------------------------------------------------------------------------------


def name_in_forms(slug: str) -> str:
    """What a field is called in forms and in errors."""
    return f"fields.{slug}"


def _wrong(field: CustomField, message: str, remedy: str) -> Invalid:
    return Invalid(f"{field.name}: {message}", field=name_in_forms(field.slug), remedy=remedy)


def _text(field: CustomField, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _wrong(field, "this is not a text.", "Write words.")
    text = str(value).strip()
    if len(text) > LONGEST_VALUE:
        raise _wrong(field, f"the text is longer than {LONGEST_VALUE} characters.", "Shorten it.")
    return text


def _number(field: CustomField, value: Any) -> int | float:
    try:
        number = Decimal("NaN") if isinstance(value, bool) else Decimal(str(value).strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) > LARGEST_NUMBER:
        raise _wrong(field, f"“{value}” is not a number.", "Write a number such as 12 or 3.5.")
    return int(number) if number == number.to_integral_value() else float(number)


def _option(field: CustomField, value: Any) -> str:
    if value not in field.options:
        remedy = f"Choose one of: {', '.join(map(str, field.options))}." if field.options else "It has no options yet."
        raise _wrong(field, f"“{value}” is not one of its options.", remedy)
    return str(value)


def _options(field: CustomField, value: Any) -> list[str]:
    if isinstance(value, str):
        value = [value] if value in field.options else [part.strip() for part in value.split(",") if part.strip()]
    chosen = value
    if not isinstance(chosen, list | tuple | set):
        raise _wrong(field, "this is not a list.", "Give a list of its options.")
    if len(chosen) > MOST_CHOSEN:
        raise _wrong(field, f"more than {MOST_CHOSEN} are chosen.", "Choose fewer.")
    return [option for option in map(str, field.options) if option in {_option(field, one) for one in chosen}]


def _link(field: CustomField, value: Any) -> str:
    text = _text(field, value)
    try:
        _is_link(text)
    except ValidationError:
        raise _wrong(field, f"“{text}” is not a link.", "Give a whole address that begins with https://.") from None
    return text


def _date(field: CustomField, value: Any) -> str:
    if isinstance(value, datetime):
        value = value.date()
    try:
        return (value if isinstance(value, date) else date.fromisoformat(str(value).strip())).isoformat()
    except ValueError:
        raise _wrong(field, f"“{value}” is not a date.", "Write it like 2026-03-14.") from None


def _service(field: CustomField, value: Any) -> str:
    slug = value.slug if isinstance(value, Service) else str(value).strip()
    if not Service.objects.filter(slug=slug).exists():
        raise _wrong(field, f"there is no service “{slug}”.", "Give the short name of a service of the catalog.")
    return slug


def _team(field: CustomField, value: Any) -> str:
    slug = value.slug if isinstance(value, Team) else str(value).strip()
    if not Team.objects.filter(slug=slug).exists():
        raise _wrong(field, f"there is no team “{slug}”.", "Give the short name of a team.")
    return slug


def _person(field: CustomField, value: Any) -> int:
    if isinstance(value, User):
        asked = Q(pk=value.pk)
    else:
        text = str(value).strip()
        asked = Q(pk=int(text)) if text.isdecimal() and len(text) < 10 else Q(email__iexact=text)
    found = User.objects.filter(asked, is_active=True).values_list("pk", flat=True).first()
    if found is None:
        raise _wrong(field, f"there is no active person “{value}”.", "Give the e-mail address or the id of somebody.")
    return found


CHECKS: dict[str, Callable[[CustomField, Any], Any]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.SELECT: _option,
    Kind.MULTI_SELECT: _options,
    Kind.LINK: _link,
    Kind.DATE: _date,
    Kind.SERVICE: _service,
    Kind.TEAM: _team,
    Kind.PERSON: _person,
}


def checked(field: CustomField, value: Any) -> Any:
    """The value as it is stored, None for nothing; raises Invalid that names the field and what it takes."""
    if isinstance(value, str):
        value = value.strip()
    if value in EMPTY:
        return None
    return CHECKS[field.kind](field, value)


# --- Which fields -----------------------------------------------------------------------------------------------------


def fields_of(incident_type: IncidentType) -> list[CustomField]:
    """The fields that incidents of this type have now, in their order."""
    of_type = Q(types=None) | Q(types=incident_type)
    return list(CustomField.objects.filter(of_type, is_active=True).distinct())


def checked_values(incident_type: IncidentType, values: Mapping[str, Any]) -> dict[str, Any]:
    """The given values as they are stored; raises Invalid for a slug that the type has no field for."""
    known = {field.slug: field for field in fields_of(incident_type)}
    for slug in values:
        if slug not in known:
            remedy = f"It has: {', '.join(known)}." if known else "It has no fields."
            message = f"Incidents of the type {incident_type.name} have no field “{slug}”."
            raise Invalid(message, field=name_in_forms(slug), remedy=remedy)
    return {slug: checked(known[slug], value) for slug, value in values.items()}


def missing_fields(incident: Incident, moments: Collection[str]) -> list[CustomField]:
    """The fields of the incident that are required at one of these moments and are empty."""
    asked = [field for field in fields_of(incident.incident_type) if field.required_at in moments]
    return [field for field in asked if incident.fields.get(field.slug) in EMPTY]


# What is required earlier is required later too: it may have been emptied, or machines may have declared it.
REQUIRED_BY: dict[str, tuple[str, ...]] = {
    RequiredAt.DECLARE: (RequiredAt.DECLARE,),
    RequiredAt.RESOLVE: (RequiredAt.DECLARE, RequiredAt.RESOLVE),
    RequiredAt.CLOSE: (RequiredAt.DECLARE, RequiredAt.RESOLVE, RequiredAt.CLOSE),
}


def check_required(actor: Actor, incident: Incident, moment: str) -> None:
    """Raises Conflict with the code `fields_missing` when a person declares, resolves or closes with a field empty.

    Machines (alert sources, workflows, Sitrep itself) can't answer and are not asked: an alert is never held back. Nor
    are streams: such facts are those of their parent.
    """
    if actor.sees_everything or incident.parent_id is not None:
        return
    missing = missing_fields(incident, REQUIRED_BY[moment])
    if missing:
        raise Conflict(
            f"Required when an incident is {PARTICIPLES[moment]}: {', '.join(field.name for field in missing)}.",
            code="fields_missing",
            field=name_in_forms(missing[0].slug),
            remedy="Fill it in first." if len(missing) == 1 else "Fill them in first.",
        )


PARTICIPLES: dict[str, str] = {
    RequiredAt.DECLARE: "declared",
    RequiredAt.RESOLVE: "resolved",
    RequiredAt.CLOSE: "closed",
}


# --- Setting ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def set_fields(
    *,
    actor: Actor,
    incident: Incident,
    values: Mapping[str, Any],
    now: datetime,
    was: Mapping[str, Any] | None = None,
) -> Incident:
    """Sets custom fields by slug, with an entry for each that changes and one event `incident.fields_changed`.

    None, an empty text or an empty list clears a field. `was` is what the editor saw: when one of these fields stands
    differently by now, nothing is changed and Conflict with the code `stale` says how it stands and who set it.
    Raises Invalid for a value that the field does not take.
    """
    incident = locked(actor, incident)
    changes = {
        slug: value
        for slug, value in checked_values(incident.incident_type, values).items()
        if value != incident.fields.get(slug)
    }
    if not changes:
        return incident
    if was is not None:
        _check_fresh(incident, {slug: was[slug] for slug in changes if slug in was})
    before = {slug: incident.fields.get(slug) for slug in changes}
    kept = {slug: value for slug, value in incident.fields.items() if slug not in changes}
    incident.fields = kept | {slug: value for slug, value in changes.items() if value is not None}
    incident.save(update_fields=["fields"])
    shown = {row.slug: row for row in show_values(changes)}
    old = {row.slug: row for row in show_values(before)}
    for slug, value in changes.items():
        add_entry(
            incident=incident,
            actor=actor,
            kind=TimelineEntry.Kind.FIELD,
            text=_told(shown[slug], old[slug]),
            now=now,
            data={"field": slug, "from": before[slug], "to": value},
        )
    data = {"fields": {slug: {"from": before[slug], "to": value} for slug, value in changes.items()}}
    publish("incident.fields_changed", subject=incident, actor=actor, data=data)
    return incident


def _told(new: "ShownField", old: "ShownField") -> str:
    if not new.words:
        return f"cleared {new.name} (was “{old.words}”)"
    return f"set {new.name}: {new.words}" + (f" (was “{old.words}”)" if old.words else "")


def _check_fresh(incident: Incident, was: Mapping[str, Any]) -> None:
    for slug, seen in was.items():
        stands = incident.fields.get(slug)
        if (None if seen in EMPTY else seen) == stands or (stands is not None and str(seen) == str(stands)):
            continue
        latest = incident.timeline.filter(kind=TimelineEntry.Kind.FIELD, data__field=slug).order_by("-sequence").first()
        by = f" by {latest.actor_name}" if latest else ""
        (row,) = show_values({slug: stands})
        raise Conflict(
            f"{row.name} was changed meanwhile{by}: it is “{row.words or '–'}” now.",
            code="stale",
            field=name_in_forms(slug),
            remedy="Look at it, and set it again if yours is right.",
        )


# --- Showing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShownField:
    """A field with its value in words. `is_current` is false where the field is gone, archived or of another type."""

    slug: str
    name: str
    kind: str
    value: Any
    words: str
    url: str = ""
    is_current: bool = True
    field: CustomField | None = None

    @property
    def input_name(self) -> str:
        return name_in_forms(self.slug)


def show_fields(incident: Incident) -> list[ShownField]:
    """What the page of an incident shows: the fields of its type, empty ones too, then what older fields have left."""
    current = fields_of(incident.incident_type)
    slugs = {field.slug for field in current}
    values = {field.slug: incident.fields.get(field.slug) for field in current}
    left = {slug: value for slug, value in incident.fields.items() if slug not in slugs}
    return _shown(current, values, is_current=True) + (show_values(left, is_current=False) if left else [])


def show_values(values: Mapping[str, Any], *, is_current: bool = True) -> list[ShownField]:
    """These values in words, whatever has become of their fields and options."""
    return _shown(list(CustomField.objects.filter(slug__in=values)), values, is_current=is_current)


def _shown(fields: Iterable[CustomField], values: Mapping[str, Any], *, is_current: bool) -> list[ShownField]:
    known = {field.slug: field for field in fields}
    kinds = {slug: field.kind for slug, field in known.items()}
    names = _names(kinds, values)
    rows = []
    for slug in [*known, *(slug for slug in values if slug not in known)]:
        value, kind = values.get(slug), kinds.get(slug, Kind.TEXT)
        words, url = names.get((kind, str(value)), ("", ""))
        if not words:
            words = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
        if kind == Kind.LINK:
            url = words
        found = known.get(slug)
        name = found.name if found else slug
        rows.append(ShownField(slug, name, kind, value, words, url, is_current and found is not None, found))
    return rows


def _names(kinds: Mapping[str, str], values: Mapping[str, Any]) -> dict[tuple[str, str], tuple[str, str]]:
    """What services, teams and people are called, and where they are: one query for each kind that is asked for."""

    def asked(kind: str) -> list[Any]:
        return [values[slug] for slug, its in kinds.items() if its == kind and values.get(slug) not in EMPTY]

    found: dict[tuple[str, str], tuple[str, str]] = {}
    if slugs := asked(Kind.SERVICE):
        for service in Service.objects.filter(slug__in=slugs):
            found[Kind.SERVICE, service.slug] = (service.name, f"/services/{service.slug}/")
    if slugs := asked(Kind.TEAM):
        for team in Team.objects.filter(slug__in=slugs):
            found[Kind.TEAM, team.slug] = (team.name, f"/teams/{team.slug}/")
    if ids := [value for value in asked(Kind.PERSON) if isinstance(value, int)]:
        for user in User.objects.filter(pk__in=ids):
            found[Kind.PERSON, str(user.pk)] = (user.display_name, f"/people/{user.pk}/")
    return found
