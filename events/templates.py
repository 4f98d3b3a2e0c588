"""Text with blanks that people write, in Liquid: `{{ title }} on {{ labels.host | upcase }}`. Pure, and bounded.

A template sees the facts that it is given and nothing else: no files, no other template, no attribute of an object.
What is missing is empty. Loops, output and memory have limits, so that no template can hold up a page.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from itertools import takewhile
from typing import Any

from liquid import BoundTemplate, Environment, Undefined
from liquid.exceptions import LiquidError

LONGEST_TEMPLATE = 20_000


class BadTemplate(ValueError):
    """The template can't be read; the message says where and why."""


class _Bounded(Environment):
    context_depth_limit = 10
    loop_iteration_limit = 1_000
    output_stream_limit = 50_000
    local_namespace_limit = 50_000


class _Noted(Undefined):
    """Something that is missing where the text would have it."""

    __slots__ = ()

    def __str__(self) -> str:
        _left_empty.get([]).append((self.hint or self.name).removesuffix(" is undefined"))
        return ""


_left_empty: ContextVar[list[str]] = ContextVar("left_empty")
_BOUNDED = _Bounded(undefined=_Noted)


@lru_cache(maxsize=500)
def _parsed(template: str) -> BoundTemplate:
    if len(template) > LONGEST_TEMPLATE:
        raise BadTemplate(f"The template is longer than {LONGEST_TEMPLATE} characters.")
    try:
        return _BOUNDED.from_string(template)
    except LiquidError as error:
        raise BadTemplate(_reason(error)) from error


def check_template(template: str) -> None:
    """Raises BadTemplate unless it can be read."""
    _parsed(template)


def names_in(template: str) -> list[str]:
    """The names that it asks for, as dotted paths, each once; what it names itself is not among them.

    A path ends before what is looked up by another name: `labels` of `labels[key]`. Raises BadTemplate.
    """
    asked = [each for found in _parsed(template).analyze().globals.values() for each in found]
    paths = [".".join(takewhile(lambda part: isinstance(part, str), each.segments)) for each in asked]  # type: ignore[arg-type]  # they are texts
    return list(dict.fromkeys(paths))


def fill(template: str, facts: Mapping[str, Any]) -> str:
    """The text; raises BadTemplate for one that can't be read or goes beyond its limits."""
    return filled_in(template, facts)[0]


def filled_in(template: str, facts: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The text, and the names in it that were left empty since nothing is called so; raises BadTemplate."""
    empty: list[str] = []
    token = _left_empty.set(empty)
    try:
        return str(_parsed(template).render(dict(facts))).strip(), list(dict.fromkeys(empty))
    except LiquidError as error:
        raise BadTemplate(_reason(error)) from error
    finally:
        _left_empty.reset(token)


def _reason(error: LiquidError) -> str:
    """The first line of what is wrong, without the picture of it."""
    return str(error).split("\n", 1)[0][:300]
