"""The engine: a run goes on step by step, each step once, and says what came of it."""

from collections.abc import Generator
from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.actor import Actor
from events.actions import deliver_due
from events.errors import Conflict, Invalid
from incidents.actions import change_severity, resolve_incident
from incidents.membership import set_visibility
from incidents.models import Incident
from incidents.pausing import pause_incident, resume_incident
from tests.factories import accounts, incidents
from tests.factories.workflows import pass_time, run_of, running, step
from workflows import runs
from workflows.engine import LEASE, advance_one
from workflows.models import StepRun, WorkflowRun
from workflows.registry import Context, Failed, Group, Outcome, Param, Retry, Step
from workflows.registry import step as registered

pytestmark = pytest.mark.django_db
State = WorkflowRun.State


@registered
class Probe(Step):
    """A step outside that does what the test has told it, and remembers its keys."""

    kind = "probe"
    label = "Probe"
    icon = "flask"
    group = Group.OUTSIDE
    is_outside = True
    needs_incident = False
    params = (Param("mood", "text", "Mood", is_template=True),)
    keys: list[str] = []

    def words(self, params: object) -> str:
        return "Probe"

    def run(self, context: Context, params: object) -> Outcome:
        mood = params["mood"]  # type: ignore[index]
        self.keys.append(context.key)
        if mood == "later":
            raise Retry("not now")
        if mood == "never":
            raise Failed("never")
        if mood == "breaks":
            raise ZeroDivisionError("broken")
        return Outcome("Probed.", {"mood": mood})


@pytest.fixture(autouse=True)
def _begins_now(now: datetime) -> Generator[None]:
    Probe.keys.clear()
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def responder() -> Actor:
    return accounts.actor(name="Ana Ferreira")


def declared(responder: Actor, now: datetime, **fields: object) -> Incident:
    return incidents.incident(responder, now=now, **fields)


def notes(incident: Incident) -> list[str]:
    return list(incident.timeline.filter(kind="note").order_by("pk").values_list("text", flat=True))


def states(run: WorkflowRun) -> dict[str, str]:
    return dict(run.steps.order_by("pk").values_list("path", "state"))


def test_an_event_starts_a_run_that_does_its_steps_and_remembers_them(responder: Actor, now: datetime) -> None:
    made = running(
        step("add_note", "first", text="{{ incident.reference }} is {{ incident.severity_name }}"),
        step("add_note", "second", text="after entry {{ steps.first.entry }}, by {{ event.by }}"),
    )
    incident = declared(responder, now)
    pass_time(now)
    run = run_of(made)
    assert (run.state, run.started_by_name, run.incident) == (State.DONE, "Ana Ferreira", incident)
    assert notes(incident) == [f"{incident.reference} is SEV2", "after entry 2, by Ana Ferreira"]
    assert states(run) == {"first": "done", "second": "done"}
    entry = incident.timeline.filter(kind="note").first()
    assert entry is not None
    assert (entry.actor_kind, entry.actor_name, entry.via) == ("workflow", "Chores", "workflow")


def test_the_same_event_starts_it_once(responder: Actor, now: datetime) -> None:
    made = running(step("add_note", text="x"))
    declared(responder, now)
    pass_time(now)
    pass_time(now + timedelta(minutes=1))
    assert WorkflowRun.objects.filter(workflow=made).count() == 1


def test_conditions_that_do_not_hold_start_nothing(responder: Actor, now: datetime) -> None:
    running(step("add_note", text="x"), conditions={"fact": "incident.severity", "operator": "is", "value": "sev1"})
    declared(responder, now)
    pass_time(now)
    assert not WorkflowRun.objects.exists()


def test_a_step_whose_conditions_do_not_hold_is_skipped_and_says_so(responder: Actor, now: datetime) -> None:
    never = {"fact": "incident.severity", "operator": "is", "value": "sev1"}
    made = running(step("add_note", "a", text="x", conditions=never), step("add_note", "b", text="y"))
    incident = declared(responder, now)
    pass_time(now)
    assert notes(incident) == ["y"]
    skipped = StepRun.objects.get(run=run_of(made), path="a")
    assert (skipped.state, skipped.detail) == ("skipped", "Not so: its severity is sev1.")


