"""The engine: takes runs that are due one step further, each step once.

A step whose effect is in the database is done in the transaction that also writes down that it was, under the lock of
its run: a worker that dies leaves nothing behind, and the next one finds the run free at once. A step whose effect is
outside is first written down as begun, under the key with which it is done; the run is then leased, and what was begun
and not finished when the lease ends is done again with the same key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction

from accounts.actor import Actor
from events.actions import back_off, publish
from events.conditions import holds
from events.errors import DomainError
from incidents.models import Incident, TimelineEntry
from incidents.timeline import add_entry
from workflows import walking
from workflows.context import gathered
from workflows.facts import not_so
from workflows.filling import filled, left_empty, masked_inputs
from workflows.flow import FLOW, Ask, Enter, Flow, Go, Hold
from workflows.models import StepRun, WorkflowRun
from workflows.registry import Context, Failed, Outcome, Retry, Skip, Step, step_called
from workflows.starting import ends_at, not_for

log = structlog.get_logger(__name__)

ADVANCED_AT_ONCE = 20
ATTEMPTS = 6
# Longer than any request that a step makes outside may take.
LEASE = timedelta(seconds=60)
# How long a statement of a step may take: nothing holds up a worker for good.
STATEMENT_TIMEOUT = "30s"
# How often one looks whether a paused incident goes on.
PAUSED_PEEK = timedelta(seconds=15)
# Steps without an effect (skipped ones, branches) that are walked through within one transaction.
WALKED_AT_ONCE = 20
State = WorkflowRun.State
StepState = StepRun.State


@dataclass(frozen=True)
class _Errand:
    """A step whose effect is outside, ready to be done; `lease` tells whether the run is still ours.

    `empty` are the names in its templates that were left empty.
    """

    run_id: int
    lease: datetime
    step: Step
    context: Context
    params: Mapping[str, Any]
    empty: list[str]


def advance_due(now: datetime, *, limit: int = ADVANCED_AT_ONCE) -> int:
    """Takes runs that are due one step further each, the longest due first; returns how many were found."""
    for count in range(limit):
        if not advance_one(now):
            return count
    return limit


def advance_one(now: datetime) -> bool:
    """Takes the run that is longest due one step further; False if none is free. Any number may do so at once."""
    run_id = 0
    try:
        with transaction.atomic():
            run = _claimed(now)
            if run is None:
                return False
            run_id = run.pk
            errand = _Moving(run, now).go()
    except Exception as error:
        if not run_id:
            raise
        log.exception("workflow_run_broke", run=run_id)
        _set_back(run_id, error, now)
        return True
    if errand is not None:
        _do_outside(errand, now)
    return True


def _runs() -> Any:
    return WorkflowRun.objects.select_for_update(of=("self",), skip_locked=True).select_related(
        "workflow",
        "version",
        "incident__severity",
        "incident__status",
        "incident__incident_type",
        "incident__parent",
    )


def _claimed(now: datetime) -> WorkflowRun | None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
    found: WorkflowRun | None = _runs().filter(state__in=WorkflowRun.OPEN, due_at__lte=now).order_by("due_at").first()
    return found


def _set_back(run_id: int, error: Exception, now: datetime) -> None:
    """What breaks outside of a step is tried again later, and in the end given up."""
    with transaction.atomic():
        run = _runs().filter(pk=run_id, state__in=WorkflowRun.OPEN).first()
        if run is not None:
            _Moving(run, now).try_again(None, f"{type(error).__name__}: {error}")


def _do_outside(errand: _Errand, now: datetime) -> None:
    result: Outcome | Exception
    try:
        result = errand.step.run(errand.context, errand.params)
    except Exception as error:
        result = error
    with transaction.atomic():
        run = _runs().filter(pk=errand.run_id, state=State.RUNNING, due_at=errand.lease).first()
        if run is None:  # it was canceled meanwhile, or took so long that somebody else does it
            return
        row = StepRun.objects.get(pk=errand.context.step_id)
        _Moving(run, now, errand.empty).conclude(row, result)


class _Moving:
    """One locked run on its way, within the transaction of its caller."""

    def __init__(self, run: WorkflowRun, now: datetime, empty: list[str] | None = None) -> None:
        self.run = run
        self.now = now
        self.empty = empty or []
        self.definition: Mapping[str, Any] = run.version.definition
        self.actor = Actor.of_workflow(run.workflow_id, run.workflow.name, run.pk)
        self.rows = {row.path: row for row in run.steps.all()}

    # --- Facts --------------------------------------------------------------------------------------------------------

    @property
    def incident(self) -> Incident | None:
        return self.run.incident

    def facts(self) -> dict[str, Any]:
        """All that conditions and templates can ask at this point."""
        by_path = {path: row.output for path, row in self.rows.items()}
        by_id = {path.rsplit(".", 1)[-1]: output for path, output in by_path.items()}
        return gathered(
            definition=self.definition,
            told=self.run.facts,
            incident=self.incident,
            now=self.now,
            run=self.run,
            outputs=by_id,
            loops=walking.items_of(self.run.position, by_path),
        )

    # --- Moving -------------------------------------------------------------------------------------------------------

    def go(self) -> _Errand | None:
        """To the next effect, wait or end; what has to be done outside is returned."""
        refusal = not_for(self.run.workflow, self.incident)
        if refusal:
            self.end(State.CANCELED, refusal)
            return None
        if self.run.started_at is None and not self._begins():
            return None
        self.run.state = State.RUNNING
        for _step in range(WALKED_AT_ONCE):
            self.run.position = walking.settled(self.definition, self.run.position)
            if not self.run.position:
                self.end(State.DONE)
                return None
            moved = self._step()
            if moved is None:
                continue
            return moved if isinstance(moved, _Errand) else None
        self._save()
        return None

    def _begins(self) -> bool:
        """Whether the wait before it is over and its conditions hold."""
        delay = self.run.facts.get("delay")
        if delay and not self._is_over(delay):
            return False
        self.run.started_at = self.now
        self.run.position = walking.beginning()
        condition = self.definition.get("conditions") or {}
        if condition and not holds(condition, facts := self.facts()):
            self.end(State.NOT_MET, not_so(condition, facts))
            return False
        return True

    def _is_over(self, delay: Mapping[str, Any]) -> bool:
        """Whether a stretch of waiting is over; if not, the run is due when it may be."""
        incident = self.incident
        if incident is not None and incident.paused_at is not None:
            self.run.due_at = self.now + PAUSED_PEEK
        elif (until := ends_at(delay, incident)) > self.now:
            self.run.due_at = until
        else:
            return True
        self.run.state = State.WAITING
        self._save()
        return False

    def _step(self) -> _Errand | bool | None:
        """The step at which it stands: None to go on at once, an errand, or True where the transaction ends."""
        step = walking.current(self.definition, self.run.position)
        path = walking.path_of(self.definition, self.run.position)
        row = self.rows.get(path) or StepRun(run=self.run, path=path, kind=step["kind"], started_at=self.now)
        row.name = str(step.get("name") or "")
        facts, self.empty = self.facts(), []
        condition = step.get("conditions") or {}
        known = step_called(step["kind"])
        if row._state.adding and condition and not holds(condition, facts):
            self._leave(row, StepState.SKIPPED, not_so(condition, facts))
            return None
        if known is None:
            self._fail(row, f"No step is called {step['kind']!r} in this version of Sitrep.")
            return True
        try:
            params = filled(step, facts, self.empty)
        except Failed as error:
            self._fail(row, str(error))
            return True
        row.inputs = masked_inputs(step, params)
        row.attempts = self.run.attempts + 1
        if step["kind"] in FLOW:
            return self._flow(row, FLOW[step["kind"]], params, facts)
        if self._is_late(step, row):
            self._fail(row, f"Not done within {step['timeout_minutes']} minutes. {row.detail}".strip())
            return True
        return self._effect(row, known, params, facts)

    def _effect(self, row: StepRun, step: Step, params: Mapping[str, Any], facts: Mapping[str, Any]) -> _Errand | bool:
        row.state = StepState.RUNNING
        row.save()
        self.rows[row.path] = row
        context = self._context(row, facts)
        if step.is_outside:
            self.run.attempts += 1
            self.run.due_at = self.now + LEASE
            self._save()
            return _Errand(self.run.pk, self.run.due_at, step, context, params, self.empty)
        try:
            with transaction.atomic():
                result: Outcome | Exception = step.run(context, params)
        except Exception as error:
            result = error
        self.run.attempts += 1
        self.conclude(row, result)
        return True

    def _context(self, row: StepRun, facts: Mapping[str, Any]) -> Context:
        return Context(
            actor=self.actor,
            now=self.now,
            facts=facts,
            incident=self.incident,
            run_id=self.run.pk,
            step_id=row.pk or 0,
            key=row.key,
            chain=(*self.run.chain, self.run.workflow_id),
        )

    def _flow(self, row: StepRun, flow: Flow, params: Mapping[str, Any], facts: Mapping[str, Any]) -> bool | None:
        """A step that is about the way itself: a wait, a branch, a loop, another workflow."""
        ask = Ask(self.run, row, params, facts, self._context(row, facts), self._is_over)
        try:
            moved = flow(ask)
        except (Skip, Failed, DomainError) as error:
            self.conclude(row, error)
            return True
        match moved:
            case Hold(output, due_at, detail):
                row.state, row.output, row.detail = StepState.WAITING, dict(output), detail
                row.save()
                self.run.state, self.run.due_at = State.WAITING, due_at
                self._save()
                return True
            case Enter(position, outcome):
                self._leave(row, StepState.DONE, outcome.detail, outcome.output, position)
                return None
            case Go(outcome):
                self._leave(row, StepState.DONE, outcome.detail, outcome.output)
                return None

    def _is_late(self, step: Mapping[str, Any], row: StepRun) -> bool:
        minutes = step.get("timeout_minutes")
        return (
            bool(minutes)
            and not row._state.adding
            and self.now - row.started_at > timedelta(minutes=float(minutes or 0))
        )

    # --- What came of it ----------------------------------------------------------------------------------------------

    def conclude(self, row: StepRun, result: Outcome | Exception) -> None:
        """Writes down what came of a step, and where the run goes from there."""
        self.rows[row.path] = row
        match result:
            case Outcome(detail, output):
                self._leave(row, StepState.DONE, detail, output)
            case Skip():
                self._leave(row, StepState.SKIPPED, str(result))
            case Failed() | DomainError():
                self._fail(row, str(result))
                return
            case Retry():
                self.try_again(row, str(result))
                return
            case _:
                log.error("workflow_step_broke", run=self.run.pk, path=row.path, exc_info=result)
                self.try_again(row, f"{type(result).__name__}: {result}")
                return
        self._go_on()

    def _go_on(self) -> None:
        self.run.due_at, self.run.state = self.now, State.RUNNING
        self.run.position = walking.settled(self.definition, self.run.position)
        if self.run.position:
            self._save()
        else:
            self.end(State.DONE)

    def try_again(self, row: StepRun | None, reason: str) -> None:
        """Later, and after the last try not any more."""
        if row is None:
            self.run.attempts += 1
        if self.run.attempts >= ATTEMPTS:
            self._fail(row, f"Given up after {self.run.attempts} tries: {reason}")
            return
        if row is not None:
            row.state, row.detail = StepState.WAITING, f"Tried {self.run.attempts} times: {reason}"[:2000]
            row.save()
        self.run.due_at = self.now + back_off(self.run.attempts)
        self._save()

    def _leave(
        self,
        row: StepRun,
        state: StepRun.State,
        detail: str,
        output: Mapping[str, Any] | None = None,
        position: walking.Position | None = None,
    ) -> None:
        """The step is over: the run stands after it, or where it leads."""
        said = f"{detail}{left_empty(self.empty)}".strip()
        row.state, row.detail, row.output = state, said[:5000], dict(output or {})
        row.ended_at = self.now
        row.save()
        self.rows[row.path] = row
        self.run.position = walking.stepped(self.run.position) if position is None else position
        self.run.attempts = 0

    def _fail(self, row: StepRun | None, reason: str) -> None:
        goes_on = False
        if row is not None:
            goes_on = walking.current(self.definition, self.run.position).get("on_error") == "continue"
            self._leave(row, StepState.FAILED, reason)
        if goes_on:
            self._go_on()
        else:
            self.end(State.FAILED, reason)

    def end(self, state: WorkflowRun.State, error: str = "") -> None:
        """The run is over; whoever called it goes on, and what failed is told."""
        if state == State.NOT_MET and self.run.dedup_key.startswith("subject-"):
            # It has not run for its subject: another event may still start it.
            self.run.dedup_key = f"{self.run.dedup_key}-not-{self.run.pk}"
        finish(self.run, state=state, error=error, now=self.now)
        if state != State.FAILED:
            return
        workflow = self.run.workflow
        publish("workflow.run_failed", subject=workflow, actor=self.actor, data={"run": self.run.pk})
        if self.incident is not None:
            text = f"the workflow “{workflow}” failed: {error}"[:1000]
            kind, data = TimelineEntry.Kind.WORKFLOW, {"run": self.run.pk}
            add_entry(incident=self.incident, actor=self.actor, kind=kind, text=text, now=self.now, data=data)

    def _save(self) -> None:
        save_moved(self.run)


def save_moved(run: WorkflowRun) -> None:
    """Writes where a locked run stands."""
    run.save(update_fields=["state", "position", "attempts", "due_at", "started_at", "ended_at", "error", "dedup_key"])


def finish(run: WorkflowRun, *, state: WorkflowRun.State, error: str, now: datetime) -> None:
    """Ends a locked run, and wakes the one that called it."""
    run.state, run.error, run.due_at, run.ended_at = state, error[:5000], None, now
    save_moved(run)
    if run.caller_id is not None:
        WorkflowRun.objects.filter(pk=run.caller_id, state__in=WorkflowRun.OPEN).update(due_at=now)
