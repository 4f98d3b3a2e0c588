"""Where a running escalation stands in its frozen path, for people who read it."""

from dataclasses import dataclass
from typing import Any

from oncall.models import Escalation
from oncall.walk import FOR_EVER


@dataclass(frozen=True)
class Step:
    """A level of a frozen path and how far it has come: done, reached or waiting; `stage_words` begin a new stage."""

    number: int
    after_minutes: int
    targets: list[dict[str, Any]]
    state: str
    answers_needed: int
    is_round_robin: bool
    has_condition: bool
    stage_words: str


def steps_of(escalation: Escalation) -> list[Step]:
    """The frozen path, stage by stage, with how far it has come in this round."""
    steps = []
    for place, stage in enumerate(escalation.path["stages"]):
        after = 0
        for index in range(stage["first"], stage["first"] + stage["count"]):
            level = escalation.path["levels"][index]
            steps.append(
                Step(
                    number=index + 1,
                    after_minutes=after,
                    targets=level["targets"],
                    state=_state(escalation, index),
                    answers_needed=level.get("answers_needed", 1),
                    is_round_robin=bool(level.get("is_round_robin")),
                    has_condition=bool(level.get("condition")),
                    stage_words="" if index > stage["first"] or not place else _words(stage),
                )
            )
            after += level["timeout_seconds"] // 60
    return steps


def _state(escalation: Escalation, index: int) -> str:
    number = index + 1
    if number < escalation.level or (number == escalation.level and not escalation.is_open):
        return "done"
    return "reached" if number == escalation.level else "waiting"


def _words(stage: dict[str, int]) -> str:
    return "for_ever" if stage["repeats"] == FOR_EVER else "then"