def test_once_per_subject_is_once_for_good(responder: Actor, now: datetime) -> None:
    made = running(step("add_note", text="x"), once="subject")
    running(step("add_note", text="y"), name="Other", events=["incident.severity_changed"], once="subject")
    incident = declared(responder, now)
    for slug in ("sev1", "sev3", "sev1"):
        change_severity(actor=responder, incident=incident, severity=incidents.severity(slug), now=now)
    pass_time(now)
    assert sorted(notes(incident)) == ["x", "y"]
    assert run_of(made).dedup_key == f"subject-{incident.pk}"


def test_a_delay_waits_and_asks_its_conditions_again(responder: Actor, now: datetime) -> None:
    still = {"fact": "incident.is_open", "operator": "is", "value": True}
    trigger = {"kind": "event", "events": ["incident.declared"], "delay_minutes": 30}
    made = running(step("add_note", text="half an hour"), trigger=trigger, conditions=still)
    first, second = declared(responder, now), declared(responder, now)
    pass_time(now)
    assert run_of(made).state == State.WAITING

    resolve_incident(actor=responder, incident=first, now=now + timedelta(minutes=10))
    pass_time(now + timedelta(minutes=29, seconds=50))
    assert notes(second) == []
    pass_time(now + timedelta(minutes=31))
    assert (notes(first), notes(second)) == ([], ["half an hour"])
    assert WorkflowRun.objects.get(incident=first).state == State.NOT_MET


def test_a_pause_moves_what_waits(responder: Actor, now: datetime) -> None:
    made = running(step("wait", minutes=30), step("add_note", text="later"))
    incident = declared(responder, now)
    pass_time(now)
    waits = run_of(made).steps.get()
    assert waits.detail == f"Until {now + timedelta(minutes=30):%Y-%m-%d %H:%M} UTC."
    pause_incident(actor=responder, incident=incident, now=now + timedelta(minutes=10))
    pass_time(now + timedelta(minutes=40))
    assert run_of(made).state == State.WAITING
    waits.refresh_from_db()
    assert waits.detail == "Waits while the incident is paused."
    resume_incident(actor=responder, incident=incident, now=now + timedelta(minutes=70))
    pass_time(now + timedelta(minutes=71))
    assert notes(incident) == []
    pass_time(now + timedelta(minutes=89))
    assert notes(incident) == []
    pass_time(now + timedelta(minutes=91))
    assert notes(incident) == ["later"]
    assert run_of(made).state == State.DONE


def test_a_branch_takes_one_way_and_a_loop_goes_through_a_list(responder: Actor, now: datetime) -> None:
    is_sev1 = {"fact": "incident.severity", "operator": "is", "value": "sev1"}
    inner = [
        step(
            "branch",
            "odd",
            conditions={"fact": "loop.index", "operator": "is", "value": 2},
            then=[step("add_note", "n", text="second: {{ word }}")],
        ),
        step("add_note", "each", text="{{ loop.index }} of {{ loop.of }}: {{ word }}"),
    ]
    made = running(
        step(
            "branch",
            "b",
            conditions=is_sev1,
            then=[step("add_note", "t", text="then")],
            otherwise=[step("add_note", "o", text="otherwise")],
        ),
        step("loop", "l", over="event.data.words", **{"as": "word"}, steps=inner),
        step("loop", "none", over="event.data.nothing", **{"as": "word"}, steps=[step("add_note", "never", text="z")]),
        step("add_note", "end", text="end"),
        trigger={"kind": "person"},
    )
    incident = declared(responder, now)
    runs.start_by_hand(actor=responder, workflow=made, incident=incident, now=now, facts={"words": ["a", "b"]})
    pass_time(now)
    assert notes(incident) == ["otherwise", "1 of 2: a", "second: b", "2 of 2: b", "end"]
    assert list(states(run_of(made))) == [
        "b",
        "o",
        "l",
        "l.0.odd",
        "l.0.each",
        "l.1.odd",
        "l.1.n",
        "l.1.each",
        "none",
        "end",
    ]


