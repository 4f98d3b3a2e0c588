"""Which handler reacts to which event. Apps register theirs in `<app>/handlers.py`."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from events.models import Event

HandlerFunction = Callable[["Event"], None]
# The ids of those events that a handler has anything to do for.
Concerned = Callable[[Sequence["Event"]], Collection[int]]


@dataclass(frozen=True)
class Handler:
    """A named reaction. The name is stored with each delivery: never change it."""

    name: str
    event_names: frozenset[str]
    function: HandlerFunction
    concerned: Concerned | None = None

    def wants(self, event_name: str) -> bool:
        return event_name in self.event_names or "*" in self.event_names


_handlers: dict[str, Handler] = {}


def handles(
    *event_names: str, name: str, concerned: Concerned | None = None
) -> Callable[[HandlerFunction], HandlerFunction]:
    """Registers a function as the handler `name` of these events ("*" means all).

    It is called at least once per event, inside a transaction in which the delivery is marked done: effects on the
    database happen exactly once, effects outside may repeat and must use the delivery as their idempotency key. Where
    most events are not its business, `concerned` tells of many at once which are: the others cost it nothing.
    """

    def register(function: HandlerFunction) -> HandlerFunction:
        if name in _handlers and _handlers[name].function is not function:
            raise ValueError(f"Two handlers are called {name!r}.")
        _handlers[name] = Handler(name, frozenset(event_names), function, concerned)
        return function

    return register


def handlers_of(event_name: str) -> list[Handler]:
    """The handlers that want this event, in the order of their names."""
    return [_handlers[name] for name in sorted(_handlers) if _handlers[name].wants(event_name)]


def handler_called(name: str) -> Handler | None:
    """The handler of that name, or None when the code that stored the delivery is gone."""
    return _handlers.get(name)
