"""What conditions and templates of a workflow can ask: documented, and nothing but plain values.

| name | what it is |
| --- | --- |
| `incident.…` | the incident as it is now: all of incidents/facts.py, and `acknowledge_minutes`, its target |
| `event.name`, `event.by`, `event.data.…` | what started the run |
| `alert.…`, `escalation.…`, `postmortem.…`, … | what the event is about (workflows/subjects.py) |
| `webhook.body.…`, `webhook.text` | what was posted |
| `now.iso`, `now.date`, `now.weekday` (monday, …), `now.hour` | the instant, in the zone of the trigger, or UTC |
| `working_hours.<schedule>` | whether it is working time on that schedule; read only where somebody asks |
| `run.id`, `run.url`, `run.workflow`, `run.started_at`, `run.started_by` | the run |
| `steps.<id>.<name>` | what an earlier step returned |
| the name that a loop gives | the item of this turn; `loop.index` counts from 1 |
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from incidents.facts import facts_of as facts_of_incident
from incidents.facts import known_facts as known_facts_of_incidents
from incidents.models import Incident
from oncall.hours import is_working_hours
from oncall.models import Schedule
from oncall.roster import schedule_specs
from workflows.asking import doubtful_facts, rows_named_by
from workflows.definition import Problem, walk
from workflows.facts import ALWAYS, HOURS
from workflows.models import WorkflowRun
from workflows.naming import ROWS, absent
from workflows.registry import step_called
from workflows.subjects import ABOUT, address, plain

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def facts_of_the_incident(incident: Incident) -> dict[str, Any]:
    """What stands under `incident`."""
    target = incident.severity.acknowledge_target
    facts = plain(facts_of_incident(incident))
    return {**facts, "acknowledge_minutes": target.total_seconds() / 60 if target else None}


def facts_of_the_moment(now: datetime, zone: str = "UTC") -> dict[str, Any]:
    """What stands under `now`."""
    local = now.astimezone(ZoneInfo(zone))
    return {
        "iso": local.isoformat(),
        "date": local.date().isoformat(),
        "weekday": WEEKDAYS[local.weekday()],
        "hour": local.hour,
    }


def facts_of_run(run: WorkflowRun) -> dict[str, Any]:
    """What stands under `run`."""
    return {
        "id": run.pk,
        "url": address(run.get_absolute_url()),
        "workflow": run.workflow.name,
        "started_at": run.created_at.isoformat(),
        "started_by": run.started_by_name,
    }


def facts_of_working_hours(asked: Any, now: datetime) -> dict[str, bool]:
    """Whether it is working time on each schedule; nothing unless what is asked names them."""
    if HOURS not in str(asked):
        return {}
    slugs = dict(Schedule.objects.values_list("pk", "slug"))
    specs = schedule_specs(now, now, set(slugs))
    return {slugs[pk]: is_working_hours(spec, now) for pk, spec in specs.items()}


def gathered(
    *,
    definition: Mapping[str, Any],
    told: Mapping[str, Any],
    incident: Incident | None,
    now: datetime,
    run: WorkflowRun | None = None,
    outputs: Mapping[str, Any] | None = None,
    loops: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """All facts together: what the trigger told, the incident as it is, the moment, the run, what steps returned."""
    zone = definition.get("trigger", {}).get("time_zone") or "UTC"
    return {
        **told,
        **({"incident": facts_of_the_incident(incident)} if incident else {}),
        "now": facts_of_the_moment(now, zone),
        HOURS: facts_of_working_hours(definition, now),
        "run": facts_of_run(run) if run else {},
        "steps": dict(outputs or {}),
        **(loops or {}),
    }


def known_names(definition: Mapping[str, Any] | None = None) -> list[str]:
    """The names that can be asked for, for completion; with a definition those of its steps and loops too."""
    slugs = Schedule.objects.order_by("slug").values_list("slug", flat=True)
    names = [f"incident.{name}" for name in (*known_facts_of_incidents(), "acknowledge_minutes")]
    names += [f"{root}.{name}" for root in ("event", "now", "run") for name in ALWAYS[root]]
    names += [f"{about}.{name}" for about, own in ABOUT.items() for name in own]
    names += ["webhook.body", "webhook.text"]
    names += [f"{HOURS}.{slug}" for slug in slugs]
    for _path, step in walk(definition or {}):
        known = step_called(str(step.get("kind", "")))
        names += [f"steps.{step.get('id')}.{name}" for name in (known.outputs if known else ())]
        if step.get("kind") == "loop":
            names.append(str((step.get("params") or {}).get("as") or "it"))
    return names


def doubts(definition: Any) -> list[Problem]:
    """What a sound definition asks for and will not find as things are: it is told, and can be saved."""
    if not isinstance(definition, Mapping):
        return []
    steps = dict(walk(definition))
    found = list(doubtful_facts(definition, steps, known_names(definition)))
    named = list(rows_named_by(steps, ROWS))
    gone = absent((kind, name) for _place, kind, name in named)
    said = _("There is no %(kind)s “%(name)s” here: the step is skipped.")
    for place, kind, name in named:
        if (kind, name) in gone:
            found.append((place, said % {"kind": ROWS[kind][0]._meta.verbose_name, "name": name}))
    return [Problem(place, why, "doubt") for place, why in found]
