"""What the page of an incident shows of the work on it. The same for all its viewers, but for whether one follows."""

from django import template

from accounts.models import User
from incidents.models import Incident, IncidentAction, IncidentFollower
from incidents.todo import Line, checklist_of

register = template.Library()


@register.simple_tag
def actions_of(incident: Incident) -> list[IncidentAction]:
    """`{% actions_of incident as actions %}`: what is to do and what was done, what is open first."""
    actions = IncidentAction.objects.filter(incident=incident).select_related("assignee")
    return sorted(actions, key=lambda action: (action.done_at is not None, action.pk))


@register.simple_tag
def open_action_count(incident: Incident) -> int:
    """`{% open_action_count incident as left %}`: how many things are still to be done."""
    return IncidentAction.objects.filter(incident=incident, done_at=None).count()


@register.simple_tag
def checklist(incident: Incident) -> list[Line]:
    """`{% checklist incident as lines %}`: the lines of the first minutes, none where the severity shows none."""
    return checklist_of(incident)


@register.filter
def lines_done(lines: list[Line]) -> int:
    """How many lines of a checklist are done."""
    return sum(line.is_done for line in lines)


@register.simple_tag
def follower(incident: Incident, user: User) -> IncidentFollower | None:
    """`{% follower incident user as follower %}`: how the viewer follows it, None if not at all."""
    return IncidentFollower.objects.filter(incident=incident, user=user).first()
