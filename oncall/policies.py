"""Every write on escalation policies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.actor import Actor
from accounts.models import Team, User
from events import conditions
from events.actions import publish
from events.errors import Conflict, Invalid, require
from events.outbound import AddressRefused
from oncall import permissions
from oncall.channels.apprise import parse
from oncall.foresight import refuse_worse
from oncall.models import Escalation, EscalationLevel, EscalationPolicy, EscalationTarget, Schedule
from oncall.naming import check_name
from oncall.paging_tests import holding_tests, refuse_broken_tests
from oncall.paths import freeze
from oncall.permissions import NOT_A_MANAGER
from oncall.policy_preview import PolicyPreview, compare, coverage_of, whole

LONGEST_TIMEOUT_MINUTES = 24 * 60
LONGEST_AUTO_RESOLVE_MINUTES = 60 * 24 * 60
MOST_REPEATS = 20
Kind = EscalationTarget.Kind


@dataclass(frozen=True)
class TargetDraft:
    """Whom a level pages or where it tells, as somebody wrote it.

    `target_id` names a chat or webhook that the policy has already, whose address nobody has to type again.
    """

    kind: str
    schedule: Schedule | None = None
    user: User | None = None
    team: Team | None = None
    name: str = ""
    address: str = ""
    secret: str = ""
    target_id: int | None = None


@dataclass(frozen=True)
class LevelDraft:
    """One level as somebody wrote it."""

    timeout_minutes: int
    targets: Sequence[TargetDraft] = ()
    condition: Mapping[str, Any] = field(default_factory=dict)
    answers_needed: int = 1
    is_round_robin: bool = False


def on_call(schedule: Schedule) -> TargetDraft:
    """Whoever is on call on a schedule."""
    return TargetDraft(Kind.SCHEDULE, schedule=schedule)


def person(user: User) -> TargetDraft:
    """One person."""
    return TargetDraft(Kind.USER, user=user)


@transaction.atomic
def save_policy(
    *,
    actor: Actor,
    name: str,
    slug: str,
    levels: Sequence[LevelDraft],
    now: datetime,
    policy: EscalationPolicy | None = None,
    description: str = "",
    team: Team | None = None,
    repeats: int = 0,
    on_exhausted: str = EscalationPolicy.Exhausted.STOP,
    next_policy: EscalationPolicy | None = None,
    acknowledgement_timeout_minutes: int | None = None,
    auto_resolve_minutes: int | None = None,
    low_urgency: str = EscalationPolicy.LowUrgency.PAGE,
    confirm: bool = False,
    override_reason: str = "",
) -> EscalationPolicy:
    """Makes an escalation policy or changes one. Escalations that already run keep their frozen path.

    Raises CoverageGetsWorse if in the next 90 days there would be hours in which it reaches nobody and now does, unless
    `confirm`; and Conflict if it breaks a paging test, unless an `override_reason` is given.
    """
    require(permissions.can_configure(actor), NOT_A_MANAGER)
    held = holding_tests(now)
    check_name(name, slug, EscalationPolicy, policy)
    _check_levels(levels)
    if not 0 <= repeats <= MOST_REPEATS:
        raise Invalid(f"A policy is repeated at most {MOST_REPEATS} times.", field="repeats")
    _check_times(acknowledgement_timeout_minutes, auto_resolve_minutes)
    _check_exhausted(policy, on_exhausted, next_policy)
    if low_urgency not in EscalationPolicy.LowUrgency.values:
        raise Invalid(
            f"{low_urgency!r} is not a way to treat low urgency.",
            field="low_urgency",
            remedy=f"Use {', '.join(EscalationPolicy.LowUrgency.values)}.",
        )
    created = policy is None
    before = None if policy is None else freeze(policy, takes_turn=False)
    policy = policy or EscalationPolicy()
    policy.name, policy.slug, policy.description = name.strip(), slug, description
    policy.team, policy.repeats = team, repeats
    policy.on_exhausted = on_exhausted
    policy.next_policy = next_policy if on_exhausted == EscalationPolicy.Exhausted.POLICY else None
    policy.acknowledgement_timeout_minutes = acknowledgement_timeout_minutes or None
    policy.auto_resolve_minutes = auto_resolve_minutes or None
    policy.low_urgency = low_urgency
    policy.save()
    _write_levels(policy, levels)
    if before is not None and not confirm:
        zone = ZoneInfo(before["zone"])
        old, new = coverage_of([before, freeze(policy, takes_turn=False)], now)
        refuse_worse(whole(old, zone), whole(new, zone), now)
    refuse_broken_tests(held, now=now, actor=actor, override_reason=override_reason)
    name_of_event = "escalation_policy.created" if created else "escalation_policy.changed"
    publish(name_of_event, subject=policy, actor=actor, data={"name": policy.name})
    return policy


def preview_policy(*, actor: Actor, policy: EscalationPolicy, now: datetime, **given: Any) -> PolicyPreview:
    """What `save_policy` would change with the same arguments; nothing is stored.

    It is saved, read back and rolled back: what is shown is what will be. Raises what saving raises but for gaps.
    """
    before = freeze(policy, takes_turn=False)
    with transaction.atomic():
        allowed = {**given, "confirm": True, "override_reason": "preview"}
        saved = save_policy(actor=actor, policy=policy, now=now, **allowed)
        after = freeze(saved, takes_turn=False)
        transaction.set_rollback(True)
    return compare(before, after, now)


def _check_levels(levels: Sequence[LevelDraft]) -> None:
    if not levels:
        raise Invalid("A policy needs at least one level.", field="levels", remedy="Add whom to page first.")
    for number, level in enumerate(levels, 1):
        if not level.targets:
            raise Invalid(f"Level {number} pages nobody.", field="levels", remedy="Add a schedule or a person to it.")
        if not 0 <= level.timeout_minutes <= LONGEST_TIMEOUT_MINUTES:
            raise Invalid(f"Level {number} must wait between 0 minutes and a day.", field="levels")
        if level.answers_needed < 0:
            raise Invalid(f"Level {number} can't need fewer than no answers.", field="levels")
        try:
            conditions.check(level.condition)
        except conditions.BadCondition as error:
            raise Invalid(f"Level {number}: {error}", field="levels", remedy="See the list of facts.") from error
        for target in level.targets:
            _check_target(number, target)


def _check_target(number: int, target: TargetDraft) -> None:
    wanted = {Kind.SCHEDULE: target.schedule, Kind.USER: target.user, Kind.TEAM: target.team}
    if target.kind not in Kind.values:
        raise Invalid(f"{target.kind!r} is no kind of target.", field="levels", remedy=f"Use {', '.join(Kind.values)}.")
    if target.kind in wanted and wanted[Kind(target.kind)] is None:
        raise Invalid(f"Level {number}: which {target.kind}?", field="levels", remedy="Name it.")
    if target.kind in {Kind.CHAT, Kind.WEBHOOK} and target.target_id is None:
        if target.kind == Kind.WEBHOOK and not target.address.startswith(("https://", "http://")):
            raise Invalid(
                f"Level {number}: a webhook needs an address.", field="levels", remedy="It starts with https://."
            )
        if target.kind == Kind.CHAT:
            _check_chat(number, target.address)


def _check_chat(number: int, address: str) -> None:
    try:
        parse(address)
    except AddressRefused as error:
        raise Invalid(
            f"Level {number}: {error}", field="levels", remedy="Use an Apprise address: slack://…, mmosts://…."
        ) from error


def _check_times(acknowledgement: int | None, auto_resolve: int | None) -> None:
    if acknowledgement is not None and not 0 <= acknowledgement <= LONGEST_TIMEOUT_MINUTES:
        raise Invalid(
            "An acknowledgement is trusted for a day at most.",
            field="acknowledgement_timeout_minutes",
            remedy="Leave it empty to trust it for ever.",
        )
    if auto_resolve is not None and not 0 <= auto_resolve <= LONGEST_AUTO_RESOLVE_MINUTES:
        raise Invalid(
            "It ends by itself within 60 days at most.",
            field="auto_resolve_minutes",
            remedy="Leave it empty to end it by hand.",
        )


def _check_exhausted(policy: EscalationPolicy | None, on_exhausted: str, next_policy: EscalationPolicy | None) -> None:
    if on_exhausted not in EscalationPolicy.Exhausted.values:
        raise Invalid(
            f"{on_exhausted!r} is nothing that can follow.",
            field="on_exhausted",
            remedy=f"Use {', '.join(EscalationPolicy.Exhausted.values)}.",
        )
    if on_exhausted != EscalationPolicy.Exhausted.POLICY:
        return
    if next_policy is None:
        raise Invalid("Which policy follows?", field="next_policy", remedy="Choose one.")
    following: EscalationPolicy | None = next_policy
    seen: set[int] = set()
    while following is not None and following.pk not in seen:
        if policy is not None and following.pk == policy.pk:
            raise Invalid(
                "The policies would follow each other in a circle.", field="next_policy", remedy="Choose another one."
            )
        seen.add(following.pk)
        following = following.next_policy


def _write_levels(policy: EscalationPolicy, levels: Sequence[LevelDraft]) -> None:
    """The levels become these. A chat or webhook that stays keeps its row: running escalations find it by its id."""
    kept = {target.pk: target for target in EscalationTarget.objects.filter(level__policy=policy)}
    policy.levels.all().delete()
    for position, draft in enumerate(levels):
        made = EscalationLevel.objects.create(
            policy=policy,
            position=position,
            timeout_minutes=draft.timeout_minutes,
            condition=dict(draft.condition),
            answers_needed=draft.answers_needed,
            is_round_robin=draft.is_round_robin,
        )
        for target in draft.targets:
            old = kept.pop(target.target_id or 0, None)
            if target.target_id is not None and old is None:
                raise Invalid("This target is not of this policy.", field="levels", remedy="Give its address again.")
            if old is not None:
                old.level = made
                old.save(force_insert=True)
                continue
            EscalationTarget.objects.create(
                level=made,
                kind=target.kind,
                schedule=target.schedule if target.kind == Kind.SCHEDULE else None,
                user=target.user if target.kind == Kind.USER else None,
                team=target.team if target.kind == Kind.TEAM else None,
                name=target.name.strip() or _name_of(target),
                address=target.address,
                secret=target.secret,
            )


def _name_of(target: TargetDraft) -> str:
    """What a chat or webhook is called when nobody named it: its kind and host, never its secrets."""
    if target.kind not in {Kind.CHAT, Kind.WEBHOOK}:
        return ""
    scheme, _separator, rest = target.address.partition("://")
    host = rest.partition("/")[0].rpartition("@")[2]
    return (f"webhook {host}" if target.kind == Kind.WEBHOOK else f"{scheme} chat")[:100]


def drafts_of(policy: EscalationPolicy) -> list[LevelDraft]:
    """The stored levels as they are."""
    levels = policy.levels.prefetch_related("targets__schedule", "targets__user", "targets__team").order_by("position")
    return [
        LevelDraft(
            timeout_minutes=level.timeout_minutes,
            condition=level.condition,
            answers_needed=level.answers_needed,
            is_round_robin=level.is_round_robin,
            targets=[
                TargetDraft(target.kind, target.schedule, target.user, target.team, target.name, target_id=target.pk)
                if target.kind in {Kind.CHAT, Kind.WEBHOOK}
                else TargetDraft(target.kind, target.schedule, target.user, target.team)
                for target in level.targets.all()
            ],
        )
        for level in levels
    ]


@transaction.atomic
def remove_policy(*, actor: Actor, policy: EscalationPolicy) -> None:
    """Takes a policy away, unless something pages by it. Escalations that run keep their frozen path."""
    require(permissions.can_configure(actor), NOT_A_MANAGER)
    # Whatever points at a policy: services, alert routes, policies that go on with it, …
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
