"""The fields of a step, made of its typed parameters: how each looks, and how what was typed becomes a value.

Nothing is refused here: what makes no sense stays as it was typed, and `workflows.definition` says what is wrong.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.forms import ManySelects, active_people
from accounts.models import Team
from catalog.models import Service
from events.condition_forms import ConditionForm, condition_rows
from incidents.models import CustomField, IncidentRole, IncidentStatus, IncidentType, Severity
from oncall.models import EscalationPolicy, Schedule
from statuspage.models import StatusPage
from workflows.definition import PEOPLE, Problem
from workflows.models import Workflow
from workflows.registry import LONG, Param

Choices = list[tuple[str, str]]
MOST_PEOPLE = 1_000
ConditionRows = forms.formset_factory(ConditionForm, extra=0, max_num=20)
PEOPLE_LABELS = {
    "persons": _("People"),
    "teams": _("Teams"),
    "roles": _("Whoever has the role"),
    "schedules": _("Whoever is on call on"),
    "addresses": _("Mail addresses"),
}
PEOPLE_KINDS = {"persons": "person", "teams": "team", "roles": "role", "schedules": "schedule"}


class Offers:
    """What can be chosen for a parameter, by its kind; each is asked of the database once, and only when needed."""

    def __init__(self) -> None:
        self._known: dict[str, Choices] = {}

    def of(self, kind: str) -> Choices:
        """The values of a kind with their words; nothing for one that is not chosen from a list."""
        if kind not in self._known and kind in SOURCES:
            self._known[kind] = SOURCES[kind]()
        return self._known.get(kind, [])

    @cached_property
    def lists(self) -> dict[str, Choices]:
        """All of them, for a page that offers them beside fields of text."""
        return {kind: self.of(kind) for kind in SOURCES}


def _slugs(rows: Any) -> Choices:
    return [(row.slug, str(row)) for row in rows]


SOURCES: dict[str, Callable[[], Choices]] = {
    "severity": lambda: _slugs(Severity.objects.filter(is_active=True)),
    "status": lambda: _slugs(IncidentStatus.objects.filter(is_active=True)),
    "type": lambda: _slugs(IncidentType.objects.filter(is_active=True)),
    "role": lambda: _slugs(IncidentRole.objects.filter(is_active=True)),
    "field": lambda: _slugs(CustomField.objects.filter(is_active=True)),
    "service": lambda: _slugs(Service.objects.order_by("name")),
    "team": lambda: _slugs(Team.objects.all()),
    "policy": lambda: _slugs(EscalationPolicy.objects.order_by("name")),
    "schedule": lambda: _slugs(Schedule.objects.order_by("name")),
    "status_page": lambda: _slugs(StatusPage.objects.order_by("name")),
    "workflow": lambda: _slugs(Workflow.objects.order_by("name")),
    "person": lambda: [(person.email, person.display_name) for person in active_people()[:MOST_PEOPLE]],
}


@dataclass
class Field:
    """One field as the page shows it. `place` is where its value stands within the step."""

    name: str
    place: str
    label: Any
    help: Any
    control: SafeString
    required: bool = False
    is_check: bool = False
    is_group: bool = False
    is_filled: bool = False
    is_half: bool = False
    errors: list[str] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)

    @property
    def auto_id(self) -> str:
        return f"id_{self.name}"


class ConditionsPart:
    """Conditions as rows, or as JSON where they are too deep for rows; for a workflow, a step, or a parameter."""

    def __init__(self, prefix: str, conditions: Any) -> None:
        self.prefix = prefix
        given = conditions if isinstance(conditions, dict) else {}
        shown = _rows_of(given)
        self.combine = shown[0] if shown else "all"
        self.rows = ConditionRows(initial=shown[1] if shown else [], prefix=prefix)
        self.text = "" if shown is not None and isinstance(conditions, dict) else _as_text(conditions)
        self.errors: list[str] = []
        self.notices: list[Problem] = []

    @staticmethod
    def read(prefix: str, data: QueryDict) -> Any:
        """The conditions that were filled in; text that is no JSON as it is."""
        text = data.get(f"{prefix}-json", "").strip()
        if text:
            return _parsed(text)
        total = data.get(f"{prefix}-TOTAL_FORMS", "0")
        rows = [
            ConditionForm(data, prefix=f"{prefix}-{index}")
            for index in range(min(int(total), 100) if total.isdecimal() else 0)
        ]
        found = [row.condition() for row in rows if row.is_valid()]
        kept = [_typed(each) for each in found if each is not None]
        return {"any" if data.get(f"{prefix}-combine") == "any" else "all": kept} if kept else {}


def _typed(condition: dict[str, Any]) -> dict[str, Any]:
    """The comparison with true, false and whole numbers as such, so that saving what is shown changes nothing."""
    value = condition.get("value")
    if condition["operator"] == "matches" or "value" not in condition:
        return condition
    typed = [_plain(each) for each in value] if isinstance(value, list) else _plain(value)
    return {**condition, "value": typed}


def _plain(text: Any) -> Any:
    if text in {"true", "false"}:
        return text == "true"
    return int(text) if str(text).isascii() and str(text).isdecimal() and str(int(text)) == text else text


def _rows_of(conditions: dict[str, Any]) -> tuple[str, list[dict[str, str]]] | None:
    try:
        return condition_rows(conditions)
    except (KeyError, TypeError, AttributeError):
        return None


def _as_text(value: Any) -> str:
    if value is None or value == "":
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _parsed(text: str) -> Any:
    """JSON as what it says, other text as it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _number(text: str) -> Any:
    """A number as one, other text (a template, or what is wrong) as it is."""
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def read_param(param: Param, prefix: str, data: QueryDict, stored: Any) -> Any:
    """What was filled in for a parameter; None for nothing. `stored` is kept where it can't be shown: a secret."""
    name = f"{prefix}-p-{param.name}"
    if param.kind == "boolean":
        return data.get(name) == "true"
    if param.kind in READERS:
        return READERS[param.kind](name, data)
    text = data.get(name, "").replace("\r\n", "\n").strip()
    if param.kind == "secret":
        return text or stored
    return FROM_TEXT.get(param.kind, str)(text) if text else None