def test_what_fails_ends_the_run_and_is_told(responder: Actor, now: datetime) -> None:
    made = running(step("probe", mood="never"), step("add_note", text="x"))
    incident = declared(responder, now)
    pass_time(now)
    run = run_of(made)
    assert (run.state, run.error, states(run)) == (State.FAILED, "never", {"probe": "failed"})
    assert incident.timeline.get(kind="workflow").text == "the workflow “Chores” failed: never"


def test_on_error_continue_goes_on(responder: Actor, now: datetime) -> None:
    made = running(step("probe", mood="never", on_error="continue"), step("add_note", text="x"))
    incident = declared(responder, now)
    pass_time(now)
    assert (run_of(made).state, notes(incident)) == (State.DONE, ["x"])


def test_what_may_work_later_is_tried_again_with_the_same_key_and_then_given_up(
    responder: Actor, now: datetime
) -> None:
    made = running(step("probe", mood="later"))
    declared(responder, now)
    for minutes in range(12):
        pass_time(now + timedelta(minutes=minutes))
    run = run_of(made)
    assert run.state == State.FAILED
    assert run.error == "Given up after 6 tries: not now"
    assert set(Probe.keys) == {f"workflow-{run.pk}-probe"}
    assert len(Probe.keys) == 6


def test_what_takes_too_long_is_given_up(responder: Actor, now: datetime) -> None:
    made = running(step("probe", mood="breaks", timeout_minutes=1))
    declared(responder, now)
    for seconds in range(0, 200, 5):
        pass_time(now + timedelta(seconds=seconds))
    assert "Not done within 1 minutes" in run_of(made).error
    assert len(Probe.keys) < 6


def test_what_was_begun_outside_and_not_finished_is_done_again_when_the_lease_ends(
    responder: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = running(step("probe", mood="good"))
    declared(responder, now)

    deliver_due(timezone.now())

    class Killed(BaseException):
        pass

    def dies(*_: object) -> Outcome:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Probe, "run", dies)
        with pytest.raises(Killed):
            advance_one(now)
    row = StepRun.objects.get(run=run_of(made))
    assert row.state == "running"
    assert not advance_one(now + LEASE / 2)
    pass_time(now + LEASE + timedelta(seconds=1))
    assert run_of(made).state == State.DONE
    assert Probe.keys == [row.key]


def test_a_workflow_does_not_start_itself(responder: Actor, now: datetime) -> None:
    made = running(
        step("set_severity", severity="{% if incident.severity == 'sev1' %}sev2{% else %}sev1{% endif %}"),
        events=["incident.declared", "incident.severity_changed"],
    )
    incident = declared(responder, now)
    pass_time(now)
    found = list(WorkflowRun.objects.filter(workflow=made).order_by("pk").values_list("state", "error"))
    assert found == [(State.DONE, ""), (State.CANCELED, "Not run: what it did itself led to this.")]
    incident.refresh_from_db()
    assert incident.severity.slug == "sev1"


def test_two_workflows_do_not_start_each_other_without_end(responder: Actor, now: datetime) -> None:
    flip = "{% if incident.severity == 'sev1' %}sev2{% else %}sev1{% endif %}"
    running(step("set_severity", severity=flip), name="A", events=["incident.severity_changed"])
    running(step("set_severity", severity=flip), name="B", events=["incident.severity_changed"])
    incident = declared(responder, now)

    change_severity(actor=responder, incident=incident, severity=incidents.severity("sev1"), now=now)
    for minutes in range(5):
        pass_time(now + timedelta(minutes=minutes))
    assert WorkflowRun.objects.count() < 12
    assert not WorkflowRun.objects.filter(state__in=WorkflowRun.OPEN).exists()


def test_it_runs_at_most_so_often_for_one_incident(responder: Actor, now: datetime) -> None:
    made = running(step("add_note", text="x"), events=["incident.severity_changed"])
    incident = declared(responder, now)
    for number in range(35):
        slug = "sev1" if number % 2 else "sev3"
        change_severity(actor=responder, incident=incident, severity=incidents.severity(slug), now=now)
    pass_time(now)
    assert WorkflowRun.objects.filter(workflow=made, state=State.DONE).count() == 30
    assert WorkflowRun.objects.get(workflow=made, state=State.STOPPED).error.startswith("Not run: it ran 30 times")


