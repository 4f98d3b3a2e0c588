"""Secrets that were shown as dots only, and come back as they were when the rest is saved."""

from collections.abc import Mapping
from typing import Any

from workflows.definition import BLOCKS, MASK, walk


def with_kept_secrets(definition: Any, stored: Mapping[str, Any] | None) -> Any:
    """A copy of the definition in which what is masked is what the stored one has there: in the step of the same id."""
    if not isinstance(definition, Mapping) or stored is None:
        return definition
    known = {str(step.get("id")): step.get("params") or {} for _path, step in walk(stored)}
    return {**definition, "steps": _block(definition.get("steps"), known)}


def _block(block: Any, known: Mapping[str, Mapping[str, Any]]) -> Any:
    if not isinstance(block, list):
        return block
    return [_step(step, known) if isinstance(step, Mapping) else step for step in block]


def _step(step: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    own = dict(step)
    before = known.get(str(step.get("id")), {})
    if isinstance(step.get("params"), Mapping):
        own["params"] = {
            name: before[name] if value == MASK and name in before else value for name, value in step["params"].items()
        }
    for name in BLOCKS.get(str(step.get("kind")), ()):
        if name in own:
            own[name] = _block(own[name], known)
    return own
