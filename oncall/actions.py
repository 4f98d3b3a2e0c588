"""Every write on a running escalation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from accounts.actor import Actor
from accounts.models import User
from events.actions import Fact, publish
from events.errors import Conflict, Invalid, require
from events.poke import poke
from events.rows import inserting, next_ids
from oncall.engine import AGAIN_FIELDS, SEND_PAGES, Moves, begin_again, earliest, move, page_row
from oncall.hours import next_working_hours
from oncall.ledger import add_ledger_entry
from oncall.models import Escalation, EscalationAnswer, EscalationEntry, EscalationPolicy, Page, Urgency
from oncall.paths import Path, freeze, path_of_person, path_to_user
from oncall.permissions import can_answer, can_page, can_resolve
from oncall.reach import Reach
from oncall.roster import schedule_specs
from oncall.walk import planned_pages

TICK = "oncall.tick"
LONGEST_SNOOZE = timedelta(days=7)
NOT_YOURS = "You were not paged for this, and viewers may not answer for others."
Kind = EscalationEntry.Kind
Status = Escalation.Status


@dataclass(frozen=True)
class Start:
    """An escalation to be: who asks for it, by which policy it pages, and for what.

    `path` saves the reading when the caller has frozen the same policy already; without a policy it is all there is.
    """

    actor: Actor
    policy: EscalationPolicy | None
    title: str
    detail: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    urgency: str = Urgency.HIGH
    is_private: bool = False
    path: Path | None = None


@transaction.atomic
def start_escalation(
    *,
    actor: Actor,
    title: str,
    now: datetime,
    policy: EscalationPolicy | None = None,
    user: User | None = None,
    detail: str = "",
    facts: dict[str, str] | None = None,
    urgency: str = Urgency.HIGH,
    is_private: bool = False,
) -> Escalation:
    """Starts paging along a frozen copy of a policy, or pages one person; exactly one of the two is given.

    The first level is due at once; low urgency may have to wait, as the policy says. Raises Invalid.
    """
    if (policy is None) == (user is None):
        raise Invalid("Say whom to page.", field="policy", remedy="Choose a policy or a person, and not both.")
    if user is not None and not user.is_active:
        raise Invalid(f"{user} is not here any more.", field="user", remedy="Choose somebody else.")
    path = path_of_person(user, urgency) if user is not None else None
    start = Start(actor, policy, title, detail, facts or {}, urgency, is_private, path)
    [escalation] = start_escalations([start], now=now)
    poke(TICK)
    return escalation


# Without a savepoint of its own: a storm starts them inside a transaction that stands or falls as a whole.
@transaction.atomic(savepoint=False)
def start_escalations(
    starts: Sequence[Start], *, now: datetime, moves_at_once: bool = False, causes: Iterable[Fact] = ()
) -> list[Escalation]:
    """Starts paging for many, in a number of statements that does not grow with them.

    With `moves_at_once` whoever is due at `now` takes the first step here, as the next tick would have them do.
    `causes` are published before what they lead to.
    """
    moves = Moves(now, facts=list(causes))
    opens: dict[tuple[int | None, str], datetime] = {}
    started = []
    for start, pk in zip(starts, next_ids(Escalation, len(starts)), strict=True):
        _check(start)
        key = (start.policy.pk if start.policy else None, start.urgency)
        opens[key] = opens.get(key) or (first_due(start.policy, start.urgency, now) if start.policy else now)
        started.append(_started(start, pk, opens[key], moves))
    due = [escalation for escalation in started if escalation.due_at == now]
    if moves_at_once and due:
        move(due, moves)
    moves.write(*inserting(started))
    return started


def _check(start: Start) -> None:
    """Raises what is wrong with it."""
    require(can_page(start.actor), "Viewers may not page people.")
    if not start.title.strip():
        raise Invalid("A page needs a title.", field="title", remedy="Say in a few words what is wrong.")
    if start.urgency not in Urgency.values:
        raise Invalid(f"{start.urgency!r} is not an urgency.", field="urgency", remedy="Use high or low.")
    if start.policy is None and start.path is None:
        raise Invalid("Say whom to page.", field="policy", remedy="Choose a policy.")


def _started(start: Start, pk: int, due_at: datetime, moves: Moves) -> Escalation:
    """A new escalation, not yet stored, with its first line and fact."""
    path = start.path or {}
    if not path and start.policy is not None:
        path = freeze(start.policy, urgency=start.urgency, facts=start.facts)
    lasts = path.get("auto_resolve_seconds")
    escalation = Escalation(
        pk=pk,
        policy=start.policy,
        title=start.title.strip()[:300],
        detail=start.detail,
        facts=start.facts,
        urgency=start.urgency,
        is_private=start.is_private,
        path=path,
        due_at=due_at,
        auto_resolve_at=moves.now + timedelta(seconds=lasts) if lasts else None,
        started_at=moves.now,
    )
    moves.record(
        escalation,
        Kind.STARTED,
        f"{start.actor.name} started {path['policy']}",
        {},
        fact="escalation.started",
        actor=start.actor,
        policy=path["policy"],
        urgency=str(start.urgency),
    )
    return escalation


def first_due(policy: EscalationPolicy, urgency: str, now: datetime) -> datetime:
    """When the first level is looked at: at once, or when the working hours of the first schedule begin."""
    if urgency != Urgency.LOW or policy.low_urgency != EscalationPolicy.LowUrgency.WORKING_HOURS:
        return now
    targets = policy.levels.filter(targets__schedule__isnull=False).order_by("position", "targets__id")
    schedule_id = targets.values_list("targets__schedule_id", flat=True).first()
    spec = schedule_specs(now, now, {schedule_id}).get(schedule_id) if schedule_id else None
    return (next_working_hours(spec, now) if spec else None) or now


def _locked(escalation: Escalation) -> Escalation:
    return Escalation.objects.select_for_update().get(pk=escalation.pk)


def _refuse_if_over(escalation: Escalation, remedy: str) -> None:
    if escalation.status == Status.RESOLVED:
        raise Conflict("This is already resolved.", remedy=remedy)


@transaction.atomic
def acknowledge_escalation(*, actor: Actor, escalation: Escalation, now: datetime) -> Escalation:
    """A person has it: paging stops once as many have answered as the level asks for. Again changes nothing.

    One that nobody answered in time still can be acknowledged.
    """
    escalation = _locked(escalation)
    require(can_answer(actor, escalation), NOT_YOURS)
    if escalation.status == Status.ACKNOWLEDGED:
        _answer_call_for_help(actor, escalation, EscalationAnswer.Kind.ACKNOWLEDGED, now)
        return escalation
    _refuse_if_over(escalation, "There is nothing left to acknowledge.")
    missing = _missing_answers(actor, escalation, now)
    if missing:
        text = f"{actor.name} acknowledged; {missing} more {'has' if missing == 1 else 'have'} to answer"
        _drop_unsent(escalation, user_id=actor.user_id)
        add_ledger_entry(escalation, Kind.ACKNOWLEDGED, text, now, actor=actor, data={"missing": missing})
        publish("escalation.partly_acknowledged", subject=escalation, actor=actor, data={"missing": missing})
        return escalation
    escalation.status, escalation.outcome = Status.ACKNOWLEDGED, Escalation.Outcome.OPEN
    escalation.ended_at = None
    escalation.acknowledged_at = escalation.acknowledged_at or now
    escalation.acknowledged_by_id = actor.user_id
    escalation.due_at = _silent_until(escalation, now)
    escalation.save(update_fields=["status", "outcome", "due_at", "ended_at", "acknowledged_at", "acknowledged_by"])
    _drop_unsent(escalation)
    seconds = int((now - escalation.started_at).total_seconds())
    text = f"{actor.name} acknowledged after {seconds // 60}:{seconds % 60:02}"
    add_ledger_entry(escalation, Kind.ACKNOWLEDGED, text, now, actor=actor)
    publish("escalation.acknowledged", subject=escalation, actor=actor, data={"seconds": seconds, "text": text})
    return escalation


def _silent_until(escalation: Escalation, now: datetime) -> datetime | None:
    """When the engine looks again at one that is acknowledged."""
    seconds = escalation.path.get("acknowledgement_seconds")
    return earliest(now + timedelta(seconds=seconds) if seconds else None, escalation.auto_resolve_at)


def _missing_answers(actor: Actor, escalation: Escalation, now: datetime) -> int:
    """Keeps this answer and says how many more the level that was paged last needs."""
    level = max(escalation.level - 1, 0)
    if actor.user_id is not None:
        _keep_answer(escalation, actor.user_id, EscalationAnswer.Kind.ACKNOWLEDGED, now)
    levels = escalation.path["levels"]
    needed = levels[level].get("answers_needed", 1) if levels else 1
    if needed == 1 or actor.user_id is None or escalation.status != Status.TRIGGERED:
        return 0
    paged = set(
        escalation.pages.filter(level=level, round=escalation.round, run=escalation.run).values_list(
            "user_id", flat=True
        )
    )
    answered = set(
        escalation.answers.filter(kind=EscalationAnswer.Kind.ACKNOWLEDGED, run=escalation.run).values_list(
            "user_id", flat=True
        )
    )
    wanted = len(paged) if needed == 0 else min(needed, len(paged))
    return max(wanted - len(answered & paged), 0)


def _keep_answer(escalation: Escalation, user_id: int, kind: EscalationAnswer.Kind, now: datetime) -> None:
    EscalationAnswer.objects.update_or_create(
        escalation=escalation,
        run=escalation.run,
        level=max(escalation.level - 1, 0),
        round=escalation.round,
        user_id=user_id,
        defaults={"kind": kind, "at": now},
    )


def _answer_call_for_help(actor: Actor, escalation: Escalation, kind: EscalationAnswer.Kind, now: datetime) -> bool:
    """Keeps what somebody says who was asked to help with what another person has; False if nobody asked them."""
    if not escalation.is_open or actor.user_id is None:
        return False
    asked = escalation.pages.filter(run=escalation.run, user_id=actor.user_id, is_extra=True).exists()
    answered = escalation.answers.filter(run=escalation.run, user_id=actor.user_id, kind=kind).exists()
    if asked and not answered:
        _keep_answer(escalation, actor.user_id, kind, now)
        _drop_unsent(escalation, user_id=actor.user_id)
        helps = kind == EscalationAnswer.Kind.ACKNOWLEDGED
        text = f"{actor.name} helps" if helps else f"{actor.name} cannot help"
        add_ledger_entry(escalation, Kind.ACKNOWLEDGED if helps else Kind.DECLINED, text, now, actor=actor)
        publish("escalation.help_answered", subject=escalation, actor=actor, data={"helps": helps, "text": text})
    return asked


@transaction.atomic
def decline_escalation(*, actor: Actor, escalation: Escalation, now: datetime) -> Escalation:
    """A paged person cannot take it: they are left alone, and once all of the level cannot, the next level is due."""
    escalation = _locked(escalation)
    require(actor.user_id is not None and can_answer(actor, escalation), NOT_YOURS)
    if escalation.status != Status.TRIGGERED:
        if _answer_call_for_help(actor, escalation, EscalationAnswer.Kind.DECLINED, now):
            return escalation
        raise Conflict("Nobody is being paged for this any more.", remedy="There is nothing left to decline.")
    paged = set(
        escalation.pages.filter(
            level=max(escalation.level - 1, 0), round=escalation.round, run=escalation.run
        ).values_list("user_id", flat=True)
    )
    declined = escalation.answers.filter(
        kind=EscalationAnswer.Kind.DECLINED,
        run=escalation.run,
        level=max(escalation.level - 1, 0),
        round=escalation.round,
    )
    if declined.filter(user_id=actor.person_id).exists():
        return escalation
    _keep_answer(escalation, actor.person_id, EscalationAnswer.Kind.DECLINED, now)
    _drop_unsent(escalation, user_id=actor.user_id)
    add_ledger_entry(escalation, Kind.DECLINED, f"{actor.name} cannot take it", now, actor=actor)
    publish("escalation.declined", subject=escalation, actor=actor, data={"text": f"{actor.name} cannot take it"})
    if paged and paged <= set(declined.values_list("user_id", flat=True)):
        escalation.due_at = now
        escalation.save(update_fields=["due_at"])
        poke(TICK)
    return escalation


@transaction.atomic
def escalate_now(*, actor: Actor, escalation: Escalation, now: datetime) -> Escalation:
    """Pages the next level at once instead of when its time comes; who has acknowledged hands it on by this."""
    escalation = _locked(escalation)
    require(can_answer(actor, escalation), NOT_YOURS)
    _refuse_if_over(escalation, "There is nothing left to escalate.")
    if escalation.stage >= len(escalation.path["stages"]):
        raise Conflict("Every level has been tried.", remedy="Hand it to a person or to another policy.")
    escalation.status, escalation.due_at, escalation.snoozed_until = Status.TRIGGERED, now, None
    escalation.save(update_fields=["status", "due_at", "snoozed_until"])
    text = f"{actor.name} escalated to the next level"
    add_ledger_entry(escalation, Kind.ESCALATED, text, now, actor=actor)
    publish("escalation.escalated", subject=escalation, actor=actor, data={"text": text})
    poke(TICK)
    return escalation


@transaction.atomic
def reassign_escalation(
    *,
    actor: Actor,
    escalation: Escalation,
    now: datetime,
    policy: EscalationPolicy | None = None,
    user: User | None = None,
) -> Escalation:
    """Hands it to another policy or to one person, who is paged at once; whoever had it before is left alone."""
    escalation = _locked(escalation)
    require(can_page(actor) and can_answer(actor, escalation), NOT_YOURS)
    _refuse_if_over(escalation, "Start a new one.")
    if (policy is None) == (user is None):
        raise Invalid("Choose a policy or a person.", field="policy", remedy="One of the two.")
    if user is not None and not user.is_active:
        raise Invalid(f"{user} is no longer active.", field="user", remedy="Choose somebody else.")
    if policy is not None:
        escalation.policy = policy
        escalation.path = freeze(policy, urgency=escalation.urgency, facts=escalation.facts)
    elif user is not None:
        escalation.path = path_to_user(user.pk, user.display_name, escalation.path)
    _drop_unsent(escalation)
    escalation.stage = escalation.level = escalation.round = 0
    escalation.run += 1
    escalation.status, escalation.outcome = Status.TRIGGERED, Escalation.Outcome.OPEN
    escalation.due_at, escalation.ended_at, escalation.snoozed_until = now, None, None
    escalation.save(
        update_fields=[
            *("policy", "path", "stage", "level", "round", "run"),
            *("status", "outcome", "due_at", "ended_at", "snoozed_until"),
        ]
    )
    text = f"{actor.name} handed it to {policy.name if policy else user}"
    add_ledger_entry(escalation, Kind.REASSIGNED, text, now, actor=actor, data={"path": escalation.path})
    publish("escalation.reassigned", subject=escalation, actor=actor, data={"text": text})
    poke(TICK)
    return escalation


@transaction.atomic
def add_responder(*, actor: Actor, escalation: Escalation, user: User, now: datetime) -> Escalation:
    """Pages one more person at once, beside whoever has it; the path goes on as it was. Again changes nothing."""
    escalation = _locked(escalation)
    require(can_page(actor) and can_answer(actor, escalation), NOT_YOURS)
    _refuse_if_over(escalation, "Start a new one.")
    person = Reach.of([path_to_user(user.pk, user.display_name, escalation.path)], now, now).people.get(user.pk)
    if person is None or not person.methods:
        raise Invalid(
            f"{user} has no usable contact method.", field="user", remedy="Choose somebody who can be reached."
        )
    level = max(escalation.level - 1, 0)
    already = escalation.pages.filter(run=escalation.run, level=level, round=escalation.round, user=user)
    if already.exists():
        return escalation
    planned = planned_pages(escalation.path, person, level, escalation.round, now)
    rows = [page_row(escalation, each, now) for each in planned]
    for row in rows:
        row.is_extra = True
    Page.objects.bulk_create(rows)
    text = f"{actor.name} asked {user.display_name} to help"
    data = {"users": [user.pk]}
    add_ledger_entry(escalation, Kind.RESPONDER_ADDED, text, now, actor=actor, data=data)
    publish("escalation.responder_added", subject=escalation, actor=actor, data={**data, "text": text})
    poke(SEND_PAGES)
    return escalation


@transaction.atomic
def snooze_escalation(*, actor: Actor, escalation: Escalation, until: datetime, now: datetime) -> Escalation:
    """Acknowledges, and pages again at `until` unless it has ended by then."""
    require(can_answer(actor, escalation), NOT_YOURS)
    if not now < until <= now + LONGEST_SNOOZE:
        raise Invalid("Snooze until a time within the next seven days.", field="until", remedy="Choose another time.")
    escalation = acknowledge_escalation(actor=actor, escalation=escalation, now=now)
    if escalation.status != Status.ACKNOWLEDGED:
        raise Conflict("Others have to answer first.", remedy="Your acknowledgement is kept.")
    escalation.snoozed_until = until
    escalation.due_at = earliest(until, escalation.auto_resolve_at)
    escalation.save(update_fields=["snoozed_until", "due_at"])
    text = f"{actor.name} snoozed it until {until:%Y-%m-%d %H:%M} UTC"
    add_ledger_entry(escalation, Kind.SNOOZED, text, now, actor=actor, data={"until": until.isoformat()})
    publish("escalation.snoozed", subject=escalation, actor=actor, data={"text": text, "until": until.isoformat()})
    return escalation


@transaction.atomic
def keep_acknowledged(*, escalation: Escalation, now: datetime) -> None:
    """Somebody does something about it: the time after which silence pages again begins anew."""
    escalation = _locked(escalation)
    if escalation.status == Status.ACKNOWLEDGED and not escalation.snoozed_until:
        escalation.due_at = _silent_until(escalation, now)
        escalation.save(update_fields=["due_at"])


@transaction.atomic
def resolve_escalation(*, actor: Actor, escalation: Escalation, now: datetime, reason: str = "") -> Escalation:
    """Ends the escalation: what it was about is over. Resolving again changes nothing."""
    escalation = _locked(escalation)
    require(can_resolve(actor, escalation), "Viewers may not end what pages other people.")
    if escalation.status == Status.RESOLVED:
        return escalation
    escalation.status, escalation.outcome = Status.RESOLVED, Escalation.Outcome.RESOLVED
    escalation.due_at = escalation.snoozed_until = None
    escalation.ended_at = now
    escalation.save(update_fields=["status", "outcome", "due_at", "snoozed_until", "ended_at"])
    _drop_unsent(escalation)
    text = f"{actor.name} ended it" + (f": {reason}" if reason else "")
    add_ledger_entry(escalation, Kind.RESOLVED, text, now, actor=actor)
    publish("escalation.resolved", subject=escalation, actor=actor, data={"reason": reason})
    return escalation


@transaction.atomic
def page_again(*, actor: Actor, escalation: Escalation, now: datetime) -> Escalation:
    """Takes an acknowledgement back: the level that was paged last is paged once more, at once."""
    escalation = _locked(escalation)
    require(can_answer(actor, escalation), NOT_YOURS)
    if escalation.status != Status.ACKNOWLEDGED:
        return escalation
    begin_again(escalation)
    escalation.due_at, escalation.snoozed_until = now, None
    escalation.save(update_fields=[*AGAIN_FIELDS, "due_at", "snoozed_until"])
    text = f"{actor.name} took the acknowledgement back"
    add_ledger_entry(escalation, Kind.AGAIN, text, now, actor=actor, data={"run": escalation.run})
    publish("escalation.again", subject=escalation, actor=actor, data={"reason": text})
    poke(TICK)
    return escalation


def _drop_unsent(escalation: Escalation, *, user_id: int | None = None) -> None:
    """Pages that no process holds are not needed any more; one that is being sent looks at the state itself."""
    pages = escalation.pages.filter(state=Page.State.PENDING)
    (pages.filter(user_id=user_id) if user_id else pages).update(state=Page.State.DROPPED)
