"""What a workflow's definition must be: each problem with its place, and the steps in it by their paths.

A place is a path into the definition: `trigger.cron`, `steps.0.params.text`, `steps.2.then.0.conditions`. The shape is
told at `workflows.models.Workflow`. A step may also have `on_error` ("stop", the default, or "continue") and
`timeout_minutes`, after which it is not tried again.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from accounts.secrets import seal
from events import conditions
from events.errors import Invalid
from events.templates import BadTemplate, check_template
from workflows.asking import unknown_facts
from workflows.clock import BadClock, next_time
from workflows.registry import Param, step_called
from workflows.triggers import HAPPENINGS

TRIGGER_KINDS = ("event", "time", "person", "webhook")
ONCE = ("event", "subject")
ON_ERROR = ("stop", "continue")
# The blocks of steps that lie within a step of a kind.
BLOCKS = {"branch": ("then", "otherwise"), "loop": ("steps",)}
MOST_STEPS = 100
DEEPEST = 5
LONGEST_DELAY_MINUTES = 60 * 24 * 30
# A year: what is further away nobody means.
MOST_MINUTES = 60 * 24 * 366
LONGEST_TEXT = 20_000
STEP_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
PEOPLE = ("persons", "teams", "roles", "schedules", "addresses")
STEP_KEYS = {"id", "kind", "name", "conditions", "params", "on_error", "timeout_minutes"}
# What is shown in place of a secret.
MASK = "••••••"
SOME_INSTANT = datetime(2026, 1, 1, tzinfo=UTC)
TOP_KEYS = {"trigger", "conditions", "once", "steps"}
TRIGGER_KEYS = {
    "event": {"kind", "events", "delay_minutes"},
    "time": {"kind", "cron", "time_zone"},
    "person": {"kind"},
    "webhook": {"kind"},
}


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where. `kind` is "fact" where a fact can't be there, "doubt" where it will be empty."""

    place: str
    message: str
    kind: Literal["shape", "fact", "doubt"] = "shape"

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def check(definition: Any) -> None:
    """Raises Invalid, naming the first place and how many more there are, unless the definition is sound."""
    found = problems(definition)
    if found:
        said = f"{found[0]} ({len(found) - 1} more)" if len(found) > 1 else str(found[0])
        raise Invalid(said, field="definition", code="bad_definition", remedy="Correct it and save again.")


def checked(definition: Any) -> dict[str, Any]:
    """The definition as it is stored: each step has an id, secrets are encrypted. Raises Invalid as `check` does."""
    whole = with_ids(definition) if isinstance(definition, Mapping) else definition
    check(whole)
    return _mapped_secrets(whole, _sealed)


