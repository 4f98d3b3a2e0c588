"""What the page of an incident shows of the work on it. The same for all its viewers, but for whether one follows."""

from dataclasses import dataclass

from django import template
from django.db.models import Case, Count, When, Window

from accounts.models import User
from incidents.models import Incident, IncidentAction, IncidentFollower
from incidents.todo import Line, checklist_of

register = template.Library()
FOLLOWERS_NAMED = 12


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


@dataclass(frozen=True)
class Following:
    """Who follows an incident: how the viewer does, if at all, the names of the first of all of them, and how many."""

    own: IncidentFollower | None
    names: list[str]
    count: int

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.count - len(self.names)


@register.simple_tag
def following_of(incident: Incident, user: User) -> Following:
    """`{% following_of incident user as following %}`: who follows it, the viewer first."""
    rows = IncidentFollower.objects.filter(incident=incident).annotate(all=Window(Count("pk")))
    viewer_first = Case(When(user=user, then=0), default=1)
    found = list(rows.select_related("user").order_by(viewer_first, "user__name", "pk")[:FOLLOWERS_NAMED])
    own = found[0] if found and found[0].user_id == user.pk else None
    return Following(own, [row.user.display_name for row in found], found[0].all if found else 0)
