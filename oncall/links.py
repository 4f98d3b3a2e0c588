"""Signed links that let a person act without signing in. A link names one page, one person and one verb."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

PAGE_SALT = "oncall.page"
PROOF_SALT = "oncall.proof"
VALID_FOR = timedelta(days=7)
# What a link can do by itself; `answer` leads to the page that offers the first three.
ACTS = ("acknowledge", "escalate", "decline")
LINKED = (*ACTS, "received")
VERBS = ("answer", *LINKED)


@dataclass(frozen=True)
class PageToken:
    """What a page's link says: which page, for whom, to do what."""

    page_id: int
    user_id: int
    verb: str


def page_token(page_id: int, user_id: int, verb: str = "answer") -> str:
    """The secret part of a page's link."""
    return signing.dumps([page_id, user_id, VERBS.index(verb)], salt=PAGE_SALT)


def page_link(page_id: int, user_id: int, verb: str = "answer") -> str:
    """The absolute address at which the paged person answers, or does the one thing that the verb names."""
    return settings.PUBLIC_URL + reverse("oncall:answer", args=[page_token(page_id, user_id, verb)])


class PageLinks(Mapping[str, str]):
    """One link for each thing that can be done, and `received`, to which a device reports that the page arrived.

    A link is made when it is read: most messages show none of them.
    """

    def __init__(self, page_id: int, user_id: int) -> None:
        self._page_id, self._user_id = page_id, user_id

    def __getitem__(self, verb: str) -> str:
        if verb not in LINKED:
            raise KeyError(verb)
        return page_link(self._page_id, self._user_id, verb)

    def __iter__(self) -> Iterator[str]:
        return iter(LINKED)

    def __len__(self) -> int:
        return len(LINKED)


def page_of_token(token: str) -> PageToken | None:
    """What a link says, or None if it is forged, cut off or too old."""
    try:
        page_id, user_id, verb = signing.loads(token, salt=PAGE_SALT, max_age=VALID_FOR)
        return PageToken(page_id, user_id, VERBS[verb])
    except (signing.BadSignature, TypeError, ValueError, IndexError):
        return None


def proof_link(method_id: int) -> str:
    """The absolute address at which somebody says that a test reached them through this contact method."""
    return settings.PUBLIC_URL + reverse("oncall:prove", args=[signing.dumps(method_id, salt=PROOF_SALT)])


def method_of_proof(token: str) -> int | None:
    """The id of the contact method behind a test's link, or None if it is forged or too old."""
    try:
        return int(signing.loads(token, salt=PROOF_SALT, max_age=VALID_FOR))
    except (signing.BadSignature, TypeError, ValueError):
        return None
