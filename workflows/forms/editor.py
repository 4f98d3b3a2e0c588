"""The form of a workflow: what stands in it, and the definition that it says.

How steps lie within each other is told by the order of the hidden fields `layout`, so that moving one on the page moves
it in the definition: `step:<key>`, then for each block in it `open:<name>`, its steps, `close`, then `done`. A step
that is folded is one hidden field of JSON; one that is open has fields of its own. Nothing is refused here:
`workflows.definition` judges.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.forms import zone_choices
from workflows.actions import LONGEST_FOLDER, LONGEST_NAME, LONGEST_NOTE
from workflows.definition import BLOCKS, MOST_STEPS, Problem
from workflows.facts import condition_words
from workflows.forms.params import ConditionsPart, Field, Offers, fields_of, read_param
from workflows.models import Workflow
from workflows.registry import Step, step_called
from workflows.triggers import HAPPENINGS
from workflows.words import words_of

BLOCK_LABELS = {"then": _("Then"), "otherwise": _("Otherwise"), "steps": _("For each")}
ON_ERROR = [("stop", _("The run ends as failed")), ("continue", _("Go on with the next step"))]
KEY_BYTES = 4
ABOUT = {
    "incident": _("Incidents"),
    "alert": _("Alerts"),
    "escalation": _("Paging"),
    "postmortem": _("Postmortems"),
    "action_item": _("Action items"),
    "window": _("Maintenance"),
    "schedule": _("Schedules"),
    "public_incident": _("Status pages"),
}


class WorkflowForm(forms.Form):
    """What is said of a workflow beside what it does."""

    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME)
    description = forms.CharField(label=_("What it is for"), required=False, widget=forms.Textarea({"rows": 2}))
    folder = forms.CharField(
        label=_("Folder"),
        max_length=LONGEST_FOLDER,
        required=False,
        widget=forms.TextInput({"list": "folders", "autocomplete": "off"}),
    )
    is_enabled = forms.BooleanField(label=_("Switched on"), required=False)
    sees_private = forms.BooleanField(
        label=_("Runs for private incidents too"),
        required=False,
        help_text=_("What it tells others then tells of them. Only administrators may allow it."),
    )
    in_tests = forms.BooleanField(label=_("Runs for tests and game days too"), required=False)
    note = forms.CharField(
        label=_("What did you change?"),
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "placeholder": _("What did you change?")}),
    )
    based_on = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, may_private: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sees_private"].disabled = not may_private

    @staticmethod
    def initial_of(workflow: Workflow) -> dict[str, Any]:
        """What stands in the form of a stored workflow."""
        names = ("name", "description", "folder", "is_enabled", "sees_private", "in_tests")
        return {**{name: getattr(workflow, name) for name in names}, "based_on": workflow.version}

    def fields_to_save(self) -> dict[str, Any]:
        """What `save_workflow` takes of it beside the definition."""
        return {name: self.cleaned_data[name] for name in self.fields}


@dataclass
class Block:
    """The steps of a workflow, or those within a step."""

    name: str
    label: Any
    steps: list["Node"]


@dataclass
class Node:
    """A step as the page shows it. `key` tells its fields from those of others, `path` where it stands."""

    key: str
    path: str
    step: Mapping[str, Any]
    known: Step | None
    words: str
    blocks: list[Block] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    doubts: list[Problem] = field(default_factory=list)
    fields: list[Field | ConditionsPart] = field(default_factory=list)
    own_conditions: ConditionsPart | None = None
    is_open: bool = False

    @property
    def prefix(self) -> str:
        return f"s-{self.key}"

    @property
    def json(self) -> str:
        """The step without those within it, as its folded row carries it."""
        return json.dumps({name: value for name, value in self.step.items() if name not in ALL_BLOCKS})

    @property
    def on_error(self) -> list[tuple[str, Any, bool]]:
        """What can be done when it fails: value, words, whether it is chosen."""
        chosen = self.step.get("on_error", "stop")
        return [(value, words, value == chosen) for value, words in ON_ERROR]

    @property
    def condition(self) -> str:
        """Its own conditions in words; "" for none."""
        return condition_words(self.step["conditions"]) if self.step.get("conditions") else ""

    @property
    def other_problems(self) -> list[Problem]:
        """What is wrong with the step beside its parameters."""
        shown = {f"{self.path}.{made.place}" for made in self.fields if isinstance(made, Field)}
        shown |= {f"{self.path}.conditions", f"{self.path}.params"}
        shown |= {f"{self.path}.params.{param.name}" for param in (self.known.params if self.known else ())}
        return [each for each in self.problems if each.place not in shown]

    def errors_of(self, place: str) -> list[str]:
        """What is wrong with the shape of what stands at a place within the step."""
        return [each.message for each in self.problems if each.place == f"{self.path}.{place}" and each.kind == "shape"]

    def notices_of(self, place: str) -> list[Problem]:
        """What is to be said of the facts that a place within the step asks for."""
        return facts_at(f"{self.path}.{place}", [*self.problems, *self.doubts])


ALL_BLOCKS = {name for names in BLOCKS.values() for name in names}


def facts_at(place: str, found: list[Problem]) -> list[Problem]:
    """What is to be said of the facts that are asked for at a place."""
    return [each for each in found if each.place == place and each.kind != "shape"]


def new_key() -> str:
    """What tells a step's fields from those of others on the page."""
    return secrets.token_hex(KEY_BYTES)