def _read_people(name: str, data: QueryDict) -> dict[str, list[str]]:
    found = {key: [each for each in data.getlist(f"{name}-{key}") if each] for key in PEOPLE if key != "addresses"}
    typed = data.get(f"{name}-addresses", "").replace("\n", ",").split(",")
    found["addresses"] = [each.strip() for each in typed if each.strip()]
    return {key: values for key, values in found.items() if values}


READERS: dict[str, Callable[[str, QueryDict], Any]] = {"conditions": ConditionsPart.read, "people": _read_people}
FROM_TEXT: dict[str, Callable[[str], Any]] = {"number": _number, "minutes": _number, "json": _parsed}


def fields_of(param: Param, prefix: str, value: Any, offers: Offers) -> list[Field | ConditionsPart]:
    """The fields of one parameter with what stands in it; people have one for each way of naming them."""
    name, place = f"{prefix}-p-{param.name}", f"params.{param.name}"
    if param.kind == "conditions":
        return [ConditionsPart(name, value)]
    if param.kind == "people":
        return list(_people_fields(name, place, value, offers))
    made = Field(
        name, place, param.label, param.help, SafeString(""), required=param.required and param.default is None
    )
    made.is_check = param.kind == "boolean"
    made.is_filled = param.is_template
    made.control = _widget(param, offers).render(name, _shown(param, value), _attributes(param, made))
    return [made]


def _attributes(param: Param, made: Field) -> dict[str, Any]:
    attributes: dict[str, Any] = {"id": made.auto_id}
    if param.help:
        attributes["aria-describedby"] = f"{made.auto_id}_helptext"
    if param.is_template:
        attributes |= {"data-template": "true", "autocomplete": "off", "spellcheck": "false"}
        if param.kind in SOURCES:
            attributes["list"] = f"offer-{param.kind}"
    if param.kind == "boolean":
        attributes["value"] = "true"
    return attributes


def _widget(param: Param, offers: Offers) -> forms.Widget:
    """How a parameter is filled in: a menu where it has to be one of a list, else text."""
    if param.kind == "boolean":
        return forms.CheckboxInput()
    if param.kind in LONG:
        return forms.Textarea({"rows": 3, **({"class": "mono"} if param.kind == "json" else {})})
    if param.kind == "choice" or (param.kind in SOURCES and not param.is_template):
        choices = param.choices if param.kind == "choice" else offers.of(param.kind)
        blank = [] if param.kind == "choice" and param.default is not None else [("", "–")]
        return forms.Select(choices=[*blank, *choices])
    if param.kind == "secret":
        return forms.PasswordInput({"autocomplete": "new-password"})
    if param.kind in {"number", "minutes"} and not param.is_template:
        return forms.NumberInput({"min": 0, "step": "any"})
    return forms.TextInput()


def _shown(param: Param, value: Any) -> Any:
    if value is None:
        value = param.default
    if param.kind == "boolean":
        return bool(value)
    if param.kind == "secret":
        return ""
    return _as_text(value)


class _Menus(ManySelects):
    """A menu for each that is chosen, or an empty one; the editor's script adds more."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["menus"] = [str(each) for each in value or []] or [""]
        return context


def _people_fields(name: str, place: str, value: Any, offers: Offers) -> list[Field]:
    given = value if isinstance(value, Mapping) else {}
    made = []
    for key in PEOPLE:
        chosen = [str(each) for each in given.get(key) or []]
        one = Field(f"{name}-{key}", f"{place}.{key}", PEOPLE_LABELS[key], "", SafeString(""), is_half=True)
        if key == "addresses":
            widget: forms.Widget = forms.TextInput({"placeholder": "ops@example.com, …", "autocomplete": "off"})
            one.control = widget.render(one.name, ", ".join(chosen), {"id": one.auto_id})
        else:
            known = offers.of(PEOPLE_KINDS[key])
            gone = [(each, each) for each in chosen if each not in dict(known)]
            one.is_group = True
            menus = _Menus()
            menus.choices = [*known, *gone]
            one.control = menus.render(one.name, chosen, {"id": one.auto_id})
        made.append(one)
    return made
