"""Opsgenie's search language for alerts, as a tree. Pure.

Follows docs.opsgenie.com, "Search queries for alerts": `field: value`, `field = value`, `!=`, `<`, `<=`, `>`, `>=`;
values in quotation marks or in brackets (`priority: (P1 OR P2)`); words alone; a trailing `*`; AND, OR, NOT, brackets.
Two conditions without a word between are both meant.
"""

import re
from dataclasses import dataclass
from typing import Literal

LONGEST = 1000
MOST_TERMS = 50
DEEPEST = 20
TOKEN = re.compile(r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign>\(|\)|!=|<=|>=|[:=<>])|(?P<word>[^\s()":=<>!]+))')
ESCAPED = re.compile(r"\\(.)")
Sign = Literal[":", "!=", "<", "<=", ">", ">="]
SIGNS: dict[str, Sign] = {":": ":", "=": ":", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class BadQuery(Exception):
    """The query can't be read; the text says why."""


@dataclass(frozen=True)
class Term:
    """One condition. Without a field it is a word to be found anywhere."""

    field: str
    sign: Sign
    value: str


@dataclass(frozen=True)
class Not:
    """What must not hold."""

    node: "Node"


@dataclass(frozen=True)
class Both:
    """All of these, or any of them."""

    kind: Literal["AND", "OR"]
    nodes: tuple["Node", ...]


Node = Term | Not | Both


def parse_query(text: str) -> Node | None:
    """The query as a tree, or None for an empty one; raises BadQuery."""
    if len(text) > LONGEST:
        raise BadQuery(f"the query has more than {LONGEST} characters")
    reader = _Reader(_tokens(text))
    if reader.is_at_end():
        return None
    node = reader.any_of(0)
    if not reader.is_at_end():
        raise BadQuery(f"{reader.next()!r} is not expected here")
    return node


def _tokens(text: str) -> list[str]:
    tokens, place, end = [], 0, len(text.rstrip())
    while place < end:
        found = TOKEN.match(text, place)
        if not found:
            raise BadQuery(f"it can't be read from {text[place:].strip()[:20]!r} on")
        tokens.append(found[0].strip())
        place = found.end()
    return tokens


class _Reader:
    """Reads tokens from the first to the last."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0
        self._terms = 0

    def is_at_end(self) -> bool:
        return self._place == len(self._tokens)

    def peek(self, ahead: int = 0) -> str:
        place = self._place + ahead
        return self._tokens[place] if place < len(self._tokens) else ""

    def next(self) -> str:
        if self.is_at_end():
            raise BadQuery("it ends too early")
        self._place += 1
        return self._tokens[self._place - 1]

    def any_of(self, depth: int, field: str = "") -> Node:
        nodes = [self.all_of(depth, field)]
        while self.peek().upper() == "OR":
            self.next()
            nodes.append(self.all_of(depth, field))
        return nodes[0] if len(nodes) == 1 else Both("OR", tuple(nodes))

    def all_of(self, depth: int, field: str) -> Node:
        nodes = [self.one(depth, field)]
        while not self.is_at_end() and self.peek() != ")" and self.peek().upper() != "OR":
            if self.peek().upper() == "AND":
                self.next()
            nodes.append(self.one(depth, field))
        return nodes[0] if len(nodes) == 1 else Both("AND", tuple(nodes))

    def one(self, depth: int, field: str) -> Node:
        if depth > DEEPEST:
            raise BadQuery("its brackets are nested too deeply")
        word = self.next()
        if word.upper() == "NOT":
            return Not(self.one(depth + 1, field))
        if word == "(":
            return self._closed(self.any_of(depth + 1, field))
        if word == ")" or word in SIGNS or word.upper() in {"AND", "OR"}:
            raise BadQuery(f"{word!r} is not expected here")
        sign = SIGNS.get(self.peek())
        if field or sign is None:
            return self._term(field, ":", word)
        self.next()
        if sign == ":" and self.peek() == "(":
            self.next()
            return self._closed(self.any_of(depth + 1, word))
        value = self.next()
        if value in {")", "("} or value in SIGNS:
            raise BadQuery(f"{value!r} is not expected here")
        return self._term(word, sign, value)

    def _closed(self, node: Node) -> Node:
        if self.is_at_end() or self.next() != ")":
            raise BadQuery("a bracket is not closed")
        return node

    def _term(self, field: str, sign: Sign, value: str) -> Term:
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise BadQuery(f"it has more than {MOST_TERMS} conditions")
        if value.startswith('"'):
            value = ESCAPED.sub(r"\1", value[1:-1])
        return Term(field, sign, value)
