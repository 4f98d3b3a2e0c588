"""Wire formats: each module turns what one kind of sender posts into normalised events. Pure: requests in, data out.

A dialect is one module here that defines `DIALECT`; nothing else needs to know of it.
"""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple
from urllib.parse import unquote

from alerts.dialects.format import Dialect, DialectError, NormalisedEvent

__all__ = ["DIALECTS", "Dialect", "DialectError", "NormalisedEvent", "Spoken", "address_of", "methods_at", "spoken_at"]


def _found() -> Iterator[Dialect]:
    for module in sorted(iter_modules(__path__), key=lambda each: each.name):
        dialect = getattr(import_module(f"{__name__}.{module.name}"), "DIALECT", None)
        if dialect is not None:
            yield dialect


DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in _found()}
_PLACEHOLDER = re.compile(r"<(path:)?(\w+)>")


def _pattern(address: str) -> re.Pattern[str]:
    """What a path must look like to be this address."""
    pieces, end = [], 0
    for found in _PLACEHOLDER.finditer(address):
        anything = ".+" if found[1] else "[^/]+"
        pieces += [re.escape(address[end : found.start()]), f"(?P<{found[2]}>{anything})"]
        end = found.end()
    return re.compile("".join(pieces) + re.escape(address[end:]))


_SPOKEN: list[tuple[re.Pattern[str], Dialect, str, frozenset[str]]] = [
    (_pattern(address), dialect, address, frozenset(dialect.methods.get(address, ("POST",))))
    for dialect in DIALECTS.values()
    for address in dialect.addresses
]


class Spoken(NamedTuple):
    """What is spoken at a path: the dialect, its address with the placeholders, the token if it is in the path.

    `parts` is what stood in the other placeholders, decoded; `path` is the path with the placeholder of the token.
    """

    dialect: Dialect
    address: str
    token: str
    method: str
    parts: Mapping[str, str]
    path: str


def spoken_at(path: str, method: str = "POST") -> Spoken | None:
    """What is spoken at this path (as it is sent: encoded, but without its first slash) by this method.

    None if it is no sender's address, or does not hear the method.
    """
    for pattern, dialect, address, methods in _SPOKEN:
        found = pattern.fullmatch(path) if method in methods else None
        if found:
            said = {name: unquote(part) for name, part in found.groupdict().items()}
            parts = {name: part for name, part in said.items() if name != "token"}
            return Spoken(dialect, address, said.get("token", ""), method, parts, _stored(address, parts))
    return None


def _stored(address: str, parts: Mapping[str, str]) -> str:
    """The address with what stood in it, encoded only where it must be to be read again, and without the token."""

    def stands(found: re.Match[str]) -> str:
        part = parts.get(found[2])
        return found[0] if part is None else part.replace("%", "%25").replace("/", "%2F")

    return _PLACEHOLDER.sub(stands, address)


def methods_at(path: str) -> list[str]:
    """The methods that are heard at this path, sorted; none if it is no sender's address."""
    return sorted({method for pattern, _, _, methods in _SPOKEN if pattern.fullmatch(path) for method in methods})


def address_of(dialect: Dialect, token: str, source_id: int) -> str:
    """The path that a sender of a source posts to; "" if the dialect is spoken at none."""
    if not dialect.addresses:
        return ""
    return dialect.addresses[0].replace("<token>", token).replace("<id>", str(source_id))
