"""What the mode of an incident changes: whom it may page, what its pages say, whether updates are due."""

from datetime import datetime, timedelta

from accounts.models import User
from events.errors import Conflict
from incidents.models import Incident, Severity

Mode = Incident.Mode
MARKS = {Mode.TEST: "[Test] ", Mode.GAME_DAY: "[Game day] "}


def title_mark(mode: str) -> str:
    """What stands before the title of a page, so that nobody takes practice for an outage."""
    return MARKS.get(Mode(mode), "")


def next_update_due(mode: str, severity: Severity, since: datetime) -> datetime | None:
    """When the next update is due after one at `since`; a retrospective incident is over and needs none."""
    if severity.update_interval is None or mode == Mode.RETROSPECTIVE:
        return None
    return since + severity.update_interval


def update_interval(incident: Incident) -> timedelta | None:
    """How often its updates are due: as somebody set its timer, else as its mode and severity say; None for never."""
    if incident.update_interval is not None:
        return incident.update_interval or None
    return None if incident.mode == Mode.RETROSPECTIVE else incident.severity.update_interval


def refuse_to_page(incident: Incident, user: User | None) -> None:
    """Raises Conflict where the mode forbids to page: for what is over nobody, in a test nobody who is not in it.

    `user` is the one person to page, None stands for a policy.
    """
    if incident.mode == Mode.RETROSPECTIVE:
        raise Conflict(
            "This incident is told of in retrospect: nobody is paged for what is over.",
            remedy="Declare a standard incident if it goes on.",
        )
    if incident.mode != Mode.TEST:
        return
    if user is None:
        raise Conflict(
            "This is a test: it pages no policy.",
            field="policy",
            remedy="Page somebody who has a role in it, or declare a game day, which pages like a real one.",
        )
    if not takes_part(incident, user):
        raise Conflict(
            f"This is a test, and {user.display_name} takes no part in it.",
            field="user",
            remedy="Give them a role in it first.",
        )


def takes_part(incident: Incident, user: User) -> bool:
    """Whether the person declared it, has a role in it or is a member."""
    return (
        incident.declared_by_id == user.pk
        or incident.role_assignments.filter(user=user, ended_at=None).exists()
        or incident.memberships.filter(user=user).exists()
    )
