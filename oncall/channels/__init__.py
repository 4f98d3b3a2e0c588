"""The ways in which a page can be sent. Each module registers one; the rest of Sitrep knows only this registry."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from oncall.models import ContactMethod


@dataclass(frozen=True)
class Message:
    """What a page says, whatever it is sent through. `link` leads to the page where one can acknowledge.

    A test asks for nothing: there is nothing to acknowledge.
    """

    page_id: int
    attempt: int
    person: str
    title: str
    detail: str
    facts: dict[str, str]
    since: datetime
    level: int
    link: str
    is_test: bool = False


@dataclass(frozen=True)
class Result:
    """What came of an attempt: `failed` is tried again, `refused` never is and marks the contact method as broken."""

    outcome: Literal["accepted", "failed", "refused"]
    detail: str = ""


# A sender only talks to the outside: it runs in a thread of its own and asks nothing of the database.
Sender = Callable[[ContactMethod, Message], Result]
_senders: dict[str, Sender] = {}


def sends(kind: str) -> Callable[[Sender], Sender]:
    """Registers the function that sends pages through contact methods of this kind."""

    def register(sender: Sender) -> Sender:
        _senders[kind] = sender
        return sender

    return register


def sender_of(kind: str) -> Sender:
    """The sender of that kind; raises LookupError when the integration is not there."""
    if kind not in _senders:
        raise LookupError(f"Nothing here can send to {kind!r}.")
    return _senders[kind]
