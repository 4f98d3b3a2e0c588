"""Every write on schedules, overrides, escalation policies and contact methods."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from accounts.actions import RESERVED_SLUGS
from accounts.actor import Actor
from accounts.models import Team, User, check_time_zone
from events.actions import publish
from events.errors import Conflict, Invalid, require
from oncall import permissions
from oncall.models import (
    ContactMethod,
    Escalation,
    EscalationLevel,
    EscalationPolicy,
    EscalationTarget,
    Override,
    Rotation,
    RotationMember,
    Schedule,
)

LONGEST_TIMEOUT_MINUTES = 24 * 60
MOST_REPEATS = 20
NOT_A_MANAGER = "Only managers may change schedules and policies."


@dataclass(frozen=True)
class LevelDraft:
    """One level as somebody wrote it."""

    timeout_minutes: int
    schedules: Sequence[Schedule] = ()
    users: Sequence[User] = ()


@dataclass(frozen=True)
class RotationDraft:
    """One rotation as somebody wrote it; `members` in the order in which they take turns."""

    name: str
    members: Sequence[User]
    starts_on: date
    handovers: Sequence[tuple[int | None, time]] = ((0, time(9)),)
    period: str = Rotation.Period.WEEKS
    interval: int = 1
    layer: int = 1
    rotation_id: int | None = field(default=None)


def handovers_of(rotation: Rotation) -> list[tuple[int | None, time]]:
    """A rotation's handovers as (weekday, time)."""
    return [(handover.get("weekday"), time.fromisoformat(handover["time"])) for handover in rotation.handovers]


@transaction.atomic
def save_schedule(
    *,
    actor: Actor,
    name: str,
    slug: str,
    time_zone: str,
    rotations: Sequence[RotationDraft],
    schedule: Schedule | None = None,
    description: str = "",
    team: Team | None = None,
) -> Schedule:
    """Makes a schedule or changes one; its rotations become exactly `rotations`."""
    require(permissions.can_configure(actor), NOT_A_MANAGER)
    _check_name(name, slug, Schedule, schedule)
    try:
        check_time_zone(time_zone)
    except ValidationError as error:
        raise Invalid(
            f"{time_zone!r} is not a time zone.", field="time_zone", remedy="Use Europe/Berlin, say."
        ) from error
    names = [draft.name.strip().casefold() for draft in rotations]
    if len(set(names)) < len(names):
        raise Invalid("Two rotations have the same name.", field="rotations", remedy="Name each one differently.")
    created = schedule is None
    schedule = schedule or Schedule()
    schedule.name, schedule.slug, schedule.description = name.strip(), slug, description
    schedule.time_zone, schedule.team = time_zone, team
    schedule.save()
    kept = {draft.rotation_id for draft in rotations if draft.rotation_id}
    schedule.rotations.exclude(pk__in=kept).delete()
    for draft in rotations:
        _save_rotation(schedule, draft)
    publish("schedule.created" if created else "schedule.changed", subject=schedule, actor=actor, data={"name": name})
    return schedule


def _save_rotation(schedule: Schedule, draft: RotationDraft) -> Rotation:
    if not draft.members:
        raise Invalid(
            f"The rotation “{draft.name}” has nobody in it.", field="members", remedy="Add at least one person."
        )
    if draft.interval < 1:
        raise Invalid("A turn lasts at least one period.", field="interval")
    values = {
        "name": draft.name.strip(),
        "layer": draft.layer,
        "period": draft.period,
        "interval": draft.interval,
        "handovers": [{"weekday": weekday, "time": f"{at:%H:%M}"} for weekday, at in draft.handovers],
        "starts_on": draft.starts_on,
    }
    rotation = schedule.rotations.filter(pk=draft.rotation_id or 0).first() or Rotation(schedule=schedule)
    for name, value in values.items():
        setattr(rotation, name, value)
    rotation.save()
    rotation.rotation_members.all().delete()
    RotationMember.objects.bulk_create(
        RotationMember(rotation=rotation, user=user, position=position) for position, user in enumerate(draft.members)
    )
    return rotation


