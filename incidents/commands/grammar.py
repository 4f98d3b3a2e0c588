"""The grammar of commands, pure: `/word args @person "quoted words" #142 and the rest`.

A command begins with a slash and a letter. What follows are words, people after an @, numbers of incidents after a #,
and anything in double quotes as one word; what a command takes as text is everything from there on, as it was typed.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from events.errors import Invalid

TokenKind = Literal["word", "quoted", "person", "tag"]
MOST_LISTED = 8
COMMAND = re.compile(r"/([A-Za-z][\w-]*)(?=\s|$)")
TOKEN = re.compile(r'(?P<mark>[@#])?"(?P<quoted>[^"\n]*)"(?=\s|$)|(?P<plain>\S+)')


@dataclass(frozen=True)
class Token:
    """One piece of what was typed, without its mark or its quotes; `start` and `end` are its place in the line."""

    kind: TokenKind
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Line:
    """A command as it was typed: its name in lower case, its tokens, and the whole."""

    name: str
    tokens: tuple[Token, ...]
    text: str

    def rest_from(self, token: Token) -> str:
        """Everything from a token on, as it was typed."""
        return self.text[token.start :].strip()


def is_command(text: str) -> bool:
    """Whether this is meant as a command: a slash and a word, and not a path such as /var/log."""
    return COMMAND.match(text.lstrip()) is not None


def parse(text: str) -> Line:
    """The command and its tokens; raises Invalid for what is no command, and for a quote that does not end."""
    text = text.strip()
    found = COMMAND.match(text)
    if found is None:
        raise Invalid("That is no command.", field="text", remedy="Begin with a slash and a word; /help lists all.")
    tokens = tuple(_token(match) for match in TOKEN.finditer(text, found.end()))
    return Line(found[1].lower(), tokens, text)


def _token(match: "re.Match[str]") -> Token:
    start, end = match.span()
    if match["quoted"] is not None:
        kinds: dict[str | None, TokenKind] = {"@": "person", "#": "tag", None: "quoted"}
        return Token(kinds[match["mark"]], match["quoted"].strip(), start, end)
    plain = match["plain"]
    if len(plain) > 1 and plain[0] == "@":
        return Token("person", plain[1:], start, end)
    if len(plain) > 1 and plain[0] == "#":
        return Token("tag", plain[1:], start, end)
    return Token("word", plain, start, end)


def unknown(what: str, typed: str, known: list[str]) -> Invalid:
    """The error for a word that nothing is called by: it names what comes close, or what there is."""
    close = get_close_matches(typed.lower(), known, n=3, cutoff=0.6)
    if close and len(known) > MOST_LISTED:
        remedy = f"Did you mean {_or(close)}?"
    elif known:
        shown = known[:MOST_LISTED]
        remedy = f"Use {_or(shown)}." if len(known) == len(shown) else f"Use one such as {_or(shown)}."
    else:
        remedy = "There is none yet."
    return Invalid(f"There is no {what} “{typed}”.", field="text", remedy=remedy)


def _or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
