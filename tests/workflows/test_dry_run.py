"""Trying a workflow: what it would do for an incident, with nothing written and nobody told."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role, Scope
from alerts.ingest import process_raw_events
from alerts.models import Alert
from alerts.windows import save_window
from events.errors import NotAllowed
from incidents.actions import change_severity
from oncall.models import Handover
from postmortems.action_items import create_action_item
from tests.factories import accounts, alerts, incidents, oncall, postmortems, statuspage
from tests.factories import saved_workflows as factory
from tests.workflows.test_editor import sent
from workflows.models import Workflow
from workflows.specimens import specimen_called
from workflows.subjects import facts_of_subject
from workflows.trial import Fate, Trial, try_workflow

pytestmark = pytest.mark.django_db
RANK_IS_HIGH = {"all": [{"fact": "incident.rank", "operator": "greater", "value": "3"}]}


def trial(definition: dict[str, Any], actor: Actor | None = None, **fields: Any) -> Trial:
    """What a definition would do for a SEV2 incident."""
    about, key = fields.pop("about", "incident"), fields.pop("key", "")
    if about == "incident":
        key = (fields.pop("incident", None) or incidents.incident(name="Pool exhausted")).number
    specimen = specimen_called(Actor.system(), about, str(key), definition)
    assert specimen is not None
    return try_workflow(
        actor=actor or Actor.system(),
        definition=definition,
        specimen=specimen,
        now=timezone.now(),
        workflow=Workflow(name="Draft", **fields),
    )


def tell(text: str) -> dict[str, Any]:
    """A step that needs no incident."""
    return {"id": "tell", "kind": "notify", "params": {"people": {"addresses": ["a@example.com"]}, "text": text}}


def signed_in() -> Client:
    browser = Client()
    browser.force_login(accounts.user(role=Role.MANAGER))
    return browser


def rows() -> dict[str, int]:
    """How many rows each table has."""
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


def test_each_step_tells_what_it_would_do_and_no_row_changes() -> None:
    incident = incidents.incident(name="Pool exhausted")
    steps = [
        factory.NOTE,
        {"id": "action", "kind": "create_action", "params": {"title": "Raise the pool of {{ incident.name }}"}},
        {"id": "severity", "kind": "set_severity", "params": {"severity": "sev1"}},
        {"id": "mail", "kind": "notify", "params": {"people": {"addresses": ["a@example.com"]}, "text": "Look"}},
        {"id": "done", "kind": "resolve", "params": {}},
    ]
    before = rows()
    found = trial(factory.definition(*steps), incident=incident)
    assert rows() == before
    assert mail.outbox == []
    assert found.would_run
    assert [step.state for step in found.steps] == [Fate.WOULD] * 5
    assert "Raise the pool of Pool exhausted" in found.steps[1].words
    assert found.steps[0].inputs == {"text": f"Noted for {incident.reference}"}


def test_what_is_skipped_and_why_is_told() -> None:
    steps = [
        {"id": "channel", "kind": "create_channel", "params": {}},
        {**factory.NOTE, "conditions": RANK_IS_HIGH},
    ]
    channel, note = trial(factory.definition(*steps)).steps
    assert (channel.state, note.state) == (Fate.SKIPPED, Fate.NOT_MET)
    assert channel.detail
    assert [each.holds for each in note.asked] == [False]


def test_conditions_that_do_not_hold_are_pointed_out() -> None:
    found = trial(factory.definition(conditions=RANK_IS_HIGH))
    assert not found.would_run
    assert [(each.words, each.holds) for each in found.asked] == [("the rank of its severity is greater than 3", False)]


def test_of_a_branch_one_side_is_tried_and_of_a_loop_its_turns() -> None:
    other = {**factory.NOTE, "id": "other"}
    branch = {
        "id": "b",
        "kind": "branch",
        "params": {"conditions": RANK_IS_HIGH},
        "then": [factory.NOTE],
        "otherwise": [other],
    }
    said = {"id": "said", "kind": "add_note", "params": {"text": "{{ it }} is number {{ loop.index }}"}}
    loop = {"id": "l", "kind": "loop", "params": {"over": "event.name", "as": "it"}, "steps": [said]}
    found = trial(factory.definition(branch, loop))
    assert [step.number for step in found.steps] == ["1", "1.else.1", "2", "2.(1).1"]
    assert found.steps[-1].inputs == {"text": "incident.declared is number 1"}


def test_private_incidents_are_out_of_reach_of_what_may_not_run_for_them() -> None:
    secret = incidents.incident(visibility="private")
    assert "private" in trial(factory.definition(), incident=secret).reason
    assert trial(factory.definition(), incident=secret, sees_private=True).would_run


def of_each_kind() -> dict[str, tuple[str, str, str, str]]:
    """One thing of each kind that starts workflows: an event about it, its key, what asks for its name, its name."""
    now = timezone.now()
    postmortem = postmortems.postmortem(now=now)
    item = create_action_item(actor=Actor.system(), title="Raise the pool", incident=postmortem.incident, now=now)
    escalation = oncall.escalation(oncall.level(accounts.user()), now=now, title="Disk full")
    schedule = oncall.schedule(accounts.user(), name="Nights")
    source = alerts.source()
    alerts.sent(source, now, title="CPU is high")
    process_raw_events(now)
    until = now + timedelta(hours=1)
    window = save_window(actor=Actor.system(), name="Upgrade", starts_at=now, ends_at=until, sources=[source], now=now)
    public = statuspage.public_incident(statuspage.page("API"), now=now, name="Slow")
    return {
        "alert": ("alert.fired", str(Alert.objects.get().pk), "alert.title", "CPU is high"),
        "escalation": ("escalation.exhausted", str(escalation.pk), "escalation.title", "Disk full"),
        "postmortem": ("postmortem.started", str(postmortem.pk), "postmortem.title", postmortem.title),
        "action_item": ("action_item.overdue", str(item.pk), "action_item.title", "Raise the pool"),
        "window": ("maintenance_window.started", str(window.pk), "window.name", "Upgrade"),
        "schedule": ("schedule.changed", schedule.slug, "schedule.name", "Nights"),
        "public_incident": ("status_page.incident_published", str(public.pk), "public_incident.name", "Slow"),
    }


def test_what_other_things_start_is_tried_with_one_of_theirs() -> None:
    incidents.configuration()
    manager = accounts.user(role=Role.MANAGER)
    key = accounts.api_key(manager, Scope.READ, Scope.WORKFLOWS)
    program = Client(headers={"authorization": f"Bearer {key}"})
    browser = signed_in()
    for about, (event, pk, fact, name) in of_each_kind().items():
        trigger = {"kind": "event", "events": [event]}
        workflow = factory.workflow(tell(f"{{{{ {fact} }}}}"), trigger=trigger, name=about)
        asked, address = {"about": about, "id": pk}, f"/api/v1/workflows/{workflow.slug}/try/"
        told = program.post(address, asked, content_type="application/json").json()
        assert (told["would_run"], told["steps"][0]["inputs"]["text"]) == (True, name)
        assert f'value="{about}:{pk}"' in browser.get(workflow.get_absolute_url()).content.decode()
        shown = browser.post(f"/workflows/{workflow.slug}/try/", {"subject": f"{about}:{pk}"}).content.decode()
        assert "It would run" in shown
        assert name in shown
        assert program.post(address, {**asked, "id": "999999"}, content_type="application/json").status_code == 404


def test_the_event_of_the_past_is_what_is_told_of_it() -> None:
    incident = incidents.incident()
    bob, sev1 = accounts.actor(name="Bob"), incidents.severity("sev1")
    change_severity(actor=bob, incident=incident, severity=sev1, now=timezone.now())
    step = {"id": "note", "kind": "add_note", "params": {"text": "{{ event.by }} {{ event.data.to }}"}}
    trigger = {"kind": "event", "events": ["incident.severity_changed"]}
    found = trial(factory.definition(step, trigger=trigger), incident=incident)
    assert found.steps[0].inputs == {"text": "Bob sev1"}


def test_a_handover_tells_of_its_schedule() -> None:
    schedule = oncall.schedule(accounts.user(), name="Nights")
    handover = Handover.objects.create(schedule=schedule, at=timezone.now())
    told, _incident = facts_of_subject("oncall.handover", handover.pk)
    assert told == {"schedule": {"name": "Nights", "slug": schedule.slug}}


def test_what_a_clock_starts_is_tried_without_anything() -> None:
    definition = factory.definition(tell("{{ now.hour }}"), trigger={"kind": "time", "cron": "0 9 * * 1"})
    assert trial(definition, about="nothing").would_run
    assert trial(definition).reason == "Nothing of this kind starts it."


def test_what_a_webhook_starts_is_tried_with_one_of_its_calls() -> None:
    workflow = factory.workflow(tell("Called with {{ webhook.body.x }}"), trigger={"kind": "webhook"})
    run = Client().post(f"/hooks/workflows/{workflow.token}", {"x": "y"}, content_type="application/json").json()["run"]
    browser = signed_in()
    assert f'value="call:{run}"' in browser.get(workflow.get_absolute_url()).content.decode()
    tried = browser.post(f"/workflows/{workflow.slug}/try/", {"subject": f"call:{run}"}).content.decode()
    assert "Called with y" in tried


def test_what_somebody_may_not_see_can_not_be_tried_with() -> None:
    secret = incidents.incident(visibility="private")
    workflow = factory.workflow(sees_private=True)
    browser = signed_in()
    assert f"incident:{secret.number}" not in browser.get(workflow.get_absolute_url()).content.decode()
    for asked in ({"subject": f"incident:{secret.number}"}, {"number": secret.reference}):
        page = browser.post(f"/workflows/{workflow.slug}/try/", asked).content.decode()
        assert "nothing of that name" in page


def test_another_trigger_offers_other_things_to_try_with() -> None:
    browser = signed_in()
    data: dict[str, Any] = {**sent(factory.definition()), "kinds": ["incident"]}
    assert 'id="try-with"' not in browser.post("/workflows/parts/preview/", data).content.decode()
    data["trigger-events"] = ["alert.fired"]
    page = browser.post("/workflows/parts/preview/", data).content.decode()
    assert 'name="kinds" value="alert"' in page


def test_what_would_be_left_empty_is_told() -> None:
    note = {"id": "note", "kind": "add_note", "params": {"text": "Because {{ event.data.reason }}"}}
    assert trial(factory.definition(note)).steps[0].detail.endswith("event.data.reason.")


def test_viewers_may_not_try() -> None:
    with pytest.raises(NotAllowed):
        trial(factory.definition(), accounts.actor(Role.VIEWER))


def test_a_program_tries_a_stored_workflow_and_a_draft_of_it() -> None:
    key = accounts.api_key(accounts.user(role=Role.MANAGER), Scope.READ, Scope.WORKFLOWS)
    client = Client(headers={"authorization": f"Bearer {key}"})
    workflow, incident = factory.workflow(), incidents.incident()
    address = f"/api/v1/workflows/{workflow.slug}/try/"
    asked = {"incident": incident.number}
    stored = client.post(address, asked, content_type="application/json").json()
    assert [step["state"] for step in stored["steps"]] == ["would"]
    draft = factory.definition(factory.NOTE, {"id": "c", "kind": "create_channel", "params": {}})
    tried = client.post(address, {**asked, "definition": draft}, content_type="application/json").json()
    assert [step["state"] for step in tried["steps"]] == ["would", "skipped"]
    secret = incidents.incident(visibility="private")
    assert client.post(address, {"incident": secret.number}, content_type="application/json").status_code == 404