def test_a_private_incident_and_a_test_only_where_the_workflow_says_so(responder: Actor, now: datetime) -> None:
    running(step("add_note", text="public"), name="Public")
    running(step("add_note", text="private"), name="Private", sees_private=True)
    running(step("add_note", text="tests"), name="Tests", in_tests=True)
    hidden = declared(responder, now, visibility="private")
    exercise = declared(responder, now, mode="game_day")
    pass_time(now)
    assert notes(hidden) == ["private"]
    assert notes(exercise) == ["tests"]


def test_a_run_ends_when_its_incident_becomes_private(responder: Actor, now: datetime) -> None:

    made = running(step("wait", minutes=5), step("add_note", text="x"))
    incident = declared(responder, now)
    pass_time(now)
    set_visibility(actor=responder, incident=incident, visibility="private", now=now)
    pass_time(now + timedelta(minutes=6))
    assert run_of(made).state == State.CANCELED
    assert notes(incident) == []


def test_a_run_calls_another_workflow_and_waits_for_it(responder: Actor, now: datetime) -> None:
    running(step("wait", minutes=5), step("add_note", text="inner"), name="Inner", trigger={"kind": "person"})
    made = running(step("call_workflow", workflow="inner"), step("add_note", text="outer"))
    incident = declared(responder, now)
    pass_time(now)
    assert notes(incident) == []
    pass_time(now + timedelta(minutes=6))
    assert notes(incident) == ["inner", "outer"]
    assert run_of(made).state == State.DONE


def test_a_run_can_be_canceled_with_what_it_called(responder: Actor, now: datetime) -> None:
    running(step("wait", minutes=5), step("add_note", text="inner"), name="Inner", trigger={"kind": "person"})
    made = running(step("call_workflow", workflow="inner"), step("add_note", text="outer"))
    incident = declared(responder, now)
    pass_time(now)
    run = runs.cancel_run(actor=responder, run=run_of(made), now=now)
    assert (run.state, run.error) == (State.CANCELED, "Canceled by Ana Ferreira.")
    pass_time(now + timedelta(minutes=6))
    assert notes(incident) == []
    assert not WorkflowRun.objects.filter(state__in=WorkflowRun.OPEN).exists()
    assert runs.cancel_run(actor=responder, run=run, now=now).state == State.CANCELED


def test_a_run_can_be_run_again_from_a_step(responder: Actor, now: datetime) -> None:
    inner = [step("add_note", "n", text="{{ word }}"), step("probe", "p", mood="{% if word == 'b' %}never{% endif %}")]
    made = running(
        step("add_note", "first", text="once"),
        step("loop", "l", over="event.data.words", **{"as": "word"}, steps=inner),
        step("add_note", "last", text="last"),
        trigger={"kind": "person"},
    )
    incident = declared(responder, now)
    runs.start_by_hand(actor=responder, workflow=made, incident=incident, now=now, facts={"words": ["a", "b", "c"]})
    pass_time(now)
    failed = run_of(made)
    assert (failed.state, notes(incident)) == (State.FAILED, ["once", "a", "b"])
    with pytest.raises(Invalid):
        runs.rerun_from(actor=responder, run=failed, path="last", now=now)
    again = runs.rerun_from(actor=responder, run=failed, path="l.1.n", now=now)
    with pytest.raises(Conflict):
        runs.rerun_from(actor=responder, run=again, path="l.1.n", now=now)
    pass_time(now)
    assert notes(incident) == ["once", "a", "b", "b"]
    again.refresh_from_db()
    assert states(again) == {
        "first": "done",
        "l": "done",
        "l.0.n": "done",
        "l.0.p": "done",
        "l.1.n": "done",
        "l.1.p": "failed",
    }


def test_two_engines_never_take_the_same_run(responder: Actor, now: datetime) -> None:
    made = running(step("add_note", text="x"))
    incident = declared(responder, now)
    pass_time(now)
    assert not advance_one(now)
    assert notes(incident) == ["x"]
    assert run_of(made).due_at is None
