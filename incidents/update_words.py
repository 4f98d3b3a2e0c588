"""Words to start an update with: a template whose blanks are filled from the incident. The filling is pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from incidents.models import Incident, IncidentAction, IncidentService, UpdateTemplate

BLANKS = ("description", "impact", "done", "next", "eta", "cause")
_BLANK = re.compile(r"\{(\w+)\}")
# What is not known is marked so that nobody overlooks it: [impact?]
_MARKED = re.compile(r"\[(?:" + "|".join(BLANKS) + r")\?\]")


@dataclass(frozen=True)
class Start:
    """An update as a template begins it, and what is left to be typed."""

    moment: str
    locale: str
    text: str
    unknown: list[str]

    @property
    def label(self) -> str:
        """What the moment is called."""
        return str(UpdateTemplate.Moment(self.moment).label)


def filled(template: str, known: Mapping[str, str]) -> tuple[str, list[str]]:
    """The words with what is known, and the names of what is not: those are marked as `[name?]`."""
    unknown: list[str] = []

    def fill(blank: re.Match[str]) -> str:
        name = blank[1]
        if known.get(name):
            return known[name]
        if name not in unknown:
            unknown.append(name)
        return f"[{name}?]"

    return _BLANK.sub(fill, template), unknown


def blanks_left(text: str) -> list[str]:
    """The marks that nobody has typed over yet, such as `[eta?]`."""
    return list(dict.fromkeys(_MARKED.findall(text)))


def unknown_blanks(template: str) -> list[str]:
    """The blanks of a template that nothing can fill."""
    return sorted({name for name in _BLANK.findall(template) if name not in BLANKS})


def known_of(incident: Incident) -> dict[str, str]:
    """What an incident knows of the blanks: done and next are its actions, the first by when they were done."""
    actions = list(IncidentAction.objects.filter(incident=incident).order_by("done_at", "id"))
    since = incident.last_update_at
    done = [row.title for row in actions if row.done_at and (since is None or row.done_at > since)]
    services = IncidentService.objects.filter(incident=incident).values_list("service__name", flat=True)
    return {
        "description": incident.name,
        "impact": incident.impact or ", ".join(services),
        "done": "; ".join(done),
        "next": "; ".join(row.title for row in actions if row.done_at is None),
        "cause": incident.root_cause,
    }


def starts_for(incident: Incident, locale: str) -> list[Start]:
    """The templates in that language (English where there are none), filled for the incident."""
    templates = list(UpdateTemplate.objects.filter(locale__in=[locale, "en"]))
    chosen = [row for row in templates if row.locale == locale] or templates
    known = known_of(incident)
    chosen.sort(key=lambda row: UpdateTemplate.Moment.values.index(row.moment))
    return [Start(row.moment, row.locale, *filled(row.text, known)) for row in chosen]
