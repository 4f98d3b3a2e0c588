"""A step's parameters filled in for a run: templates become text, text becomes what the parameter is, secrets open."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from accounts.secrets import unseal
from events.templates import BadTemplate, filled_in
from workflows.definition import MASK, complete, is_template
from workflows.registry import Failed, Param, step_called

Params = dict[str, Any]


def filled(step: Mapping[str, Any], facts: Mapping[str, Any], empty: list[str] | None = None) -> Params:
    """The parameters with which the step runs. Raises Failed for a template or a value that makes no sense.

    The names that templates have and nothing is called are left empty, and added to `empty`.
    """
    known = step_called(str(step["kind"]))
    given, missed = complete(step), [] if empty is None else empty
    return {param.name: _filled(param, given.get(param.name), facts, missed) for param in known.params} if known else {}


def left_empty(names: Iterable[str]) -> str:
    """What is put after what came of a step: " Left empty, for nothing is called so here: event.data.reason."."""
    said = ", ".join(dict.fromkeys(names))
    return f" Left empty, for nothing is called so here: {said}." if said else ""


def masked_inputs(step: Mapping[str, Any], params: Mapping[str, Any]) -> Params:
    """The same, fit to be kept and shown: without what is empty, and of a secret only that it is there."""
    known = step_called(str(step["kind"]))
    secret = {param.name for param in known.params if param.kind == "secret"} if known else set()
    said = {name: value for name, value in params.items() if value not in (None, "", [], {})}
    return {name: MASK if name in secret else value for name, value in said.items()}


def _filled(param: Param, value: Any, facts: Mapping[str, Any], empty: list[str]) -> Any:
    if param.kind == "secret":
        return unseal(value["sealed"]) if isinstance(value, Mapping) else value
    if param.is_template:
        try:
            value = _deeply(value, facts, empty)
        except BadTemplate as error:
            raise Failed(f"{param.label}: {error}") from error
    if param.kind in {"number", "minutes"} and isinstance(value, str):
        return _number(param, value)
    if param.kind == "people" and isinstance(value, Mapping):
        return {name: [each for each in listed if each] for name, listed in value.items()}
    return value


def _deeply(value: Any, facts: Mapping[str, Any], empty: list[str]) -> Any:
    if isinstance(value, str) and is_template(value):
        text, missed = filled_in(value, facts)
        empty += missed
        return text
    if isinstance(value, Mapping):
        return {key: _deeply(each, facts, empty) for key, each in value.items()}
    return [_deeply(each, facts, empty) for each in value] if isinstance(value, list) else value


def _number(param: Param, text: str) -> float | None:
    if not text.strip():
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Failed(f"{param.label}: {text[:80]!r} is not a number.")
    return number
