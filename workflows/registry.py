"""What a workflow can do: the steps, each with typed parameters from which forms, words and API are made.

A step is one module of `workflows/steps/` (or of an integration) that registers a subclass of `Step` with `@step`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeVar, get_args

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.actor import Actor
from incidents.models import Incident

ParamKind = Literal[
    "text",
    "long_text",
    "number",
    "minutes",
    "boolean",
    "choice",
    "url",
    "json",
    "conditions",
    "secret",
    "severity",
    "status",
    "type",
    "role",
    "field",
    "service",
    "team",
    "person",
    "people",
    "policy",
    "schedule",
    "status_page",
    "workflow",
]
KINDS: tuple[str, ...] = get_args(ParamKind)
# Text that may be any length; what else is typed is one line.
LONG = ("long_text", "json")


class Skip(Exception):
    """The step has nothing to do here, or nothing to do it with; the message says why. The run goes on."""


class Retry(Exception):
    """It did not work this time; the message says why. The engine tries again, later and later."""


class Failed(Exception):
    """It will not work, however often it is tried; the message says why."""


class Group(models.TextChoices):
    """Under which heading the picker shows a step."""

    PEOPLE = "people", _("Page and tell people")
    INCIDENT = "incident", _("Change the incident")
    WORK = "work", _("Work and follow-up")
    PUBLIC = "public", _("Status page")
    OUTSIDE = "outside", _("Chat, tickets, other systems")
    FLOW = "flow", _("Flow")


@dataclass(frozen=True)
class Param:
    """One parameter of a step.

    How a value is stored, by kind: `text`, `long_text`, `url` text; `number`, `minutes` a number; `boolean` true or
    false; `choice` one of `choices`; `json` any JSON; `conditions` the condition language; `secret` text, which is
    encrypted once it is saved. `severity`, `status`, `type`, `role`, `field`, `service`, `team`, `policy`, `schedule`,
    `status_page` and `workflow` are slugs, `person` an e-mail address. `people` is an object of lists:
    {"persons": [e-mail, …], "teams": [slug, …], "roles": [slug, …], "schedules": [slug, …], "addresses": [e-mail, …]}.

    Where `is_template`, text is Liquid over the run's facts, and a text may stand for a number, minutes or a slug.
    """

    name: str
    kind: ParamKind
    label: Any
    help: Any = ""
    required: bool = False
    default: Any = None
    choices: tuple[tuple[str, Any], ...] = ()
    is_template: bool = False


@dataclass(frozen=True)
class Context:
    """What a step is given: who acts, when, for which incident, the facts, and the key of what it does outside."""

    actor: Actor
    now: datetime
    facts: Mapping[str, Any]
    incident: Incident | None = None
    run_id: int = 0
    step_id: int = 0
    key: str = ""
    chain: tuple[int, ...] = ()

    def require_incident(self) -> Incident:
        """The incident; raises Skip where the run is about none."""
        if self.incident is None:
            raise Skip("There is no incident here.")
        return self.incident


@dataclass(frozen=True)
class Outcome:
    """What came of a step: in words, and as plain values that later steps can ask for (`steps.<id>.<name>`)."""

    detail: str
    output: Mapping[str, Any] = field(default_factory=dict)


class Step:
    """One kind of step. It holds no state: the same object serves every run.

    `is_outside` says that its effect is not in the database: it is then done at least once, each time with the same
    `Context.key`, and outside of any transaction. All others are done exactly once, in the transaction that says so.
    `outputs` are the names of what it returns.
    """

    kind: ClassVar[str]
    label: ClassVar[Any]
    icon: ClassVar[str]
    group: ClassVar[Group]
    params: ClassVar[tuple[Param, ...]] = ()
    outputs: ClassVar[tuple[str, ...]] = ()
    is_outside: ClassVar[bool] = False
    needs_incident: ClassVar[bool] = True

    def words(self, params: Mapping[str, Any]) -> str:
        """What it does, as a sentence without its full stop: "Page whoever is on call for payments"."""
        raise NotImplementedError

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        """What it would do now, in words. Writes nothing. Raises Skip, Failed, or what its action would refuse."""
        if self.needs_incident:
            context.require_incident()
        return self.words(params)

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        """Does it. `params` are checked, filled in, and complete. Raises Skip, Retry, Failed or an error of events."""
        raise NotImplementedError


_steps: dict[str, Step] = {}
S = TypeVar("S", bound=type[Step])


def step(cls: S) -> S:
    """Registers a kind of step."""
    if cls.kind in _steps and type(_steps[cls.kind]).__qualname__ != cls.__qualname__:
        raise ValueError(f"Two steps are called {cls.kind!r}.")
    _steps[cls.kind] = cls()
    return cls


def steps() -> list[Step]:
    """Every kind of step, by group and label."""
    order = list(Group)
    return sorted(_steps.values(), key=lambda each: (order.index(each.group), str(each.label)))


def step_called(kind: str) -> Step | None:
    """The step of that kind; None if nothing here knows it."""
    return _steps.get(kind)


# What another app or an integration does for a step: from the context and the parameters to what came of it.
Doing = Callable[[Context, Mapping[str, Any]], Outcome]
_integrations: dict[str, Doing] = {}


def does(kind: str) -> Callable[[Doing], Doing]:
    """Registers what an integration does for the step of that kind (`create_channel`, `create_ticket`, …)."""

    def register(doing: Doing) -> Doing:
        _integrations[kind] = doing
        return doing

    return register


def integration_for(kind: str, missing: str) -> Doing:
    """What does the step; raises Skip with `missing` where no integration is there for it."""
    if kind not in _integrations:
        raise Skip(missing)
    return _integrations[kind]


# --- Words -----------------------------------------------------------------------------------------------------------

PEOPLE_WORDS = {
    "persons": "{}",
    "teams": "the team {}",
    "roles": "whoever is {}",
    "schedules": "whoever is on call on {}",
    "addresses": "{}",
}


def people_in_words(people: Any) -> str:
    """People as a phrase: "the team leadership, whoever is lead and ann@example.com"."""
    given = people if isinstance(people, Mapping) else {}
    parts = [words.format(name) for key, words in PEOPLE_WORDS.items() for name in given.get(key) or []]
    return listed(parts) or "nobody"


def listed(parts: list[str]) -> str:
    """Several things as one phrase: "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def minutes_in_words(minutes: Any) -> str:
    """A stretch of time as people say it; a template as it stands."""
    try:
        count = float(minutes)
    except (TypeError, ValueError):
        return f"{minutes} minutes"
    if count >= 60 and count % 60 == 0:
        return ngettext("%d hour", "%d hours", int(count // 60)) % (count // 60)
    return ngettext("%d minute", "%d minutes", int(count)) % count if count == int(count) else f"{count} minutes"


def short(text: Any, length: int = 60) -> str:
    """The beginning of a longer text, on one line."""
    line = " ".join(str(text or "").split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
