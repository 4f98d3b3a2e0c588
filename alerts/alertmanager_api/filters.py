"""Matchers as amtool and Grafana write them in a query: `alertname="Disk"`, `{job=~"api|web",env!=dev}`. Pure.

Follows prometheus/alertmanager `pkg/labels/parse.go`.
"""

import re
from typing import Any

MATCHER = re.compile(
    r'\s*(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?P<sign>=~|!~|!=|=)\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<word>[^",}]*))\s*'
)
ESCAPED = re.compile(r"\\(.)")
ESCAPES = {"n": "\n"}


class BadMatcher(Exception):
    """The text is no matcher; it says why."""


def parse_matchers(text: str) -> list[dict[str, Any]]:
    """The matchers of one text, in the shape of a silence's; raises BadMatcher."""
    inner = text.strip()
    if inner.startswith("{") != inner.endswith("}"):
        raise BadMatcher(f"bad matcher format: {text}")
    inner = inner.removeprefix("{").removesuffix("}").strip()
    found: list[dict[str, Any]] = []
    place = 0
    while place < len(inner):
        match = MATCHER.match(inner, place)
        if match is None:
            raise BadMatcher(f"bad matcher format: {text}")
        quoted, sign = match["quoted"], match["sign"]
        value = (
            match["word"].strip() if quoted is None else ESCAPED.sub(lambda each: ESCAPES.get(each[1], each[1]), quoted)
        )
        matcher = {
            "name": match["name"],
            "value": value,
            "isRegex": sign in {"=~", "!~"},
            "isEqual": sign in {"=", "=~"},
        }
        found.append(matcher)
        place = match.end()
        if place < len(inner):
            if inner[place] != ",":
                raise BadMatcher(f"bad matcher format: {text}")
            place += 1
    return found
