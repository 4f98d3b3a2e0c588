"""What is never true of an incident, whatever was done with it. `broken_rules` is pure; `audit` reads and replays."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from incidents.chronology import disorder
from incidents.models import OPEN_CATEGORIES, Incident, StatusCategory
from incidents.replay import Contradiction, State, Told, replay
from incidents.state import state_of
from oncall.models import Escalation


@dataclass(frozen=True)
class Surroundings:
    """What the rules ask beside the state: the category of its status, its timers, what it belongs to, what pages."""

    category: str
    has_timer: bool = False
    allowed_severities: Collection[str] = ()
    parent: "Surroundings | None" = None
    visibility: str = ""
    open_streams: int = 0
    is_parent: bool = False
    pages_running: int = 0
    sequences: Collection[int] = field(default_factory=list)


def broken_rules(state: State, around: Surroundings) -> list[str]:
    """Each rule that the incident breaks, in words; none for one that stands as it may."""
    is_open = around.category in OPEN_CATEGORIES
    is_over = around.category in {StatusCategory.POST_INCIDENT, StatusCategory.CLOSED}
    rules = {
        "what is over is resolved and mitigated": not is_over or {"resolved_at", "mitigated_at"} <= set(state.times),
        "only what is over is resolved": is_over or "resolved_at" not in state.times,
        "what has ended for good has an end": is_open
        or around.category == StatusCategory.POST_INCIDENT
        or "closed_at" in state.times,
        "what goes on, or waits for its follow-up, is not closed": "closed_at" not in state.times
        or not (is_open or around.category == StatusCategory.POST_INCIDENT),
        "each incident was declared": "declared_at" in state.times,
        "what has ended has no timer": is_open or not around.has_timer,
        "what has ended is not paused": is_open or state.paused_at is None,
        "what has ended pages nobody": is_open or not around.pages_running,
        "what is told of in retrospect has no timer and pages nobody": state.mode != Incident.Mode.RETROSPECTIVE
        or not (around.has_timer or around.pages_running),
        "merged is who is part of another": state.is_merged == (around.category == StatusCategory.MERGED),
        "its type allows its severity": not around.allowed_severities or state.severity in around.allowed_severities,
        "what has ended has no open streams": is_open or not around.open_streams,
        "a stream has no streams": not (around.parent and around.is_parent),
        "a stream is as private as its parent": around.parent is None
        or around.parent.visibility == Incident.Visibility.PUBLIC
        or state.visibility == Incident.Visibility.PRIVATE,
        "an open stream has an open parent": around.parent is None
        or not is_open
        or around.parent.category in OPEN_CATEGORIES,
        "entries are numbered without a gap": list(around.sequences) == list(range(1, len(around.sequences) + 1)),
        "pauses follow each other": state.pauses == sorted(state.pauses),
    }
    times = {column: datetime.fromisoformat(at) for column, at in state.times.items()}
    return [rule for rule, holds in rules.items() if not holds] + disorder(times)


def surroundings_of(incident: Incident) -> Surroundings:
    """What the rules ask of the rows around it, freshly read."""
    row = Incident.objects.select_related("status", "parent__status", "merged_into").get(pk=incident.pk)
    parent = row.parent
    running = [Escalation.Status.TRIGGERED, Escalation.Status.ACKNOWLEDGED]
    return Surroundings(
        category=row.status.category,
        has_timer=row.next_update_due_at is not None,
        allowed_severities=set(row.incident_type.severities.values_list("slug", flat=True)),
        parent=Surroundings(category=parent.status.category, visibility=parent.visibility) if parent else None,
        visibility=row.visibility,
        open_streams=row.streams.filter(status__category__in=OPEN_CATEGORIES).count(),
        is_parent=row.streams.exists(),
        pages_running=row.escalations.filter(status__in=running).count(),
        sequences=list(row.timeline.order_by("sequence").values_list("sequence", flat=True)),
    )


def told_of(incident: Incident) -> list[Told]:
    """The entries that were written in the incident itself, in the order in which they were."""
    own = incident.timeline.filter(origin=None).order_by("sequence").values_list("sequence", "kind", "data")
    return [Told(sequence, kind, data) for sequence, kind, data in own]


def audit(incident: Incident) -> list[str]:
    """Each rule that it breaks, and each point in which its timeline tells another story than its rows."""
    state = state_of(incident)
    found = broken_rules(state, surroundings_of(incident))
    try:
        told = replay(told_of(incident))
    except Contradiction as contradiction:
        return [*found, str(contradiction)]
    return found + [
        f"{name} is {stands!r}, the timeline says {getattr(told, name)!r}"
        for name, stands in vars(state).items()
        if getattr(told, name) != stands
    ]
