"""Wire formats: each module turns what one kind of sender posts into normalised events. Pure: requests in, data out.

A dialect is one module here that defines `DIALECT`; nothing else needs to know of it.
"""

import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple

from alerts.dialects.format import Dialect, DialectError, NormalisedEvent

__all__ = ["DIALECTS", "Dialect", "DialectError", "NormalisedEvent", "Spoken", "address_of", "spoken_at"]


def _found() -> Iterator[Dialect]:
    for module in sorted(iter_modules(__path__), key=lambda each: each.name):
        dialect = getattr(import_module(f"{__name__}.{module.name}"), "DIALECT", None)
        if dialect is not None:
            yield dialect


DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in _found()}
_SPOKEN: list[tuple[re.Pattern[str], Dialect, str]] = [
    (re.compile(re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", re.escape(address))), dialect, address)
    for dialect in DIALECTS.values()
    for address in dialect.addresses
]


class Spoken(NamedTuple):
    """What is spoken at a path: the dialect, its address with the placeholders, and the token if it is in the path."""

    dialect: Dialect
    address: str
    token: str


def spoken_at(path: str) -> Spoken | None:
    """What is spoken at this path (without its first slash); None if it is no sender's address."""
    for pattern, dialect, address in _SPOKEN:
        found = pattern.fullmatch(path)
        if found:
            return Spoken(dialect, address, found.groupdict().get("token", ""))
    return None


def address_of(dialect: Dialect, token: str, source_id: int) -> str:
    """The path that a sender of a source posts to."""
    return dialect.addresses[0].replace("<token>", token).replace("<id>", str(source_id))
