"""Which commands there are: each a function with typed parameters that calls one action.

Apps above incidents register theirs in the same way, from a module that they import when they start:

    @command("postmortem", help=gettext_lazy("Starts the postmortem."))
    def postmortem(asking: Asking) -> Answer: ...
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Union

from accounts.actor import Actor
from incidents.commands.grammar import Token
from incidents.models import Incident, TimelineEntry

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

Words = Union[str, "StrPromise"]


@dataclass(frozen=True)
class Asking:
    """Who asks, about which incident, when."""

    actor: Actor
    incident: Incident
    now: datetime


@dataclass(frozen=True)
class Answer:
    """What a command says to whoever typed it (nothing where the timeline tells it), and the entry that it wrote."""

    text: str = ""
    entry: TimelineEntry | None = None


@dataclass(frozen=True)
class Suggestion:
    """What can stand at a place: what is inserted, what it is called, and a few words about it."""

    insert: str
    title: str
    about: str = ""


@dataclass(frozen=True)
class ArgumentKind:
    """A kind of thing that can be typed: how it is read and what is suggested for it.

    `read` raises Invalid, naming what is wrong and what there is. People (`is_person`) are found
    anywhere in the line by their @. A kind that takes the rest reads all that is left of the line as one word. A flag
    is the word that the kind is called by, at the end of the line.
    """

    name: str
    read: Callable[[Asking, Token], Any]
    suggest: Callable[[Asking, str], Sequence[Suggestion]] = lambda asking, typed: ()
    is_person: bool = False
    takes_rest: bool = False
    is_flag: bool = False


@dataclass(frozen=True)
class Parameter:
    """One argument of a command: its name in the function, its kind, and whether it may be left out."""

    name: str
    kind: ArgumentKind
    is_optional: bool = False
    label: str = ""

    @property
    def words(self) -> str:
        """What stands for it in the command's usage."""
        label = self.label or (self.kind.name if self.kind.is_flag else self.name.replace("_", " "))
        return f"@{label}" if self.kind.is_person else f"{label}…" if self.kind.takes_rest else label

    @property
    def usage(self) -> str:
        return f"[{self.words}]" if self.is_optional else f"<{self.words}>"


@dataclass(frozen=True)
class Command:
    """A command: its name, what it takes, what it does in a sentence, and the function that does it.

    `is_for_readers`: it changes nothing but what is the asker's own, so that viewers may use it.
    """

    name: str
    parameters: tuple[Parameter, ...]
    help: Words
    run: Callable[..., Answer | None]
    example: str = ""
    is_for_readers: bool = False

    @property
    def usage(self) -> str:
        return " ".join([f"/{self.name}", *(parameter.usage for parameter in self.parameters)])


_commands: dict[str, Command] = {}


def command(
    name: str, *parameters: Parameter, help: Words, example: str = "", is_for_readers: bool = False
) -> Callable[[Callable[..., Answer | None]], Callable[..., Answer | None]]:
    """Registers a function as the command of that name; it is given the asking and each argument by its name."""

    def register(function: Callable[..., Answer | None]) -> Callable[..., Answer | None]:
        if name in _commands and _commands[name].run is not function:
            raise ValueError(f"Two commands are called /{name}.")
        _commands[name] = Command(name, parameters, help, function, example, is_for_readers)
        return function

    return register


def command_called(name: str) -> Command | None:
    return _commands.get(name)


def all_commands() -> list[Command]:
    """Every command, by name."""
    return [_commands[name] for name in sorted(_commands)]
