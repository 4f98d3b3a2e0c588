"""The ways in which a page can be sent. Each module registers one; the rest of Sitrep knows only this registry."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeVar

from oncall.models import ContactMethod

Purpose = Literal["page", "test", "code", "notice"]
Verb = Literal["answer", "acknowledge", "escalate", "decline"]
Provider = TypeVar("Provider")


@dataclass(frozen=True)
class Message:
    """What a page says, whatever it is sent through. `link` leads to the page where one can answer.

    Only a page asks for an answer. A `test` asks at most to be seen: whoever opens its link proves that it arrived. A
    `code` verifies the contact method that it is sent through, a `notice` tells its person something about paging.
    `others` are the titles of further pages that this one speaks for, so that a storm is one call and not forty;
    `links` are the addresses that do one thing each, by verb. `reference` names the message to providers that report
    back: a page's attempt or a test.
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
    purpose: Purpose = "page"
    urgency: str = "high"
    others: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    reference: str = ""

    @property
    def is_page(self) -> bool:
        """Whether it asks for an answer."""
        return self.purpose == "page"


@dataclass(frozen=True)
class Result:
    """What came of an attempt: `failed` is tried again, `refused` never is and marks the contact method as broken.

    No sender says `not_sent`: that is a page which nobody needed any more when its turn came, so nothing was tried.
    `provider` is who took it or was tried last, `provider_id` its name for the message, by which it reports back.
    """

    outcome: Literal["accepted", "failed", "refused", "not_sent"]
    detail: str = ""
    provider: str = ""
    provider_id: str = ""


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


def first_that_works(providers: Iterable[Provider], send: Callable[[Provider], Result], *, missing: str) -> Result:
    """Tries providers in order within one attempt until one accepts or says that the address itself is refused.

    When all fail the detail names each one's reason; without any provider it is `missing`.
    """
    failures: list[Result] = []
    for provider in providers:
        result = send(provider)
        if result.outcome != "failed":
            if not failures:
                return result
            before = "; ".join(f"{failure.provider}: {failure.detail}" for failure in failures)
            return Result(result.outcome, f"{result.detail} (after {before})", result.provider, result.provider_id)
        failures.append(result)
    if not failures:
        return Result("failed", missing)
    if len(failures) == 1:
        return failures[0]
    reasons = "; ".join(f"{failure.provider}: {failure.detail}" for failure in failures)
    return Result("failed", reasons, failures[-1].provider)
