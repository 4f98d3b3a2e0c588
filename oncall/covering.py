"""Asking for cover: one person, several, a team or anybody is asked to take a stretch of somebody's shift."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.actor import Actor
from accounts.models import Role, Team, User
from events.actions import Fact, publish, publish_all
from events.errors import Conflict, Invalid, NotAllowed, require
from oncall import permissions
from oncall.models import CoverRefusal, CoverRequest, Leave, Override, Schedule
from oncall.roster import schedule_specs
from oncall.rota import shifts
from oncall.scheduling import check_not_beside, check_on_call, check_stretch

COVERING = Actor.system("Cover requests")
Status = CoverRequest.Status
# Anybody who can be on call may be many people; whoever gets no mail finds the request on their home page.
MOST_TOLD = 200
MAY_BE_ON_CALL = [role for role in Role.values if Role(role).rank >= Role.RESPONDER.rank]


@transaction.atomic
def ask_for_cover(
    *,
    actor: Actor,
    schedule: Schedule,
    user: User,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
    asked: Sequence[User] = (),
    team: Team | None = None,
    note: str = "",
) -> CoverRequest:
    """Asks those people and that team, or anybody if neither is given, to take this stretch of the user's shift.

    Asking again for the same stretch while the first request is open returns that one.
    """
    require(permissions.can_ask_for_cover(actor, user.pk), "You may only ask for cover of your own shifts.")
    check_stretch(starts_at, ends_at, now)
    check_on_call(schedule, user, starts_at, ends_at)
    for person in asked:
        if person == user:
            raise Invalid(f"{user} can't cover for themselves.", field="asked", remedy="Ask somebody else.")
        if not person.has_role(Role.RESPONDER):
            raise Invalid(f"{person} can't be on call.", field="asked", remedy="Ask somebody who is a responder.")
    # Two requests of the same instant wait for each other here.
    Schedule.objects.select_for_update().get(pk=schedule.pk)
    same = {"schedule": schedule, "user": user, "starts_at": starts_at, "ends_at": ends_at, "status": Status.OPEN}
    found = CoverRequest.objects.filter(**same).first()
    if found is not None:
        return found
    made = CoverRequest.objects.create(
        **same, team=team, note=note.strip(), created_by_id=actor.user_id, created_at=now
    )
    made.asked.set(asked)
    told = people_asked(made).values_list("pk", flat=True)[:MOST_TOLD]
    if not told:
        raise Invalid("There is nobody to ask.", field="asked", remedy="Ask other people, another team, or anybody.")
    publish("cover.requested", subject=made, actor=actor, data={"schedule": schedule.pk, "user": user.pk})
    # One fact for each, so that a mail that fails is tried again alone.
    publish_all([Fact("cover.asked", made, {"user": pk}) for pk in told], actor=actor)
    return made


def people_asked(request: CoverRequest) -> QuerySet[User]:
    """Those who may accept: the people and the team that were asked, or all who can be on call."""
    able = User.objects.filter(is_active=True, role__in=MAY_BE_ON_CALL).exclude(pk=request.user_id)
    chosen = Q(asked_to_cover=request)
    if request.team_id is not None:
        chosen |= Q(teams=request.team_id)
    if request.team_id is None and not request.asked.exists():
        return able
    return able.filter(chosen).distinct()


def why_not(user_ids: Collection[int], starts_at: datetime, ends_at: datetime) -> dict[int, str]:
    """Of these people those who should not be asked for the stretch: "away", or "on_call" on any schedule.

    The number of queries does not depend on how many people or schedules there are.
    """
    found: dict[int, str] = {}
    for spec in schedule_specs(starts_at, ends_at).values():
        for shift in shifts(spec, starts_at, ends_at):
            found |= {user_id: "on_call" for user_id in shift.user_ids if user_id in user_ids}
    away = Leave.objects.filter(user_id__in=user_ids, starts_at__lt=ends_at, ends_at__gt=starts_at)
    return found | dict.fromkeys(away.values_list("user_id", flat=True), "away")


def open_requests_for(user: User, now: datetime) -> QuerySet[CoverRequest]:
    """The open requests that a person could accept and has not declined, the most urgent first."""
    if not user.has_role(Role.RESPONDER):
        return CoverRequest.objects.none()
    to_anybody = Q(team=None, asked=None)
    return (
        CoverRequest.objects.filter(
            to_anybody | Q(asked=user) | Q(team__members=user), status=Status.OPEN, ends_at__gt=now
        )
        .exclude(user=user)
        .exclude(refusals__user=user)
        .select_related("schedule", "user", "team")
        .order_by("starts_at", "id")
        .distinct()
    )


def _open(request: CoverRequest, now: datetime) -> CoverRequest:
    """The request as it is now, held until the transaction ends; raises Conflict if it is no longer open."""
    found = CoverRequest.objects.select_for_update(of=("self",)).select_related("schedule", "user").get(pk=request.pk)
    if found.status == Status.OPEN and found.ends_at <= now:
        raise Conflict("The time that it asks for is over.", remedy="There is nothing left to cover.")
    if found.status != Status.OPEN:
        raise Conflict(f"This request is closed: {found.get_status_display()}.", remedy="There is nothing left to do.")
    return found


def _person(actor: Actor) -> User:
    user = User.objects.filter(pk=actor.person_id).first()
    if user is None:
        raise NotAllowed("Only a person can answer this.", remedy="Sign in, or use a key of yours.")
    return user


@transaction.atomic
def accept_cover(*, actor: Actor, request: CoverRequest, now: datetime) -> CoverRequest:
    """The actor takes the stretch, or what is left of it: an override in which they replace whoever asked.

    Accepting again changes nothing. Raises Conflict if somebody was faster, if whoever asked is not on call then, or if
    the actor is on call beside them.
    """
    person = _person(actor)
    CoverRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    request.refresh_from_db()
    if request.status == Status.ACCEPTED and request.covered_by_id == person.pk:
        return request
    request = _open(request, now)
    require(
        people_asked(request).filter(pk=person.pk).exists(),
        "You were not asked to cover.",
        remedy="Only those who were asked can accept.",
    )
    starts_at = max(request.starts_at, now)
    Schedule.objects.select_for_update().get(pk=request.schedule_id)
    try:
        check_on_call(request.schedule, request.user, starts_at, request.ends_at)
    except Invalid as error:
        raise Conflict(
            f"{request.user} is not on call then any more.", remedy="Nothing needs to be covered: decline it."
        ) from error
    try:
        check_not_beside(request.schedule, person, request.user, starts_at, request.ends_at)
    except Invalid as error:
        raise Conflict(
            f"You are on call beside {request.user} then: covering would leave one fewer.",
            remedy="Decline it, so that somebody else comes in.",
        ) from error
    request.override = Override.objects.create(
        schedule=request.schedule,
        user=person,
        replaces=request.user,
        starts_at=starts_at,
        ends_at=request.ends_at,
        reason=request.note[:200],
        created_by=person,
    )
    request.status, request.covered_by, request.closed_at = Status.ACCEPTED, person, now
    request.save(update_fields=["status", "covered_by", "override", "closed_at"])
    data = {"user": person.pk, "replaces": request.user_id, "starts_at": starts_at.isoformat()}
    data["ends_at"] = request.ends_at.isoformat()
    publish("schedule.override_added", subject=request.schedule, actor=actor, data=data)
    publish("cover.accepted", subject=request, actor=actor, data={"by": person.pk})
    return request


@transaction.atomic
def decline_cover(*, actor: Actor, request: CoverRequest, now: datetime) -> CoverRequest:
    """The actor cannot. Once everybody who was asked has declined, the request is closed."""
    person = _person(actor)
    request = _open(request, now)
    asked = people_asked(request)
    require(
        asked.filter(pk=person.pk).exists(),
        "You were not asked to cover.",
        remedy="Only those who were asked can decline.",
    )
    _refusal, created = CoverRefusal.objects.get_or_create(request=request, user=person, defaults={"at": now})
    if not created:
        return request
    publish("cover.declined", subject=request, actor=actor, data={"by": person.pk})
    if not asked.exclude(pk__in=request.refusals.values("user_id")).exists():
        _close(request, Status.DECLINED, now)
        publish("cover.declined_by_all", subject=request, actor=actor)
    return request


@transaction.atomic
def withdraw_cover(*, actor: Actor, request: CoverRequest, now: datetime) -> CoverRequest:
    """Nobody needs to cover any more. Withdrawing again changes nothing; what was accepted stays."""
    require(permissions.can_withdraw_cover(actor, request), "This request is not yours.")
    request.refresh_from_db()
    if request.status == Status.WITHDRAWN:
        return request
    request = _open(request, now)
    _close(request, Status.WITHDRAWN, now)
    publish("cover.withdrawn", subject=request, actor=actor)
    return request


def _close(request: CoverRequest, status: str, now: datetime) -> None:
    request.status, request.closed_at = status, now
    request.save(update_fields=["status", "closed_at"])


@transaction.atomic
def close_expired_requests(now: datetime) -> int:
    """Closes open requests whose time is over and returns how many; each is an event."""
    over = list(
        CoverRequest.objects.select_for_update(skip_locked=True).filter(status=Status.OPEN, ends_at__lte=now)[:100]
    )
    for request in over:
        _close(request, Status.EXPIRED, now)
        publish("cover.expired", subject=request, actor=COVERING)
    return len(over)