# --- From the definition to the page ----------------------------------------------------------------------------------


class Page:
    """A definition with all that the editor shows of it: its problems where they are, the steps that are open."""

    def __init__(
        self,
        definition: Mapping[str, Any],
        problems: list[Problem],
        *,
        keys: Mapping[str, str] | None = None,
        opened: frozenset[str] = frozenset(),
        doubts: list[Problem] | None = None,
    ) -> None:
        self.definition, self.problems, self.offers = definition, problems, Offers()
        self.doubts = doubts or []
        self._keys, self._opened = keys or {}, opened
        self.steps = self._block(definition.get("steps"), "steps")
        trigger = definition.get("trigger")
        self.trigger: Mapping[str, Any] = trigger if isinstance(trigger, Mapping) else {}
        self.conditions = ConditionsPart("conditions", definition.get("conditions") or {})
        of_conditions = [each for each in problems if each.place.startswith("conditions")]
        self.conditions.errors = [each.message for each in of_conditions if each.kind == "shape"]
        self.conditions.notices = facts_at("conditions", [*problems, *self.doubts])

    def _block(self, block: Any, path: str) -> list[Node]:
        steps = enumerate(block if isinstance(block, list) else [])
        return [self._node(step, f"{path}.{index}") for index, step in steps if isinstance(step, Mapping)]

    def _node(self, step: Mapping[str, Any], path: str) -> Node:
        key = self._keys.get(path) or new_key()
        blocks = [
            Block(name, BLOCK_LABELS[name], self._block(step.get(name), f"{path}.{name}"))
            for name in BLOCKS.get(str(step.get("kind")), ())
        ]
        node = Node(key, path, step, step_called(str(step.get("kind"))), words_of(step), blocks)
        node.problems = [each for each in self.problems if _is_of_step(each.place, path)]
        node.doubts = [each for each in self.doubts if _is_of_step(each.place, path)]
        if key in self._opened:
            open_node(node, self.offers)
        return node

    @property
    def trigger_problems(self) -> list[Problem]:
        """What is wrong with what starts it, and with the whole."""
        return [each for each in self.problems if not each.place.startswith(("steps.", "conditions"))]

    @property
    def events(self) -> list[tuple[Any, list[tuple[str, Any]]]]:
        """The events that can start it, by what they are about: name and words."""
        known = HAPPENINGS.values()
        return [
            (words, [(each.name, each.label) for each in known if each.about == about])
            for about, words in ABOUT.items()
        ]

    @property
    def events_shown(self) -> list[str]:
        """What stands in the menus of events: those that are chosen, or an empty one."""
        return list(self.trigger.get("events") or []) or [""]

    @property
    def placed_problems(self) -> list[tuple[Problem, str]]:
        """Each problem, then each doubt, with the key of the step at which it is."""
        return [(each, self.key_at(each.place)) for each in (*self.problems, *self.doubts)]

    def notices(self) -> Iterator[tuple[str, list[Problem]]]:
        """What is to be said of facts beside each field that is shown: the field's name, and what."""
        yield self.conditions.prefix, self.conditions.notices
        for node in self.nodes():
            for made in (*node.fields, *([node.own_conditions] if node.own_conditions else [])):
                if not isinstance(made, Field) or made.is_filled:
                    yield (made.name if isinstance(made, Field) else made.prefix), made.notices

    @property
    def zones(self) -> list[tuple[str, str, bool]]:
        chosen = self.trigger.get("time_zone", "UTC")
        return [(value, words, value == chosen) for value, words in zone_choices()]

    def nodes(self) -> Iterator[Node]:
        """Each step, those within it right after it."""
        return _all_nodes(self.steps)

    def key_at(self, place: str) -> str:
        """The key of the innermost step at a place; "" for none."""
        found = [node for node in self.nodes() if _is_within(place, node.path)]
        return max(found, key=lambda node: len(node.path)).key if found else ""


def _all_nodes(steps: list[Node]) -> Iterator[Node]:
    for node in steps:
        yield node
        for block in node.blocks:
            yield from _all_nodes(block.steps)


def _is_within(place: str, path: str) -> bool:
    return place == path or place.startswith(f"{path}.")


def _is_of_step(place: str, path: str) -> bool:
    """Whether a place is the step's own, and not that of a step within it."""
    rest = place.removeprefix(path).removeprefix(".").split(".")
    within = len(rest) > 1 and rest[0] in ALL_BLOCKS
    return _is_within(place, path) and not within