def _check_name(
    name: str, slug: str, model: type[Schedule] | type[EscalationPolicy], current: Schedule | EscalationPolicy | None
) -> None:
    if not name.strip():
        raise Invalid("A name is needed.", field="name")
    if slug in RESERVED_SLUGS:
        raise Invalid(f"The address “{slug}” is taken by Sitrep itself.", field="slug", remedy="Choose another one.")
    same = model._default_manager.filter(Q(name__iexact=name.strip()) | Q(slug=slug))
    if (same.exclude(pk=current.pk) if current else same).exists():
        raise Conflict(f"{name} is taken.", field="name", remedy="Choose another name.")


@transaction.atomic
def remove_schedule(*, actor: Actor, schedule: Schedule) -> None:
    """Takes a schedule away with its rotations and overrides, unless a policy pages it."""
    require(permissions.can_configure(actor), NOT_A_MANAGER)
    policies = EscalationPolicy.objects.filter(levels__targets__schedule=schedule).distinct()
    if policies:
        names = ", ".join(policy.name for policy in policies)
        raise Conflict(f"{schedule} is paged by {names}.", remedy="Take it out of there first.")
    publish("schedule.removed", subject=schedule, actor=actor, data={"name": schedule.name})
    schedule.delete()


@transaction.atomic
def add_override(
    *,
    actor: Actor,
    schedule: Schedule,
    user: User,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
    reason: str = "",
) -> Override:
    """Puts a person on call instead of the rotations for a while; what is over can't be changed."""
    require(permissions.can_override(actor), "Viewers may not change who is on call.")
    if ends_at <= starts_at:
        raise Invalid("The end must come after the start.", field="ends_at")
    if ends_at <= now:
        raise Invalid("This stretch is already over.", field="ends_at", remedy="Choose an end in the future.")
    if not user.is_active:
        raise Invalid(f"{user} is no longer active.", field="user", remedy="Choose somebody else.")
    override = Override.objects.create(
        schedule=schedule, user=user, starts_at=starts_at, ends_at=ends_at, reason=reason, created_by_id=actor.user_id
    )
    data = {"user": user.pk, "starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
    publish("schedule.override_added", subject=schedule, actor=actor, data=data)
    return override


@transaction.atomic
def remove_override(*, actor: Actor, override: Override, now: datetime) -> None:
    """Takes an override away; one that has begun ends now, so that the past stays as it was."""
    require(permissions.can_remove_override(actor, override), "This override is not yours.")
    schedule = override.schedule
    if override.ends_at <= now:
        raise Conflict("This override is over.", remedy="The past can't be changed.")
    data = {"user": override.user_id}
    if override.starts_at < now:
        override.ends_at = now
        override.save(update_fields=["ends_at"])
    else:
        override.delete()
    publish("schedule.override_removed", subject=schedule, actor=actor, data=data)


@transaction.atomic
def save_policy(
    *,
    actor: Actor,
    name: str,
    slug: str,
    levels: Sequence[LevelDraft],
    policy: EscalationPolicy | None = None,
    description: str = "",
    team: Team | None = None,
    repeats: int = 0,
) -> EscalationPolicy:
    """Makes an escalation policy or changes one. Escalations that already run keep their frozen path."""
    require(permissions.can_configure(actor), NOT_A_MANAGER)
    _check_name(name, slug, EscalationPolicy, policy)
    if not levels:
        raise Invalid("A policy needs at least one level.", field="levels", remedy="Add whom to page first.")
    for number, level in enumerate(levels, 1):
        if not level.schedules and not level.users:
            raise Invalid(f"Level {number} pages nobody.", field="levels", remedy="Add a schedule or a person to it.")
        if not 0 <= level.timeout_minutes <= LONGEST_TIMEOUT_MINUTES:
            raise Invalid(f"Level {number} must wait between 0 minutes and a day.", field="levels")
    if not 0 <= repeats <= MOST_REPEATS:
        raise Invalid(f"A policy is repeated at most {MOST_REPEATS} times.", field="repeats")
    created = policy is None
    policy = policy or EscalationPolicy()
    policy.name, policy.slug, policy.description = name.strip(), slug, description
    policy.team, policy.repeats = team, repeats
    policy.save()
    policy.levels.all().delete()
    for position, draft in enumerate(levels):
        made = EscalationLevel.objects.create(policy=policy, position=position, timeout_minutes=draft.timeout_minutes)
        targets = [EscalationTarget(level=made, schedule=schedule) for schedule in draft.schedules]
        targets += [EscalationTarget(level=made, kind=EscalationTarget.Kind.USER, user=user) for user in draft.users]
        EscalationTarget.objects.bulk_create(targets)
    name_of_event = "escalation_policy.created" if created else "escalation_policy.changed"
    publish(name_of_event, subject=policy, actor=actor, data={"name": policy.name})
    return policy


@transaction.atomic
def remove_policy(*, actor: Actor, policy: EscalationPolicy) -> None:
    """Takes a policy away, unless something pages by it. Escalations that run keep their frozen path."""
    require(permissions.can_configure(actor), NOT_A_MANAGER)
    # Whatever points at a policy from above: services, alert routes, …
    users = [
        relation.related_model._meta.verbose_name_plural
        for relation in EscalationPolicy._meta.related_objects
        if relation.related_model not in {EscalationLevel, Escalation}
        and relation.related_model._base_manager.filter(**{relation.field.name: policy}).exists()
    ]
    if users:
        names = " and ".join(str(name) for name in users)
        raise Conflict(f"{policy} is used by {names}.", remedy="Give them another policy first.")
    publish("escalation_policy.removed", subject=policy, actor=actor, data={"name": policy.name})
    policy.delete()


@transaction.atomic
def add_contact_method(*, actor: Actor, user: User, kind: str, now: datetime, address: str = "") -> ContactMethod:
    """Adds a way to reach a person. A webhook gets a secret that signs what it is sent."""
    require(permissions.can_manage_contact_methods(actor, user.pk), "You may only change your own contact methods.")
    if kind not in ContactMethod.Kind.values:
        raise Invalid(f"{kind!r} is not a kind.", field="kind", remedy=f"Use {', '.join(ContactMethod.Kind.values)}.")
    address = _checked_address(kind, address.strip())
    method, created = ContactMethod.objects.get_or_create(
        user=user,
        kind=kind,
        address=address,
        defaults={
            "verified_at": now,
            "secret": secrets.token_urlsafe(32) if kind == ContactMethod.Kind.WEBHOOK else "",
        },
    )
    if created:
        publish("contact_method.added", subject=user, actor=actor, data={"kind": kind})
    return method


def _checked_address(kind: str, address: str) -> str:
    if kind == ContactMethod.Kind.WEB:
        return ""
    if kind == ContactMethod.Kind.EMAIL:
        try:
            validate_email(address)
        except ValidationError as error:
            raise Invalid(f"{address!r} is not an e-mail address.", field="address") from error
        return address
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Invalid("A webhook needs an address.", field="address", remedy="It starts with https:// or http://.")
    return address


@transaction.atomic
def set_contact_method_enabled(*, actor: Actor, method: ContactMethod, is_enabled: bool) -> ContactMethod:
    """Switches a contact method off or on; switching on also clears that it was broken."""
    require(permissions.can_change_contact_method(actor, method), "You may only change your own contact methods.")
    method.is_enabled = is_enabled
    method.broken_reason = "" if is_enabled else method.broken_reason
    method.save(update_fields=["is_enabled", "broken_reason"])
    publish(
        "contact_method.changed", subject=method.user, actor=actor, data={"kind": method.kind, "enabled": is_enabled}
    )
    return method


@transaction.atomic
def remove_contact_method(*, actor: Actor, method: ContactMethod) -> None:
    """Takes a way to reach a person away; what was sent through it stays recorded."""
    require(permissions.can_change_contact_method(actor, method), "You may only change your own contact methods.")
    user, kind = method.user, method.kind
    method.delete()
    publish("contact_method.removed", subject=user, actor=actor, data={"kind": kind})
