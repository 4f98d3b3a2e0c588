"""A workflow in words: "When a SEV1 is declared, and …: 1. Page …", so that people can read what it does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.clock import in_words as cron_in_words
from workflows.definition import BLOCKS, complete
from workflows.facts import condition_words
from workflows.registry import listed, minutes_in_words, step_called
from workflows.triggers import HAPPENINGS


@dataclass(frozen=True)
class StepWords:
    """One step in words. `number` counts as people do ("2.1"), `path` is its place in the definition."""

    path: str
    number: str
    depth: int
    text: str
    condition: str = ""

    def __str__(self) -> str:
        return f"{self.number}. {f'If {self.condition}: ' if self.condition else ''}{self.text}."


def whole(definition: Mapping[str, Any]) -> str:
    """All of it as plain text: the trigger and conditions, then a line for each step."""
    lines = [f"{opening(definition)}:"]
    lines += [f"{'  ' * each.depth}{each}" for each in steps_in_words(definition)]
    return "\n".join(lines)


def opening(definition: Mapping[str, Any]) -> str:
    """When it runs: "When an incident is declared, and its severity is sev1"."""
    said = trigger_words(definition.get("trigger") or {})
    condition = definition.get("conditions") or {}
    if condition:
        said += f", and {condition_words(condition)}"
    if definition.get("once") == "subject":
        said += ", once per incident"
    return said


def trigger_words(trigger: Mapping[str, Any]) -> str:
    """What starts it, as the beginning of a sentence."""
    match trigger.get("kind"):
        case "event":
            words = [str(HAPPENINGS[name].words) for name in trigger.get("events") or [] if name in HAPPENINGS]
            said = _either(words) or "something happens"
            delay = trigger.get("delay_minutes")
            return f"{minutes_in_words(delay)} after {said}" if delay else f"When {said}"
        case "time":
            return f"{cron_in_words(str(trigger.get('cron')))} ({trigger.get('time_zone', 'UTC')})"
        case "webhook":
            return "When its webhook is called"
        case _:
            return "When somebody starts it"


def _either(words: list[str]) -> str:
    return listed(words).replace(" and ", " or ") if len(words) > 1 else "".join(words)


def steps_in_words(definition: Mapping[str, Any]) -> list[StepWords]:
    """Each step, those within it right after it. What is not finished yet is told as far as it goes."""
    return _block(definition.get("steps") or [], "steps", "", 0)


def _block(block: Any, path: str, number: str, depth: int) -> list[StepWords]:
    found = []
    for index, step in enumerate(block if isinstance(block, list) else []):
        if not isinstance(step, Mapping):
            continue
        own, place = f"{number}{index + 1}", f"{path}.{index}"
        condition = step.get("conditions") or {}
        found.append(StepWords(place, own, depth, words_of(step), condition_words(condition) if condition else ""))
        for name in BLOCKS.get(str(step.get("kind")), ()):
            inner = step.get(name) or []
            if name == "otherwise" and inner:
                found.append(StepWords(f"{place}.{name}", f"{own}.else", depth, "Otherwise"))
            within = f"{own}.else." if name == "otherwise" else f"{own}."
            found += _block(inner, f"{place}.{name}", within, depth + 1)
    return found


def words_of(step: Mapping[str, Any]) -> str:
    """One step as a sentence without its full stop; its kind if nothing here knows it."""
    known = step_called(str(step.get("kind", "")))
    if known is None:
        return str(step.get("kind") or "…")
    try:
        said = known.words(complete(step))
    except (KeyError, TypeError, ValueError, AttributeError):
        said = str(known.label)  # it is being written
    return said
