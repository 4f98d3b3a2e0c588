"""Which facts a workflow can ask for, and what people call them. What they are is told at workflows/context.py."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from events.conditions import MISSING, TAKES_NOTHING, in_words, look_up
from incidents.facts import NAMES as INCIDENT_NAMES
from workflows.subjects import ABOUT

HOURS = "working_hours"
# The names under each name that a run always has. What lies deeper is the business of whoever asks.
ALWAYS: dict[str, tuple[str, ...]] = {
    "incident": (*INCIDENT_NAMES, "roles", "fields", "acknowledge_minutes"),
    "event": ("name", "by", "by_kind", "at", "data"),
    "now": ("iso", "date", "weekday", "hour"),
    "run": ("id", "url", "workflow", "started_at", "started_by"),
    "webhook": ("body", "text"),
}
# What attributes an alert has is its source's business, and which schedules there are the house's.
OPEN = ("alert", HOURS)
KNOWN: dict[str, tuple[str, ...]] = {**ALWAYS, **ABOUT}
THINGS = {
    "incident": gettext_lazy("an incident"),
    "alert": gettext_lazy("an alert"),
    "escalation": gettext_lazy("an escalation"),
    "postmortem": gettext_lazy("a postmortem"),
    "action_item": gettext_lazy("an action item"),
    "window": gettext_lazy("a maintenance window"),
    "schedule": gettext_lazy("a schedule"),
    "public_incident": gettext_lazy("a public incident"),
    "webhook": gettext_lazy("what was posted to a webhook"),
}


def unknown(name: str, *, steps: Mapping[str, Any], loops: tuple[str, ...] = ()) -> str:
    """Why no fact can be called so, wherever the workflow runs; "" if one can. `steps` are all of it by their ids."""
    root, _dot, rest = name.partition(".")
    first = rest.partition(".")[0]
    if root in loops or root in OPEN or (root == "loop" and loops):
        return ""
    if root == "steps":
        if not first or first in steps:
            return ""
        return _("No step of this workflow is known as %(id)s.") % {"id": first} + _nearest(first, steps)
    if root not in KNOWN:
        known = [*KNOWN, *OPEN, "steps", *loops]
        return _("There is no fact %(name)s.") % {"name": name} + (
            _nearest(name, _all_names()) or _nearest(root, known)
        )
    if first and first not in KNOWN[root]:
        wanted = [f"{root}.{each}" for each in KNOWN[root]]
        return _("There is no fact %(name)s.") % {"name": name} + _nearest(f"{root}.{first}", wanted)
    return ""


def _all_names() -> list[str]:
    return [f"{root}.{each}" for root, names in KNOWN.items() for each in names]


def _nearest(name: str, known: Any) -> str:
    """ " Do you mean incident.severity?", where one is called nearly so."""
    tail = [each for each in known if each.rpartition(".")[2] == name]
    found = tail[:1] or get_close_matches(name, list(known), n=1, cutoff=0.75)
    return " " + _("Do you mean %(name)s?") % {"name": found[0]} if found else ""


# --- Words ------------------------------------------------------------------------------------------------------------

OF = {
    "alert": gettext_lazy("the alert's %(what)s"),
    "escalation": gettext_lazy("the paging's %(what)s"),
    "postmortem": gettext_lazy("the postmortem's %(what)s"),
    "action_item": gettext_lazy("the action item's %(what)s"),
    "window": gettext_lazy("the maintenance window's %(what)s"),
    "schedule": gettext_lazy("the schedule's %(what)s"),
    "public_incident": gettext_lazy("the public incident's %(what)s"),
    "run": gettext_lazy("the run's %(what)s"),
    "data": gettext_lazy("the event's %(what)s"),
    "body": gettext_lazy("the posted %(what)s"),
}
SINGLE = {
    "event.name": gettext_lazy("what happened"),
    "event.by": gettext_lazy("who did it"),
    "event.by_kind": gettext_lazy("what kind of actor did it"),
    "event.at": gettext_lazy("when it happened"),
    "now.weekday": gettext_lazy("the day of the week"),
    "now.hour": gettext_lazy("the hour of the day"),
    "now.date": gettext_lazy("the date"),
    "now.iso": gettext_lazy("the instant"),
    "webhook.text": gettext_lazy("what was posted"),
    "webhook.body": gettext_lazy("what was posted"),
    "loop.index": gettext_lazy("the number of the turn"),
    "loop.of": gettext_lazy("the number of turns"),
    "incident.tier": gettext_lazy("the tier of its most critical service"),
    "incident.rank": gettext_lazy("the rank of its severity"),
    "incident.url": gettext_lazy("its address"),
    "incident.has_update": gettext_lazy("whether it has an update"),
}


def named(fact: str) -> str:
    """A fact as a sentence has it: "its severity", "the alert's title", "whether it is open"."""
    if fact in SINGLE:
        return str(SINGLE[fact])
    if is_so := _what_is_so(fact):
        return _("whether it is %(what)s") % {"what": is_so}
    root, _dot, rest = fact.partition(".")
    of = OF.get("data" if fact.startswith("event.data.") else "body" if fact.startswith("webhook.body.") else root)
    if not rest or not (of or root in {"incident", "steps"}):
        return fact
    first, _dot, deeper = rest.partition(".")
    if root == "incident":
        return _of_the_incident(first, deeper)
    if root == "steps":
        return _("%(what)s of the step “%(id)s”") % {"what": _spoken(deeper) or _("what came"), "id": first}
    return str(of) % {"what": _spoken(rest if root in OF else deeper)}


def _what_is_so(fact: str) -> str:
    """What a fact that is true or not says of its subject: "open" for incident.is_open; "" for any other."""
    root, _dot, rest = fact.partition(".")
    if root == HOURS and rest:
        return _("working time on %(schedule)s") % {"schedule": rest}
    return _spoken(rest.removeprefix("is_")) if root == "incident" and rest.startswith("is_") else ""


def _of_the_incident(first: str, deeper: str) -> str:
    if first == "roles" and deeper:
        return _("whoever is its %(role)s") % {"role": _spoken(deeper)}
    if first == "fields" and deeper:
        return _("its field “%(field)s”") % {"field": _spoken(deeper)}
    return _("its %(what)s") % {"what": _spoken(f"{first}.{deeper}" if deeper else first)}


def _spoken(path: str) -> str:
    return path.replace("_", " ").replace(".", " ")


def condition_words(condition: Any) -> str:
    """A condition as people say it: "its severity is sev1 and it is open"; one that is being written is "…"."""
    try:
        return _said(condition or {})
    except (KeyError, TypeError, AttributeError):
        return "…"


def not_so(condition: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """Why a condition does not hold: what it says, and which of what it asks is not known here."""
    said = f"Not so: {condition_words(condition)}."
    missing = [name for name in _compared(condition) if look_up(facts, name) is MISSING]
    return f"{said} Not known here: {', '.join(dict.fromkeys(missing))}." if missing else said


def _compared(condition: Mapping[str, Any]) -> Iterator[str]:
    for part in (
        *condition.get("all", ()),
        *condition.get("any", ()),
        *([condition["not"]] if "not" in condition else ()),
    ):
        yield from _compared(part)
    if "fact" in condition and condition["operator"] not in TAKES_NOTHING:
        yield condition["fact"]


def _said(condition: Mapping[str, Any]) -> str:
    for word, joint in (("all", _("and")), ("any", _("or"))):
        if word in condition:
            return f" {joint} ".join(_within(part, word) for part in condition[word]) or in_words({})
    if "not" in condition:
        return _("not (%(what)s)") % {"what": _said(condition["not"])}
    return _true_or_not(condition) or in_words(condition, named)


def _within(part: Mapping[str, Any], word: str) -> str:
    """A part, in brackets where the sentence would else say something different."""
    other = part.get("any" if word == "all" else "all")
    return f"({_said(part)})" if other and len(other) > 1 else _said(part)


def _true_or_not(condition: Mapping[str, Any]) -> str:
    """What reads "it is open" or "it is not open"; "" for another comparison."""
    what = _what_is_so(str(condition.get("fact", "")))
    value = str(condition.get("value")).casefold()
    if not what or condition["operator"] not in {"is", "is_not"} or value not in {"true", "false"}:
        return ""
    is_so = (value == "true") == (condition["operator"] == "is")
    return (_("it is %(what)s") if is_so else _("it is not %(what)s")) % {"what": what}
