"""What a workflow can be tried with: things of the past of the kind that starts it, as people may see them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actor import Actor
from alerts.models import Alert, MaintenanceWindow
from events.models import Event
from incidents.models import Incident
from incidents.permissions import can_view
from oncall.models import Escalation, Schedule
from postmortems.models import ActionItem, Postmortem
from statuspage.models import PublicIncident
from workflows.models import Workflow, WorkflowRun
from workflows.registry import short
from workflows.subjects import facts_of_subject, incident_of
from workflows.triggers import HAPPENINGS

OFFERED = 20
# Groups under their labels: of each thing the value that stands for it, and words.
Offered = list[tuple[Any, list[tuple[str, str]]]]
LONGEST = 60
NOTHING, INCIDENT, CALL = "nothing", "incident", "call"


@dataclass(frozen=True)
class Specimen:
    """One thing to try a workflow with: the facts that it tells, the event among them, and the incident it is about."""

    about: str = NOTHING
    told: Mapping[str, Any] = field(default_factory=dict)
    incident: Incident | None = None


@dataclass(frozen=True)
class _Kind:
    """A kind of thing: as what its events have it, by what it is asked for, which there are for somebody."""

    label: Any
    subject_type: str
    rows: Callable[[Actor], QuerySet[Any]]
    words: Callable[[Any], str]
    key: str = "pk"


def _named(row: Any) -> str:
    return short(row, LONGEST)


KINDS: dict[str, _Kind] = {
    INCIDENT: _Kind(
        gettext_lazy("Incidents"),
        "incidents.incident",
        lambda actor: Incident.objects.visible_to(actor).select_related("severity").order_by("-id"),
        lambda row: f"{row.reference} · {row.severity.name} · {short(row.name, LONGEST)}",
        "number",
    ),
    "alert": _Kind(
        gettext_lazy("Alerts"),
        "alerts.alert",
        lambda actor: Alert.objects.visible_to(actor).order_by("-id"),
        lambda row: f"{row.severity} · {short(row.title, LONGEST)}",
    ),
    "escalation": _Kind(
        gettext_lazy("Paging"),
        "oncall.escalation",
        lambda actor: Escalation.objects.visible_to(actor).order_by("-id"),
        lambda row: f"{row.get_status_display()} · {short(row.title, LONGEST)}",
    ),
    "postmortem": _Kind(
        gettext_lazy("Postmortems"),
        "postmortems.postmortem",
        lambda actor: Postmortem.objects.visible_to(actor).order_by("-id"),
        _named,
    ),
    "action_item": _Kind(
        gettext_lazy("Action items"),
        "postmortems.actionitem",
        lambda actor: ActionItem.objects.visible_to(actor).order_by("-id"),
        lambda row: f"{row.get_status_display()} · {short(row.title, LONGEST)}",
    ),
    "window": _Kind(
        gettext_lazy("Maintenance"),
        "alerts.maintenancewindow",
        lambda actor: MaintenanceWindow.objects.order_by("-id"),
        _named,
    ),
    "schedule": _Kind(
        gettext_lazy("Schedules"), "oncall.schedule", lambda actor: Schedule.objects.order_by("name"), _named, "slug"
    ),
    "public_incident": _Kind(
        gettext_lazy("Status pages"),
        "statuspage.publicincident",
        lambda actor: PublicIncident.objects.select_related("page").order_by("-id"),
        lambda row: f"{row.page.name} · {short(row.name, LONGEST)}",
    ),
}


def kinds_for(definition: Mapping[str, Any]) -> list[str]:
    """With what a definition can be tried: what its events are about, or what starts it otherwise."""
    given = _trigger_of(definition)
    match given.get("kind"):
        case "person":
            return [INCIDENT, NOTHING]
        case "webhook":
            return [CALL, NOTHING]
        case "event":
            return list(dict.fromkeys(HAPPENINGS[name].about for name in _events_of(given)))
        case _:
            return [NOTHING]


def _trigger_of(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    trigger = definition.get("trigger")
    return trigger if isinstance(trigger, Mapping) else {}


def _events_of(trigger: Mapping[str, Any]) -> list[str]:
    events = trigger.get("events")
    return [name for name in events if name in HAPPENINGS] if isinstance(events, list) else []


def offered(actor: Actor, kinds: list[str], workflow: Workflow | None = None) -> Offered:
    """The newest of each kind, under its label: the value that `specimen_called` takes, and words."""
    groups: Offered = []
    for about in kinds:
        kind = KINDS.get(about)
        if kind is not None:
            rows = [(f"{about}:{getattr(row, kind.key)}", kind.words(row)) for row in kind.rows(actor)[:OFFERED]]
            groups.append((kind.label, rows))
        elif about == CALL:
            calls = [(f"{CALL}:{run.pk}", f"{run.created_at:%Y-%m-%d %H:%M} UTC") for run in _calls(actor, workflow)]
            groups.append((_("Calls of its webhook"), calls[:OFFERED]))
        else:
            groups.append((_("Without anything"), [(NOTHING, _("As it would start by itself"))]))
    return groups


def _calls(actor: Actor, workflow: Workflow | None) -> QuerySet[WorkflowRun]:
    of_it = WorkflowRun.objects.visible_to(actor).filter(workflow=workflow, trigger="webhook")
    return of_it.order_by("-id") if workflow is not None and workflow.pk else of_it.none()


def specimen_called(
    actor: Actor, about: str, key: str, definition: Mapping[str, Any], workflow: Workflow | None = None
) -> Specimen | None:
    """The thing of that kind with that key (an incident's number, a schedule's slug, else an id), with its event.

    None for one that is not there, or that the actor may not see. The event is the newest that it had of those which
    start the workflow; without any it is one that tells nothing.
    """
    if about == NOTHING:
        return Specimen(told={"event": _no_event(definition, actor, "")})
    if about == CALL:
        run = _calls(actor, workflow).filter(pk=int(key)).first() if _is_number(key) else None
        return Specimen(CALL, run.facts, incident_of(run.incident_id)) if run else None
    kind = KINDS.get(about)
    if kind is None or not (kind.key == "slug" or _is_number(key)):
        return None
    row = kind.rows(actor).filter(**{kind.key: key}).first()
    if row is None:
        return None
    told, incident = facts_of_subject(kind.subject_type, row.pk)
    if incident is not None and not can_view(actor, incident):
        return None
    return Specimen(about, {"event": _event_of(definition, actor, about, kind.subject_type, row.pk), **told}, incident)


def _is_number(key: str) -> bool:
    return key.isascii() and key.isdecimal() and len(key) < 10


def _event_of(definition: Mapping[str, Any], actor: Actor, about: str, subject_type: str, pk: int) -> dict[str, Any]:
    names = [name for name in _events_of(_trigger_of(definition)) if HAPPENINGS[name].about == about]
    newest = Event.objects.filter(subject_type=subject_type, subject_id=pk, name__in=names).order_by("-id").first()
    return told_of(newest) if newest else _no_event(definition, actor, about)


def told_of(event: Event) -> dict[str, Any]:
    """What stands under `event` in a run that this event starts."""
    return {
        "name": event.name,
        "by": event.actor_name,
        "by_kind": event.actor_kind,
        "at": event.occurred_at.isoformat(),
        "data": event.data,
    }


def _no_event(definition: Mapping[str, Any], actor: Actor, about: str) -> dict[str, Any]:
    given = _trigger_of(definition)
    names = [name for name in _events_of(given) if HAPPENINGS[name].about == about] or [str(given.get("kind", ""))]
    return {"name": names[0], "by": actor.name, "data": {}}