def open_node(node: Node, offers: Offers) -> None:
    """Gives a step its fields."""
    params = node.step.get("params")
    given = params if isinstance(params, Mapping) else {}
    node.is_open = True
    for param in node.known.params if node.known else ():
        node.fields += fields_of(param, node.prefix, given.get(param.name), offers)
        for made in node.fields:
            if isinstance(made, ConditionsPart) and made.prefix == f"{node.prefix}-p-{param.name}":
                made.errors = node.errors_of(f"params.{param.name}")
                made.notices = node.notices_of(f"params.{param.name}")
    for made in node.fields:
        if isinstance(made, Field):
            made.errors, made.notices = node.errors_of(made.place), node.notices_of(made.place)
            if made.place.startswith("params.") and made.place.endswith(".persons"):
                made.errors += node.errors_of(made.place.removesuffix(".persons"))
    node.own_conditions = ConditionsPart(f"{node.prefix}-c", node.step.get("conditions") or {})
    node.own_conditions.errors, node.own_conditions.notices = (
        node.errors_of("conditions"),
        node.notices_of("conditions"),
    )


# --- From the page to the definition ----------------------------------------------------------------------------------


@dataclass
class Read:
    """What the form says: the definition, the key of each step by its path, and the keys of those that are open."""

    definition: dict[str, Any]
    keys: dict[str, str]
    opened: frozenset[str]


class _Reader:
    def __init__(self, data: QueryDict) -> None:
        self.data = data
        self.tokens = iter(data.getlist("layout")[: MOST_STEPS * 12])
        self.keys: dict[str, str] = {}

    def block(self, path: str, end: str) -> list[dict[str, Any]]:
        steps: list[dict[str, Any]] = []
        for token in self.tokens:
            if token == end:
                break
            word, _colon, key = token.partition(":")
            if word == "step":
                steps.append(self.step(key, f"{path}.{len(steps)}"))
        return steps

    def step(self, key: str, path: str) -> dict[str, Any]:
        self.keys[path] = key
        step = read_step(self.data, key)
        for token in self.tokens:
            word, _colon, name = token.partition(":")
            if word == "open" and name in ALL_BLOCKS:
                step[name] = self.block(f"{path}.{name}", "close")
            elif word == "done":
                break
        return step


def read(data: QueryDict) -> Read:
    """The definition that a form says."""
    reader = _Reader(data)
    steps = reader.block("steps", "")
    definition: dict[str, Any] = {"trigger": _read_trigger(data), "steps": steps}
    conditions = ConditionsPart.read("conditions", data)
    if conditions:
        definition["conditions"] = conditions
    if data.get("once") == "subject":
        definition["once"] = "subject"
    opened = frozenset(key for key in reader.keys.values() if data.get(f"s-{key}-open"))
    return Read(definition, reader.keys, opened)


def _read_trigger(data: QueryDict) -> dict[str, Any]:
    kind = data.get("trigger-kind", "")
    trigger: dict[str, Any] = {"kind": kind}
    if kind == Workflow.TriggerKind.EVENT:
        trigger["events"] = list(dict.fromkeys(name for name in data.getlist("trigger-events") if name))
        delay = data.get("trigger-delay", "").strip()
        if delay and delay != "0":
            trigger["delay_minutes"] = int(delay) if delay.isdecimal() else delay
    if kind == Workflow.TriggerKind.TIME:
        trigger |= {"cron": data.get("trigger-cron", "").strip(), "time_zone": data.get("trigger-zone", "UTC")}
    return trigger


def read_step(data: QueryDict, key: str) -> dict[str, Any]:
    """One step without those within it: from its own fields where it is open, else as its row carries it."""
    prefix = f"s-{key}"
    try:
        stored = json.loads(data.get(f"{prefix}-json", "{}"))
    except ValueError:
        stored = {}
    step: dict[str, Any] = stored if isinstance(stored, dict) else {}
    if not data.get(f"{prefix}-open"):
        return step
    known = step_called(str(step.get("kind")))
    given = step.get("params")
    params = dict(given) if isinstance(given, Mapping) else {}
    for param in known.params if known else ():
        value = read_param(param, prefix, data, params.get(param.name))
        if value is None or value == {} or (value == param.default and param.name not in params):
            params.pop(param.name, None)
        else:
            params[param.name] = value
    told = {
        "id": data.get(f"{prefix}-id", "").strip() or step.get("id", ""),
        "name": data.get(f"{prefix}-name", "").strip(),
        "conditions": ConditionsPart.read(f"{prefix}-c", data),
        "params": params,
        "on_error": data.get(f"{prefix}-on_error", "stop"),
        "timeout_minutes": _whole(data.get(f"{prefix}-timeout", "").strip()),
    }
    needless: dict[str, Any] = {"name": "", "conditions": {}, "on_error": "stop", "timeout_minutes": None}
    said = {name: value for name, value in told.items() if name not in needless or value != needless[name]}
    return {**{name: value for name, value in step.items() if name not in told}, **said}


def _whole(text: str) -> Any:
    if not text:
        return None
    return int(text) if text.isdecimal() else text
