"""What the timeline of an incident says how it stands, told line by line. Pure.

Every change leaves an entry whose `data` says what it changed. Told in the order of their sequence they lead to the
state that the rows have; where one begins from something else than what the lines before it have said, the timeline
contradicts itself.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class State:
    """How an incident stands: slugs, ids of people, times in ISO 8601. `pauses` are those that are over."""

    name: str = ""
    severity: str = ""
    status: str = ""
    type: str = ""
    mode: str = ""
    visibility: str = ""
    roles: dict[str, int] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)
    times: dict[str, str] = field(default_factory=dict)
    paused_at: str | None = None
    pauses: list[list[str]] = field(default_factory=list)
    is_merged: bool = False


class Contradiction(ValueError):
    """A line tells of a change from what never was."""


@dataclass(frozen=True)
class Told:
    """What replaying needs of an entry that was written in the incident itself, not in one that it came from."""

    sequence: int
    kind: str
    data: Mapping[str, Any]


def replay(entries: Iterable[Told]) -> State:
    """The state after these entries, which come in the order of their sequence; raises Contradiction."""
    state = State()
    for entry in entries:
        _tell(state, entry)
    return state


def _tell(state: State, entry: Told) -> None:
    reader = READERS.get(entry.kind)
    if reader is not None:
        reader(state, entry)
    for column, at in entry.data.get("times", {}).items():
        _set(state.times, column, at)
    state.paused_at = entry.data.get("paused_at", state.paused_at)
    if "pause" in entry.data:
        state.pauses.append(entry.data["pause"])


def _declared(state: State, entry: Told) -> None:
    for name in ("name", "severity", "status", "type", "mode", "visibility"):
        setattr(state, name, entry.data[name])


def _status(state: State, entry: Told) -> None:
    _step(state, "status", entry.data, entry)


def _severity(state: State, entry: Told) -> None:
    _step(state, "severity", entry.data, entry)


def _merge(state: State, entry: Told) -> None:
    _step(state, "status", entry.data, entry)
    state.is_merged = entry.data.get("merged", state.is_merged)
    for slug, user in entry.data.get("roles", {}).items():
        _set(state.roles, slug, user)
    for slug, impact in entry.data.get("services", {}).items():
        _set(state.services, slug, impact)


def _member(state: State, entry: Told) -> None:
    state.visibility = entry.data.get("visibility", state.visibility)


def _role(state: State, entry: Told) -> None:
    _set(state.roles, entry.data["role"], entry.data["user"])


def _service(state: State, entry: Told) -> None:
    _set(state.services, entry.data["service"], entry.data["impact"])


def _edit(state: State, entry: Told) -> None:
    _step(state, "name", entry.data.get("changes", {}).get("name", {}), entry)
    _step(state, "type", entry.data.get("type", {}), entry)


READERS: dict[str, Callable[[State, Told], None]] = {
    "declared": _declared,
    "status": _status,
    "severity": _severity,
    "merge": _merge,
    "member": _member,
    "role": _role,
    "service": _service,
    "edit": _edit,
}


def _step(state: State, name: str, step: Mapping[str, Any], entry: Told) -> None:
    """From one value to another: the one before must be what was told."""
    if "to" not in step:
        return
    if getattr(state, name) != step["from"]:
        raise Contradiction(f"Entry {entry.sequence}: {name} was {getattr(state, name)!r}, not {step['from']!r}.")
    setattr(state, name, step["to"])


def _set(values: dict[str, Any], name: str, value: Any) -> None:
    """None takes it away."""
    if value is None:
        values.pop(name, None)
    else:
        values[name] = value
