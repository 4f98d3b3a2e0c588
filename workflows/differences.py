"""What has changed from one definition of a workflow to another, in words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from workflows.definition import BLOCKS, walk
from workflows.facts import condition_words
from workflows.registry import short, step_called
from workflows.words import trigger_words, words_of

SHOWN = 200
ALL_BLOCKS = {name for names in BLOCKS.values() for name in names}


@dataclass(frozen=True)
class Change:
    """One change. `kind` is added, removed, moved or changed; `before` and `after` are empty where nothing stood."""

    kind: str
    what: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        if self.kind == "changed":
            return f"{self.what}: {self.before or '–'} → {self.after or '–'}"
        return f"{self.what} ({self.kind})"


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """From the one to the other: what starts it first, then its steps, by their ids. Empty if they say the same."""
    found = _if_changed(_("Starts"), *(trigger_words(each.get("trigger") or {}) for each in (before, after)))
    found += _if_changed(_("Only if"), *(condition_words(each.get("conditions")) for each in (before, after)))
    found += _if_changed(_("Once for each"), *(str(each.get("once", "event")) for each in (before, after)))
    old, new = _by_id(before), _by_id(after)
    # Those that stay in their block: where one of them stands among the others tells whether it moved.
    stay_old = [key for key in old if key in new and old[key][1] == new[key][1]]
    stay_new = [key for key in new if key in set(stay_old)]
    found += [Change("removed", words_of(step)) for key, (step, _block) in old.items() if key not in new]
    for key, (step, block) in new.items():
        if key not in old:
            found.append(Change("added", words_of(step)))
            continue
        earlier, place = old[key]
        if place != block or _rank(stay_old, key, old) != _rank(stay_new, key, new):
            found.append(Change("moved", words_of(step)))
        found += _of_step(earlier, step)
    return found


def _rank(keys: list[str], key: str, steps: Mapping[str, tuple[Mapping[str, Any], str]]) -> int:
    """Which of the steps of its block it is, among those that both have."""
    return [each for each in keys if steps[each][1] == steps[key][1]].index(key)


def _by_id(definition: Mapping[str, Any]) -> dict[str, tuple[Mapping[str, Any], str]]:
    """Each step by its id, with the block in which it stands: the workflow's own, or a step's id and its block."""
    by_path = dict(walk(definition))
    found = {}
    for path, step in by_path.items():
        block, _dot, _index = path.rpartition(".")
        owner, _dot, name = block.rpartition(".")
        found[str(step.get("id"))] = (step, f"{by_path[owner].get('id')}.{name}" if owner else block)
    return found


def _of_step(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    head = str(after.get("name") or words_of(after))
    if before.get("kind") != after.get("kind"):
        return [Change("changed", head, words_of(before), words_of(after))]
    found = []
    known = step_called(str(after.get("kind")))
    labels = {param.name: str(param.label) for param in known.params} if known else {}
    old, new = before.get("params") or {}, after.get("params") or {}
    for name in [*labels, *(each for each in {**old, **new} if each not in labels)]:
        if old.get(name) != new.get(name):
            what = f"{head}, {labels.get(name, name)}"
            found.append(Change("changed", what, _value(old.get(name)), _value(new.get(name))))
    if (before.get("conditions") or {}) != (after.get("conditions") or {}):
        was, now = condition_words(before.get("conditions")), condition_words(after.get("conditions"))
        found.append(Change("changed", f"{head}, {_('only if')}", was, now))
    for key, words in (("name", _("name")), ("on_error", _("on error")), ("timeout_minutes", _("time-out"))):
        found += _if_changed(f"{head}, {words}", str(before.get(key, "")), str(after.get(key, "")))
    return found


def _if_changed(what: str, before: str, after: str) -> list[Change]:
    return [] if before == after else [Change("changed", what, before, after)]


def _value(value: Any) -> str:
    if isinstance(value, Mapping) and "sealed" in value:
        return "••••"
    if value is None:
        return ""
    return short(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), SHOWN)
