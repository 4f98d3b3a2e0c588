"""What a workflow would do with something of the past, or of now: each step, each condition. Nothing is written.

Steps are tried as if each before them had done its part. What they would return is not known: a step that asks for it
is told without it. A wait ends at once, and of a branch only the side is tried that would be taken.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actor import Actor
from accounts.models import Role
from events.conditions import holds
from events.errors import DomainError, require
from workflows.context import gathered
from workflows.definition import BLOCKS, check
from workflows.facts import condition_words
from workflows.filling import filled, left_empty, masked_inputs
from workflows.flow import items_in_words, items_of
from workflows.models import Workflow
from workflows.registry import Context, Failed, Retry, Skip, step_called
from workflows.specimens import Specimen, kinds_for
from workflows.starting import not_for
from workflows.words import words_of

MOST_TURNS = 5


class Fate(models.TextChoices):
    """What would become of a step."""

    WOULD = "would", gettext_lazy("Would be done")
    SKIPPED = "skipped", gettext_lazy("Would be skipped")
    FAILED = "failed", gettext_lazy("Would fail")
    NOT_MET = "not_met", gettext_lazy("Would not be done")


@dataclass(frozen=True)
class Asked:
    """One condition: what it says, and whether it holds."""

    words: str
    holds: bool


@dataclass
class Tried:
    """One step; `not_met` is one whose own conditions do not hold."""

    number: str
    depth: int
    path: str
    kind: str
    name: str
    words: str
    state: Fate = Fate.WOULD
    detail: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)


@dataclass
class Trial:
    """The whole: whether it would run at all and why, then its steps."""

    would_run: bool
    reason: str
    asked: list[Asked]
    steps: list[Tried]


def try_workflow(
    *,
    actor: Actor,
    definition: Mapping[str, Any],
    specimen: Specimen,
    now: datetime,
    workflow: Workflow,
) -> Trial:
    """What would happen if the thing started it at `now`, as it stands now. Raises Invalid for an unsound definition.

    The workflow need not be stored. The caller has found the thing through what the actor may see. All is rolled back,
    whatever a step may do.
    """
    require(actor.has_role(Role.RESPONDER), "Viewers may not try workflows.")
    check(definition)
    incident = specimen.incident
    with transaction.atomic():
        facts = gathered(definition=definition, told=specimen.told, incident=incident, now=now)
        doer = Actor.of_workflow(workflow.pk or 0, workflow.name)
        asked = asked_of(definition.get("conditions") or {}, facts)
        reason = _why_not(definition, facts, specimen, workflow)
        tried = list(_block(definition["steps"], "steps", "", 0, Context(doer, now, facts, incident)))
        transaction.set_rollback(True)
    return Trial(not reason, reason, asked, tried)


def _why_not(definition: Mapping[str, Any], facts: Mapping[str, Any], specimen: Specimen, workflow: Workflow) -> str:
    """Why it would not run; "" if it would."""
    refusal = not_for(workflow, specimen.incident)
    if refusal:
        return refusal
    if specimen.about not in kinds_for(definition):
        return _("Nothing of this kind starts it.")
    return "" if holds(definition.get("conditions") or {}, facts) else _("Its conditions do not hold.")


def asked_of(condition: Mapping[str, Any], facts: Mapping[str, Any]) -> list[Asked]:
    """Each part of a condition by itself."""
    parts = condition.get("all") or condition.get("any") or ([condition] if condition else [])
    return [Asked(condition_words(part), holds(part, facts)) for part in parts]


def _block(block: list[Mapping[str, Any]], path: str, number: str, depth: int, context: Context) -> Iterator[Tried]:
    for index, step in enumerate(block):
        place, own = f"{path}.{index}", f"{number}{index + 1}"
        tried = _tried(step, place, own, depth, context)
        yield tried
        if tried.state == Fate.WOULD:
            yield from _within(step, tried, context)


def _tried(step: Mapping[str, Any], path: str, number: str, depth: int, context: Context) -> Tried:
    facts = context.facts
    kind = str(step["kind"])
    tried = Tried(number, depth, path, kind, str(step.get("name", "")), words_of(step))
    conditions = step.get("conditions") or {}
    tried.asked = asked_of(conditions, facts)
    if not holds(conditions, facts):
        tried.state, tried.detail = Fate.NOT_MET, _("Its own conditions do not hold.")
        return tried
    known = step_called(kind)
    if known is None:
        tried.state, tried.detail = Fate.FAILED, _("Nothing here knows this kind of step.")
        return tried
    try:
        empty: list[str] = []
        params = filled(step, facts, empty)
        tried.detail = left_empty(each for each in empty if not each.startswith("steps.")).strip()
        tried.inputs = masked_inputs(step, params)
        tried.words = known.words(params)
        tried.words = known.plan(context, params)
    except Skip as skipped:
        tried.state, tried.detail = Fate.SKIPPED, str(skipped)
    except (Failed, Retry, DomainError) as refused:
        tried.state, tried.detail = Fate.FAILED, str(refused)
    return tried


def _within(step: Mapping[str, Any], tried: Tried, context: Context) -> Iterator[Tried]:
    """The steps within a step: of a branch the side that is taken, of a loop its first turns."""
    names = BLOCKS.get(tried.kind, ())
    params = step.get("params") or {}
    if "then" in names:
        side = "then" if holds(params.get("conditions") or {}, context.facts) else "otherwise"
        tried.asked = asked_of(params.get("conditions") or {}, context.facts)
        tried.detail = _("The conditions hold.") if side == "then" else _("The conditions do not hold.")
        within = f"{tried.number}." if side == "then" else f"{tried.number}.else."
        yield from _block(step.get(side) or [], f"{tried.path}.{side}", within, tried.depth + 1, context)
    elif names:
        yield from _turns(step, tried, context)


def _turns(step: Mapping[str, Any], tried: Tried, context: Context) -> Iterator[Tried]:
    params = step.get("params") or {}
    try:
        items = items_of(params, context.facts)
    except Failed as refused:
        tried.state, tried.detail = Fate.FAILED, str(refused)
        return
    tried.detail = items_in_words(params, context.facts, items)
    for turn, item in enumerate(items[:MOST_TURNS]):
        named = {str(params.get("as") or "it"): item, "loop": {"index": turn + 1, "of": len(items)}}
        number = f"{tried.number}.({turn + 1})."
        turned = replace(context, facts={**context.facts, **named})
        yield from _block(step["steps"], f"{tried.path}.steps", number, tried.depth + 1, turned)