def masked(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The definition fit to be shown and exported: of a secret only that it is there. It can't be saved as it is."""
    return _mapped_secrets(definition, lambda value: MASK if value else value)


def _sealed(value: Any) -> Any:
    return {"sealed": seal(value)} if isinstance(value, str) and value else value


def _mapped_secrets(definition: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    made: dict[str, Any] = deepcopy(dict(definition))
    for _path, step in walk(made):
        known, params = step_called(str(step.get("kind", ""))), step.get("params") or {}
        for param in known.params if known else ():
            if param.kind == "secret" and param.name in params:
                params[param.name] = change(params[param.name])
    return made


def problems(definition: Any) -> list[Problem]:
    """All that is wrong with a definition: its shape first, then facts that it asks for and that can never be there."""
    if not isinstance(definition, Mapping):
        return [Problem("definition", "It must be an object.")]
    found = [Problem(key, "Nothing is called so.") for key in definition if key not in TOP_KEYS]
    found += _trigger_problems(definition.get("trigger"))
    found += _condition_problems(definition.get("conditions", {}), "conditions")
    if definition.get("once", "event") not in ONCE:
        found.append(Problem("once", f"Use {' or '.join(ONCE)}."))
    found += _block_problems(definition.get("steps"), "steps", 1, needs_one=True)
    found += _id_problems(definition)
    return found + [Problem(place, why, "fact") for place, why in unknown_facts(definition, dict(walk(definition)))]


def _trigger_problems(trigger: Any) -> list[Problem]:
    if not isinstance(trigger, Mapping) or trigger.get("kind") not in TRIGGER_KINDS:
        return [Problem("trigger.kind", f"Say what starts it: {', '.join(TRIGGER_KINDS)}.")]
    kind = trigger["kind"]
    found = [Problem(f"trigger.{key}", "Nothing is called so.") for key in trigger if key not in TRIGGER_KEYS[kind]]
    if kind == "event":
        found += _event_problems(trigger)
    if kind == "time":
        try:
            if next_time(str(trigger.get("cron", "")), str(trigger.get("time_zone", "UTC")), SOME_INSTANT) is None:
                found.append(Problem("trigger.cron", "It never comes."))
        except BadClock as error:
            found.append(Problem("trigger.cron", str(error)))
    return found


def _event_problems(trigger: Mapping[str, Any]) -> list[Problem]:
    events, delay = trigger.get("events"), trigger.get("delay_minutes", 0)
    found = []
    if not isinstance(events, list) or not events:
        found.append(Problem("trigger.events", "Choose at least one event."))
    else:
        unknown = [str(name) for name in events if name not in HAPPENINGS]
        if unknown:
            found.append(Problem("trigger.events", f"No event is called {', '.join(unknown)}."))
    if not _is_number(delay) or not 0 <= delay <= LONGEST_DELAY_MINUTES:
        found.append(Problem("trigger.delay_minutes", f"Use a number of minutes up to {LONGEST_DELAY_MINUTES}."))
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _condition_problems(condition: Any, place: str) -> list[Problem]:
    try:
        conditions.check(condition, place)
    except conditions.BadCondition as error:
        return [Problem(place, str(error))]
    return []


def _block_problems(block: Any, place: str, depth: int, *, needs_one: bool = False) -> list[Problem]:
    if not isinstance(block, list):
        return [Problem(place, "It must be a list of steps.")]
    if needs_one and not block:
        return [Problem(place, "Add a step.")]
    if depth > DEEPEST:
        return [Problem(place, f"Steps can lie at most {DEEPEST} deep.")]
    return [problem for index, step in enumerate(block) for problem in _step_problems(step, f"{place}.{index}", depth)]


def _step_problems(step: Any, place: str, depth: int) -> list[Problem]:
    if not isinstance(step, Mapping):
        return [Problem(place, "A step must be an object.")]
    kind = str(step.get("kind", ""))
    known = step_called(kind)
    if known is None:
        return [Problem(f"{place}.kind", f"No step is called {kind!r}.")]
    blocks = BLOCKS.get(kind, ())
    found = [Problem(f"{place}.{key}", "Nothing is called so.") for key in step if key not in STEP_KEYS.union(blocks)]
    if not STEP_ID.fullmatch(str(step.get("id", ""))):
        found.append(Problem(f"{place}.id", "Use a small letter, then small letters, digits and _, at most 40."))
    if not isinstance(step.get("name", ""), str) or len(step.get("name", "")) > 200:
        found.append(Problem(f"{place}.name", "A name is text of at most 200 characters."))
    if step.get("on_error", "stop") not in ON_ERROR:
        found.append(Problem(f"{place}.on_error", f"Use {' or '.join(ON_ERROR)}."))
    timeout = step.get("timeout_minutes")
    if timeout is not None and (not _is_number(timeout) or not 0 < timeout <= MOST_MINUTES):
        message = f"Use a number of minutes up to {MOST_MINUTES} (a year)."
        found.append(Problem(f"{place}.timeout_minutes", message))
    found += _condition_problems(step.get("conditions", {}), f"{place}.conditions")
    found += _params_problems(known.params, step.get("params", {}), f"{place}.params")
    for name in blocks:
        found += _block_problems(step.get(name, []), f"{place}.{name}", depth + 1, needs_one=name != "otherwise")
    return found


def _params_problems(params: tuple[Param, ...], given: Any, place: str) -> list[Problem]:
    if not isinstance(given, Mapping):
        return [Problem(place, "It must be an object.")]
    known = {param.name for param in params}
    found = [Problem(f"{place}.{name}", "This step has no such parameter.") for name in given if name not in known]
    for param in params:
        value = given.get(param.name)
        if value is None or value in ("", {}, []):
            if param.required and param.default is None:
                found.append(Problem(f"{place}.{param.name}", "This is needed."))
            continue
        message = param_problem(param, value)
        if message:
            found.append(Problem(f"{place}.{param.name}", message))
    return found


def is_template(value: Any) -> bool:
    """Whether a text has blanks to fill in."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _number_problem(kind: str, value: Any) -> str:
    most = MOST_MINUTES if kind == "minutes" else math.inf
    if _is_number(value) and 0 <= value <= most:
        return ""
    return f"Use a number of minutes up to {MOST_MINUTES} (a year)." if kind == "minutes" else "Use a number."


def param_problem(param: Param, value: Any) -> str:
    """What is wrong with a parameter's value; "" if nothing is."""
    if param.is_template and is_template(value):
        try:
            check_template(value)
        except BadTemplate as error:
            return f"The template can't be read: {error}"
        return ""
    message = ""
    match param.kind:
        case "number" | "minutes":
            message = _number_problem(param.kind, value)
        case "boolean":
            message = "" if isinstance(value, bool) else "Use true or false."
        case "choice":
            known = [name for name, _label in param.choices]
            message = "" if value in known else f"Use one of {', '.join(known)}."
        case "conditions":
            message = next((str(each) for each in _condition_problems(value, "it")), "")
        case "people":
            message = _people_problem(value)
        case "secret":
            is_sealed = isinstance(value, Mapping) and isinstance(value.get("sealed"), str)
            message = "" if is_sealed or isinstance(value, str) else "Use text."
            message = "Type the secret in again." if value == MASK else message
        case "url":
            is_web = isinstance(value, str) and value.startswith(("http://", "https://"))
            message = "" if is_web else "Use an address that begins with https://."
        case "json":
            pass
        case _:
            is_text = isinstance(value, str) and len(value) <= LONGEST_TEXT
            message = "" if is_text else f"Use text of at most {LONGEST_TEXT} characters."
    return message


def _people_problem(value: Any) -> str:
    if not isinstance(value, Mapping) or not set(value) <= set(PEOPLE):
        return f"Use an object with lists: {', '.join(PEOPLE)}."
    for name, listed in value.items():
        if not isinstance(listed, list) or not all(isinstance(each, str) and each for each in listed):
            return f"{name} must be a list of texts."
    return ""


def _id_problems(definition: Mapping[str, Any]) -> list[Problem]:
    seen: set[str] = set()
    found = []
    count = 0
    for path, step in walk(definition):
        count += 1
        if step.get("id") in seen:
            found.append(Problem(f"{path}.id", f"Another step is called {step.get('id')!r} too."))
        seen.add(str(step.get("id")))
    if count > MOST_STEPS:
        found.append(Problem("steps", f"A workflow has at most {MOST_STEPS} steps; call another one from it."))
    return found


def walk(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each step with its path, those within it right after it."""
    yield from _walk(definition.get("steps"), "steps")


def _walk(block: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for index, step in enumerate(block if isinstance(block, list) else []):
        if isinstance(step, Mapping):
            yield f"{path}.{index}", step
            for name in BLOCKS.get(str(step.get("kind")), ()):
                yield from _walk(step.get(name), f"{path}.{index}.{name}")


def at_path(definition: Mapping[str, Any], path: str) -> Any:
    """What stands at a path, such as the step `steps.1.then.0` or the block `steps.1.then`."""
    found: Any = definition
    for part in path.split("."):
        found = found[int(part)] if isinstance(found, list) else found[part]
    return found


def complete(step: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a step with the defaults of those that are not given."""
    known = step_called(str(step.get("kind", "")))
    given = step.get("params") or {}
    params = known.params if known else ()
    return {**{param.name: param.default for param in params}, **given}


def with_ids(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which each step without an id has one, made of its kind."""
    taken = {str(step["id"]) for _path, step in walk(definition) if step.get("id")}
    return {**definition, "steps": _block_with_ids(definition.get("steps"), taken)}


def _block_with_ids(block: Any, taken: set[str]) -> Any:
    if not isinstance(block, list):
        return block
    made = []
    for step in block:
        if not isinstance(step, Mapping):
            made.append(step)
            continue
        own = dict(step)
        if not own.get("id"):
            own["id"] = free_id(str(own.get("kind") or "step"), taken)
            taken.add(own["id"])
        for name in BLOCKS.get(str(own.get("kind")), ()):
            own[name] = _block_with_ids(own.get(name, []), taken)
        made.append(own)
    return made


def free_id(kind: str, taken: set[str]) -> str:
    """An id for a step of this kind that no other one has."""
    if kind not in taken:
        return kind
    return next(name for number in range(2, len(taken) + 3) if (name := f"{kind}_{number}") not in taken)


def columns_of(definition: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What a `Workflow` keeps of its newest version: `trigger_kind`, `events`, and `next_at` while it is on."""
    trigger = definition["trigger"]
    kind = trigger["kind"]
    return {
        "trigger_kind": kind,
        "events": list(trigger.get("events", [])) if kind == "event" else [],
        "next_at": next_time(trigger["cron"], trigger.get("time_zone", "UTC"), now) if kind == "time" else None,
    }
