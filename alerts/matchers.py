"""The matchers of Alertmanager's silences. Pure; follows `pkg/labels/matcher.go` and `api/v2/openapi.yaml`.

Each is a mapping of `name` (of a label), `value`, `isRegex` and `isEqual` (true unless it says otherwise).
"""

import re
from collections.abc import Mapping
from typing import Any

LONGEST_PATTERN = 1000
LONGEST_LABEL_MATCHED = 2000


def check_matcher(matcher: Any) -> str:
    """What is wrong with a matcher, in words; nothing if it is right."""
    if not isinstance(matcher, Mapping) or not isinstance(matcher.get("name"), str) or not matcher["name"]:
        return "A matcher names a label."
    name, value = matcher["name"], matcher.get("value")
    if not isinstance(value, str) or len(value) > LONGEST_PATTERN:
        return f"The matcher of {name} needs a value of at most {LONGEST_PATTERN} characters."
    if not all(isinstance(matcher.get(key, True), bool) for key in ("isRegex", "isEqual")):
        return f"isRegex and isEqual of the matcher of {name} are true or false."
    if matcher.get("isRegex"):
        try:
            re.compile(value)
        except re.error as error:
            return f"The pattern for {name} can't be read: {error}."
    return ""


def matches(matcher: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Whether it holds: a label that is missing is empty, a pattern is for the whole of the value."""
    label, value = str(labels.get(matcher["name"], ""))[:LONGEST_LABEL_MATCHED], matcher["value"]
    same = re.fullmatch(value, label) is not None if matcher.get("isRegex") else label == value
    return same is bool(matcher.get("isEqual", True))


def in_words(matcher: Mapping[str, Any]) -> str:
    """As amtool writes it: `alertname=~"Disk.*"`."""
    sign = {(True, False): "=", (True, True): "=~", (False, False): "!=", (False, True): "!~"}
    is_equal, is_regex = bool(matcher.get("isEqual", True)), bool(matcher.get("isRegex"))
    return f'{matcher["name"]}{sign[is_equal, is_regex]}"{matcher["value"]}"'
