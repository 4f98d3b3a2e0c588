"""Where a run stands in its definition, and where it goes next. Pure: a position in, a position out.

A position is a list of frames, the innermost last. A frame is a block of steps and the index of the next one in it:
{"path": "steps", "index": 2}. That of a loop also says which turn it is:

    {"path": "steps.1.steps", "index": 0, "item": 3, "of": 5, "at": "each", "name": "it"}

`at` is the path of the loop in the run, `name` what its item is called. A position without frames is the end.
"""

from collections.abc import Mapping
from typing import Any

from workflows.definition import at_path, walk

Frame = dict[str, Any]
Position = list[Frame]


def beginning() -> Position:
    """Before the first step."""
    return [{"path": "steps", "index": 0}]


def settled(definition: Mapping[str, Any], position: Position) -> Position:
    """The same place, with blocks and turns that are over left behind: it stands at a step, or is empty."""
    frames = [dict(frame) for frame in position]
    while frames:
        frame = frames[-1]
        if frame["index"] < len(at_path(definition, frame["path"])):
            return frames
        if frame.get("item", 0) + 1 < frame.get("of", 0):
            frame["item"], frame["index"] = frame["item"] + 1, 0
        else:
            frames.pop()
    return frames


def current(definition: Mapping[str, Any], position: Position) -> Mapping[str, Any]:
    """The step at which a settled position stands."""
    frame = position[-1]
    step: Mapping[str, Any] = at_path(definition, frame["path"])[frame["index"]]
    return step


def path_of(definition: Mapping[str, Any], position: Position) -> str:
    """The path of the step in the run: its id, after the turns of the loops in which it stands: `each.3.page`."""
    turns = [f"{frame['at'].rsplit('.', 1)[-1]}.{frame['item']}" for frame in position if "item" in frame]
    return ".".join([*turns, str(current(definition, position)["id"])])


def stepped(position: Position) -> Position:
    """After the step."""
    *outer, frame = position
    return [*outer, {**frame, "index": frame["index"] + 1}]


def branched(position: Position, block: str) -> Position:
    """Into a block of the step; what follows it comes after."""
    frame = position[-1]
    return [*stepped(position), {"path": f"{frame['path']}.{frame['index']}.{block}", "index": 0}]


def looped(position: Position, *, at: str, name: str, of: int) -> Position:
    """Into the first turn of the loop at which it stands; past it without any item."""
    if not of:
        return stepped(position)
    frame = position[-1]
    path = f"{frame['path']}.{frame['index']}.steps"
    return [*stepped(position), {"path": path, "index": 0, "item": 0, "of": of, "at": at, "name": name}]


def items_of(position: Position, outputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the loops around a position call their items; `outputs` are those of the run's steps by their paths."""
    found: dict[str, Any] = {}
    for frame in position:
        if "item" in frame:
            items = outputs.get(frame["at"], {}).get("items") or []
            found[frame["name"]] = items[frame["item"]] if frame["item"] < len(items) else None
            found["loop"] = {"index": frame["item"] + 1, "of": frame["of"]}
    return found


def position_of(definition: Mapping[str, Any], path: str, outputs: Mapping[str, Mapping[str, Any]]) -> Position:
    """The position at which a step of a run stands, by its path there. Raises LookupError for one that is not there."""
    *turns, step_id = path.split(".")
    place = next((place for place, step in walk(definition) if step.get("id") == step_id), None)
    if place is None:
        raise LookupError(f"No step is called {step_id!r}.")
    taken = dict(zip(turns[::2], (int(turn) for turn in turns[1::2]), strict=True))
    parts = place.split(".")
    frames: Position = []
    at = ""
    for end in range(1, len(parts), 2):
        frame: Frame = {"path": ".".join(parts[:end]), "index": int(parts[end])}
        holder = at_path(definition, ".".join(parts[: end - 1])) if end > 1 else {}
        if holder.get("kind") == "loop":
            own = f"{at}{holder['id']}"
            of = len(outputs.get(own, {}).get("items") or [])
            frame |= {"item": taken[holder["id"]], "of": of, "at": own}
            frame["name"] = str((holder.get("params") or {}).get("as") or "it")
            at = f"{own}.{taken[holder['id']]}."
        if frames:
            frames[-1]["index"] += 1
        frames.append(frame)
    return frames
