"""Which facts a definition asks for and where, and which of them can't be there, or will be empty when it runs.

What can never be there is a problem: the definition is not saved. What is only not there now, or not with what starts
the workflow, is a doubt: it is told, and saved.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from events.conditions import TAKES_NOTHING
from events.templates import BadTemplate, names_in
from workflows.facts import HOURS, THINGS, unknown
from workflows.registry import Param, step_called
from workflows.triggers import HAPPENINGS

Walked = Mapping[str, Mapping[str, Any]]
# What may be told of an incident beside an event that is about one.
WITH_INCIDENT = {"incident", "alert", "escalation", "postmortem", "action_item", "public_incident"}


@dataclass(frozen=True)
class Asked:
    """A fact that is asked for: its name, the place in the definition, the step ("" for none), the loops around it.

    `may_lack` says that it is asked whether it is there at all.
    """

    name: str
    place: str
    path: str = ""
    loops: tuple[str, ...] = ()
    may_lack: bool = False


def asked_in(condition: Any, place: str = "", **of: Any) -> Iterator[Asked]:
    """What a condition asks for; nothing of what makes no sense."""
    if not isinstance(condition, Mapping):
        return
    within = [condition.get("not"), *(part for word in ("all", "any") for part in _list(condition.get(word)))]
    for part in within:
        yield from asked_in(part, place, **of)
    if isinstance(condition.get("fact"), str) and condition["fact"]:
        yield Asked(condition["fact"], place, may_lack=condition.get("operator") in TAKES_NOTHING, **of)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def asked_by(definition: Mapping[str, Any], steps: Walked) -> Iterator[Asked]:
    """All that a definition asks for, in the order of its places. `steps` are its steps by their paths."""
    yield from asked_in(definition.get("conditions"), "conditions")
    for path, step in steps.items():
        of: dict[str, Any] = {"path": path, "loops": _loops_around(path, steps)}
        yield from asked_in(step.get("conditions"), f"{path}.conditions", **of)
        known, given = step_called(str(step.get("kind", ""))), step.get("params")
        params = given if isinstance(given, Mapping) else {}
        for param in known.params if known else ():
            yield from _asked_by_param(step, param, params.get(param.name), f"{path}.params.{param.name}", of)


def rows_named_by(steps: Walked, kinds: Container[str]) -> Iterator[tuple[str, str, str]]:
    """The place, the kind and the name of each row that a parameter of these kinds names; not what is made of facts."""
    for path, step in steps.items():
        known, given = step_called(str(step.get("kind", ""))), step.get("params")
        params = given if isinstance(given, Mapping) else {}
        for param in known.params if known else ():
            name = params.get(param.name)
            if param.kind in kinds and isinstance(name, str) and name and "{" not in name:
                yield f"{path}.params.{param.name}", param.kind, name


def _asked_by_param(
    step: Mapping[str, Any], param: Param, value: Any, place: str, of: Mapping[str, Any]
) -> Iterator[Asked]:
    if param.kind == "conditions":
        yield from asked_in(value, place, **of)
    elif step.get("kind") == "loop" and param.name == "over" and isinstance(value, str) and value:
        yield Asked(value, place, **of)
    elif param.is_template:
        for text in _texts_in(value):
            yield from (Asked(name, place, **of) for name in _names_in(text))


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, list)):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _texts_in(each)


def _names_in(text: str) -> list[str]:
    try:
        return names_in(text) if "{" in text else []
    except BadTemplate:
        return []  # that is a problem of its own


def _loops_around(path: str, steps: Walked) -> tuple[str, ...]:
    around = [step for other, step in steps.items() if path.startswith(f"{other}.") and step.get("kind") == "loop"]
    return tuple(_item_of(step) for step in around)


def _item_of(loop: Mapping[str, Any]) -> str:
    params = loop.get("params")
    return str((params if isinstance(params, Mapping) else {}).get("as") or "it")


def unknown_facts(definition: Mapping[str, Any], steps: Walked) -> Iterator[tuple[str, str]]:
    """The place and the reason of each fact that can never be there."""
    ids = {str(step.get("id")): step for step in steps.values()}
    for asked in dict.fromkeys(asked_by(definition, steps)):
        why = unknown(asked.name, steps=ids, loops=asked.loops)
        if why:
            yield asked.place, why


def doubtful_facts(definition: Mapping[str, Any], steps: Walked, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The place and the reason of each fact that will be empty as things are; `names` are those known here now."""
    here = set(names)
    told = _told_by(definition.get("trigger"))
    order = {str(step.get("id")): index for index, step in enumerate(steps.values())}
    for asked in dict.fromkeys(asked_by(definition, steps)):
        ids = {str(step.get("id")): step for step in steps.values()}
        if asked.may_lack or unknown(asked.name, steps=ids, loops=asked.loops):
            continue
        now = order[str(steps[asked.path].get("id"))] if asked.path else -1
        why = _not_here(asked, here) or _not_told(asked, told) or _not_returned(asked, ids, order, now)
        if why:
            yield asked.place, why


def _not_here(asked: Asked, here: set[str]) -> str:
    """What the house does not have: a role, a field, a schedule."""
    first, _dot, rest = asked.name.partition(".")
    kind, _dot, slug = rest.partition(".")
    if first == "incident" and slug and kind in {"roles", "fields"}:
        name = ".".join([first, kind, slug.partition(".")[0]])
        if name not in here:
            said = _("There is no role %(slug)s here.") if kind == "roles" else _("There is no field %(slug)s here.")
            return said % {"slug": slug}
    if first == HOURS and rest and asked.name not in here:
        return _("There is no schedule %(slug)s here.") % {"slug": rest}
    return ""


def _told_by(trigger: Any) -> set[str]:
    """The names under which the trigger tells of something."""
    given = trigger if isinstance(trigger, Mapping) else {}
    match given.get("kind"):
        case "event":
            names = given.get("events")
            about = (
                {HAPPENINGS[name].about for name in names if name in HAPPENINGS} if isinstance(names, list) else set()
            )
            return about | ({"incident"} if about & WITH_INCIDENT else set())
        case "person":
            return {"incident"}
        case "webhook":
            return {"webhook"}
        case _:
            return set()


def _not_told(asked: Asked, told: set[str]) -> str:
    root = asked.name.partition(".")[0]
    if root not in THINGS or root in told or root in asked.loops:
        return ""
    return _("%(name)s is empty: what starts this workflow tells nothing of %(thing)s.") % {
        "name": asked.name,
        "thing": THINGS[root],
    }


def _not_returned(asked: Asked, ids: Walked, order: Mapping[str, int], now: int) -> str:
    """What a step returns only later, or not at all."""
    root, _dot, rest = asked.name.partition(".")
    step_id, _dot, deeper = rest.partition(".")
    if root != "steps" or step_id not in ids:
        return ""
    if order[step_id] >= now:
        return _("%(name)s is empty: that step comes later.") % {"name": asked.name}
    known = step_called(str(ids[step_id].get("kind")))
    outputs = known.outputs if known else ()
    if deeper and outputs and deeper.partition(".")[0] not in outputs:
        return _("That step returns no %(name)s, but %(outputs)s.") % {"name": deeper, "outputs": ", ".join(outputs)}
    return ""
