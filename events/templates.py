"""Text with blanks that people write, in Liquid: `{{ title }} on {{ labels.host | upcase }}`. Pure, and bounded.

A template sees the facts that it is given and nothing else: no files, no other template, no attribute of an object.
What is missing is empty. Loops, output and memory have limits, so that no template can hold up a page.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError

LONGEST_TEMPLATE = 20_000


class BadTemplate(ValueError):
    """The template can't be read; the message says where and why."""


class _Bounded(Environment):
    context_depth_limit = 10
    loop_iteration_limit = 1_000
    output_stream_limit = 50_000
    local_namespace_limit = 50_000


_BOUNDED = _Bounded()


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


def fill(template: str, facts: Mapping[str, Any]) -> str:
    """The text; raises BadTemplate for one that can't be read or goes beyond its limits."""
    try:
        return str(_parsed(template).render(dict(facts))).strip()
    except LiquidError as error:
        raise BadTemplate(_reason(error)) from error


def _reason(error: LiquidError) -> str:
    """The first line of what is wrong, without the picture of it."""
    return str(error).split("\n", 1)[0][:300]
