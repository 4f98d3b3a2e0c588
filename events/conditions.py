"""The one condition language: all/any/not over a mapping of facts, with typed operators. Pure.

A condition is JSON, in one of these forms:

    {}                                                    always true
    {"all": [condition, …]}   {"any": [condition, …]}     {"not": condition}
    {"fact": "severity", "operator": "one_of", "value": ["critical", "error"]}

A fact may be a path ("labels.team"). A fact that is missing makes every operator false but `is_not`, `missing` and
`not_one_of`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Facts = Mapping[str, Any]
Condition = Mapping[str, Any]
MISSING: Any = object()
LONGEST_PATTERN = 200
LONGEST_TEXT_MATCHED = 2000


class BadCondition(ValueError):
    """The condition does not follow the grammar; the message says where and why."""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _same(left: Any, right: Any) -> bool:
    return _text(left).casefold() == _text(right).casefold()


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _compare(left: Any, right: Any, accept: Callable[[float, float], bool]) -> bool:
    first, second = _number(left), _number(right)
    return first is not None and second is not None and accept(first, second)


def _contains(fact: Any, value: Any) -> bool:
    if isinstance(fact, (list, tuple)):
        return any(_same(item, value) for item in fact)
    return _text(value).casefold() in _text(fact).casefold()


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "is": lambda fact, value: fact is not MISSING and _same(fact, value),
    "is_not": lambda fact, value: fact is MISSING or not _same(fact, value),
    "one_of": lambda fact, value: fact is not MISSING and any(_same(fact, item) for item in value),
    "not_one_of": lambda fact, value: fact is MISSING or not any(_same(fact, item) for item in value),
    "contains": lambda fact, value: fact is not MISSING and _contains(fact, value),
    "matches": lambda fact, value: (
        fact is not MISSING and re.search(value, _text(fact)[:LONGEST_TEXT_MATCHED]) is not None
    ),
    "greater": lambda fact, value: fact is not MISSING and _compare(fact, value, lambda a, b: a > b),
    "less": lambda fact, value: fact is not MISSING and _compare(fact, value, lambda a, b: a < b),
    "exists": lambda fact, value: fact is not MISSING and fact not in (None, "", [], {}),
    "missing": lambda fact, value: fact is MISSING or fact in (None, "", [], {}),
}
TAKES_A_LIST = {"one_of", "not_one_of"}
TAKES_NOTHING = {"exists", "missing"}


def check(condition: Any, where: str = "conditions") -> None:
    """Raises BadCondition unless `condition` follows the grammar."""
    if not isinstance(condition, Mapping):
        raise BadCondition(f"{where} must be an object, not {type(condition).__name__}.")
    if not condition:
        return
    for word in ("all", "any"):
        if word in condition:
            if set(condition) != {word} or not isinstance(condition[word], list):
                raise BadCondition(f"{where}.{word} must be a list and stand alone.")
            for index, part in enumerate(condition[word]):
                check(part, f"{where}.{word}[{index}]")
            return
    if "not" in condition:
        if set(condition) != {"not"}:
            raise BadCondition(f"{where}.not must stand alone.")
        check(condition["not"], f"{where}.not")
        return
    _check_comparison(condition, where)


def _check_comparison(condition: Condition, where: str) -> None:
    unknown = set(condition) - {"fact", "operator", "value"}
    if unknown:
        raise BadCondition(f"{where} has unknown keys: {', '.join(sorted(unknown))}.")
    if not isinstance(condition.get("fact"), str) or not condition["fact"]:
        raise BadCondition(f"{where}.fact must name a fact.")
    operator = condition.get("operator")
    if operator not in OPERATORS:
        raise BadCondition(f"{where}.operator must be one of {', '.join(OPERATORS)}, not {operator!r}.")
    if operator not in TAKES_NOTHING and "value" not in condition:
        raise BadCondition(f"{where}.value is missing.")
    if operator in TAKES_A_LIST and not isinstance(condition["value"], list):
        raise BadCondition(f"{where}.value must be a list for {operator}.")
    if operator == "matches":
        pattern = condition["value"]
        if not isinstance(pattern, str) or len(pattern) > LONGEST_PATTERN:
            raise BadCondition(f"{where}.value must be a pattern of at most {LONGEST_PATTERN} characters.")
        try:
            re.compile(pattern)
        except re.error as error:
            raise BadCondition(f"{where}.value is not a regular expression: {error}.") from error


def look_up(facts: Facts, path: str) -> Any:
    """The fact at a dotted path, a whole key first, or MISSING."""
    if path in facts:
        return facts[path]
    value: Any = facts
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return MISSING
        value = value[part]
    return value


def holds(condition: Condition, facts: Facts) -> bool:
    """Whether a checked condition is true of these facts."""
    if not condition:
        return True
    if "all" in condition:
        return all(holds(part, facts) for part in condition["all"])
    if "any" in condition:
        return any(holds(part, facts) for part in condition["any"])
    if "not" in condition:
        return not holds(condition["not"], facts)
    return OPERATORS[condition["operator"]](look_up(facts, condition["fact"]), condition.get("value"))


WORDS = {
    "is": "is",
    "is_not": "is not",
    "one_of": "is one of",
    "not_one_of": "is none of",
    "contains": "contains",
    "matches": "matches",
    "greater": "is greater than",
    "less": "is less than",
    "exists": "is set",
    "missing": "is not set",
}


def in_words(condition: Condition, named: Callable[[str], str] = str) -> str:
    """The condition as a phrase: "severity is critical and service is one of api, web".

    `named` says what people call a fact.
    """
    if not condition:
        return "always"
    for word, joint in (("all", " and "), ("any", " or ")):
        if word in condition:
            return joint.join(in_words(part, named) for part in condition[word]) or "always"
    if "not" in condition:
        return f"not ({in_words(condition['not'], named)})"
    value = condition.get("value")
    shown = ", ".join(_text(item) for item in value) if isinstance(value, list) else _text(value)
    operator = condition["operator"]
    return f"{named(condition['fact'])} {WORDS[operator]}" + ("" if operator in TAKES_NOTHING else f" {shown}")
