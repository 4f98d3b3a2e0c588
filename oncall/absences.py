"""Leave, which makes conflicts visible, and shadows, who are told and never paged."""

from datetime import datetime

from django.db import transaction

from accounts.actor import Actor
from accounts.models import User
from events.actions import publish
from events.errors import Conflict, Invalid, require
from oncall import permissions
from oncall.models import Leave, Schedule, Shadow
from oncall.scheduling import check_stretch


@transaction.atomic
def add_leave(
    *, actor: Actor, user: User, starts_at: datetime, ends_at: datetime, now: datetime, reason: str = ""
) -> Leave:
    """Says that a person is away. It changes nobody's duty: shifts within it show as conflicts until they are solved.

    Saying the same again changes nothing.
    """
    require(permissions.can_manage_leave(actor, user.pk), "You may only enter your own leave.")
    check_stretch(starts_at, ends_at, now)
    leave, created = Leave.objects.get_or_create(
        user=user, starts_at=starts_at, ends_at=ends_at, defaults={"reason": reason.strip()}
    )
    if created:
        data = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
        publish("leave.added", subject=user, actor=actor, data=data)
    return leave


@transaction.atomic
def remove_leave(*, actor: Actor, leave: Leave) -> None:
    """Takes a leave away: the person is there after all."""
    require(permissions.can_manage_leave(actor, leave.user_id), "This leave is not yours.")
    data = {"starts_at": leave.starts_at.isoformat(), "ends_at": leave.ends_at.isoformat()}
    user = leave.user
    leave.delete()
    publish("leave.removed", subject=user, actor=actor, data=data)


@transaction.atomic
def add_shadow(
    *,
    actor: Actor,
    schedule: Schedule,
    user: User,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
    follows: User | None = None,
) -> Shadow:
    """Lets a person be told what the schedule, or one person on it, is paged for. They are never paged themselves."""
    require(permissions.can_shadow(actor, user.pk), "You may only shadow yourself; managers let others.")
    check_stretch(starts_at, ends_at, now)
    if not user.is_active:
        raise Invalid(f"{user} is no longer active.", field="user", remedy="Choose somebody else.")
    if follows == user:
        raise Invalid(f"{user} can't follow themselves.", field="follows", remedy="Choose somebody else, or nobody.")
    shadow, created = Shadow.objects.get_or_create(
        schedule=schedule, user=user, follows=follows, starts_at=starts_at, ends_at=ends_at
    )
    if created:
        publish("schedule.shadow_added", subject=schedule, actor=actor, data={"user": user.pk})
    return shadow


@transaction.atomic
def remove_shadow(*, actor: Actor, shadow: Shadow, now: datetime) -> None:
    """Ends a shadow; one that has begun ends now, so that the past stays as it was."""
    require(permissions.can_shadow(actor, shadow.user_id), "This is somebody else's.")
    schedule, data = shadow.schedule, {"user": shadow.user_id}
    if shadow.ends_at <= now:
        raise Conflict("This is over.", remedy="The past can't be changed.")
    if shadow.starts_at < now:
        shadow.ends_at = now
        shadow.save(update_fields=["ends_at"])
    else:
        shadow.delete()
    publish("schedule.shadow_removed", subject=schedule, actor=actor, data=data)
