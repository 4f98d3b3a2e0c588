"""Facts that a workflow asks for: what can't be there is refused, what will be empty is told, and all is in words."""

from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role, Scope
from events.errors import Invalid
from tests.factories import accounts, incidents
from tests.factories import saved_workflows as factory
from tests.factories.workflows import pass_time, run_of, running, step
from tests.workflows.test_editor import sent
from workflows.actions import save_workflow
from workflows.beginnings import beginnings
from workflows.context import doubts
from workflows.definition import problems
from workflows.facts import condition_words
from workflows.models import WorkflowVersion
from workflows.runs import start_by_hand

pytestmark = pytest.mark.django_db
BY_CLOCK = {"kind": "time", "cron": "0 9 * * 1"}


def note(text: str, **more: Any) -> dict[str, Any]:
    return {"id": "note", "kind": "add_note", "params": {"text": text}, **more}


def only_if(fact: str, operator: str = "is", value: Any = "x") -> dict[str, Any]:
    return {"all": [{"fact": fact, "operator": operator, "value": value}]}


def loop(over: str, *steps: dict[str, Any], name: str = "it") -> dict[str, Any]:
    return {"id": "each", "kind": "loop", "params": {"over": over, "as": name}, "steps": list(steps) or [note("x")]}


@pytest.mark.parametrize(
    ("definition", "place", "said"),
    [
        (factory.definition(note("{{ incident.severty }}")), "steps.0.params.text", "Do you mean incident.severity?"),
        (factory.definition(note("{{ severity | upcase }}")), "steps.0.params.text", "Do you mean incident.severity?"),
        (factory.definition(loop("incident.servces")), "steps.0.params.over", "Do you mean incident.services?"),
        (factory.definition(loop("nonsense")), "steps.0.params.over", "There is no fact nonsense."),
        (factory.definition(conditions=only_if("incident.tiers")), "conditions", "Do you mean incident.tier?"),
        (factory.definition(note("x", conditions=only_if("who"))), "steps.0.conditions", "There is no fact who."),
        (factory.definition(note("{{ steps.other.url }}")), "steps.0.params.text", "No step of this workflow"),
        (
            factory.definition(loop("incident.teams", name="team"), note("{{ team }}", id="n2")),
            "steps.1.params.text",
            "",
        ),
    ],
)
def test_what_can_never_be_there_is_refused_at_its_place(definition: Any, place: str, said: str) -> None:
    found = problems(definition)
    assert [each.place for each in found] == [place]
    assert said in found[0].message
    with pytest.raises(Invalid):
        factory.workflow(*definition["steps"], conditions=definition.get("conditions", {}))


@pytest.mark.parametrize(
    "text",
    [
        "{{ event.data.anything.at_all }} {{ webhook.body.alerts[0].name }} {{ alert.labels.pod }}",
        "{% assign said = incident.name %}{{ said }} {% for each in incident.services %}{{ each }}{% endfor %}",
        "{{ incident.services | join: ', ' }} {{ incident.services.size }} {{ incident.fields.whatever }}",
    ],
)
def test_what_may_be_there_is_taken(text: str) -> None:
    assert problems(factory.definition(note(text))) == []


def test_within_a_loop_its_item_and_its_turn_are_known() -> None:
    inner = note("{{ team }} is {{ loop.index }} of {{ loop.of }}")
    assert problems(factory.definition(loop("incident.teams", inner, name="team"))) == []


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        (factory.definition(note("{{ alert.title }}")), "tells nothing of an alert"),
        (factory.definition(note("{{ incident.name }}"), trigger=BY_CLOCK), "tells nothing of an incident"),
        (factory.definition(note("{{ webhook.body.x }}")), "tells nothing of what was posted to a webhook"),
        (factory.definition(note("{{ incident.roles.cook }}")), "There is no role cook here."),
        (factory.definition(conditions=only_if("working_hours.nights")), "There is no schedule nights here."),
        (factory.definition(note("{{ steps.a.action }}"), {**step("create_action", "a", title="x")}), "comes later"),
        (
            factory.definition({**step("create_action", "a", title="x")}, note("{{ steps.a.url }}")),
            "returns no url, but action",
        ),
    ],
)
def test_what_will_be_empty_is_a_doubt_and_can_be_saved(definition: Any, said: str) -> None:
    assert problems(definition) == []
    assert [said in each.message for each in doubts(definition)] == [True]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (step("set_role", role="cook", people={"persons": []}), "There is no incident role “cook” here"),
        (step("set_severity", severity="sev9"), "There is no severity “sev9” here"),
        (step("set_severity", severity="{{ event.data.severity }}"), ""),
    ],
)
def test_a_row_that_is_not_here_is_a_doubt_unless_facts_make_its_name(given: dict[str, Any], said: str) -> None:
    found = [each.message for each in doubts(factory.definition(given))]
    assert [said in message for message in found] == ([True] if said else [])


def test_asking_whether_something_is_there_is_no_doubt() -> None:
    assert doubts(factory.definition(conditions=only_if("alert.title", "exists"))) == []


def test_what_ships_leaves_no_doubt() -> None:
    incidents.configuration()
    assert [(each.slug, doubts(each.definition)) for each in beginnings() if doubts(each.definition)] == []


def test_what_is_stored_can_be_renamed_though_it_would_be_refused_today() -> None:
    workflow = factory.workflow(name="Old")
    WorkflowVersion.objects.filter(workflow=workflow).update(definition=factory.definition(note("{{ nobody }}")))
    stored = factory.definition(note("{{ nobody }}"))
    renamed = save_workflow(actor=Actor.system(), workflow=workflow, name="New", definition=stored, now=timezone.now())
    assert (renamed.name, renamed.version) == ("New", 1)


def test_the_editor_tells_at_the_field_while_one_writes() -> None:
    incidents.configuration()
    client = Client()
    client.force_login(accounts.user(role=Role.MANAGER))
    definition = factory.definition(note("{{ alert.title }} {{ incident.nme }}"))
    data = sent(definition)
    key = next(name.split("-")[1] for name in data if name.endswith("-json") and name.startswith("s-"))
    data |= {
        f"s-{key}-open": ["yes"],
        f"s-{key}-p-text": ["{{ alert.title }} {{ incident.nme }}"],
        f"s-{key}-id": ["note"],
    }
    page = client.post("/workflows/parts/preview/", data).content.decode()
    notices = page.split(f'id="notices-s-{key}-p-text"')[1].split("</div>")[0]
    assert "Do you mean incident.name?" in notices
    assert "alert.title is empty" in notices


def test_a_program_is_told_of_problems_and_doubts() -> None:
    key = accounts.api_key(accounts.user(role=Role.MANAGER), Scope.READ, Scope.WORKFLOWS)
    client = Client(headers={"authorization": f"Bearer {key}"})
    definition = factory.definition(note("{{ alert.title }}"), {**note("{{ incident.nme }}"), "id": "b"})
    asked = {"definition": definition}
    told = client.post("/api/v1/workflows/check/", asked, content_type="application/json").json()
    assert [each.split(":")[0] for each in told["problems"]] == ["steps.1.params.text"]
    assert [each.split(":")[0] for each in told["doubts"]] == ["steps.0.params.text"]


def test_a_run_says_what_it_left_empty_and_what_was_not_known(now: datetime) -> None:
    lacking = only_if("event.data.cause", value="deploy")
    made = running(
        step("add_note", text="Because of {{ event.data.reason }}"),
        loop("event.data.hosts", step("add_note", "within", text="x")),
        step("add_note", "skipped", text="x", conditions=lacking),
    )
    never = running(step("add_note", text="x"), name="Never", conditions=lacking, trigger={"kind": "person"})
    with time_machine.travel(now, tick=False):
        incidents.incident(now=now)
        start_by_hand(actor=accounts.actor(), workflow=never, now=now)
        pass_time(now)
    first, second, third = run_of(made).steps.order_by("pk").values_list("detail", flat=True)
    assert first.endswith(" Left empty, for nothing is called so here: event.data.reason.")
    assert second == "Nothing to go through: nothing is called event.data.hosts here."
    assert third == "Not so: the event's cause is deploy. Not known here: event.data.cause."
    assert run_of(never).error == third


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (only_if("incident.is_open", "is", True), "it is open"),
        (only_if("incident.is_acknowledged", "is", "false"), "it is not acknowledged"),
        (only_if("working_hours.primary", "is_not", "true"), "it is not working time on primary"),
        (only_if("incident.severity", "one_of", ["sev1", "sev2"]), "its severity is one of sev1, sev2"),
        (only_if("incident.roles.lead", "missing"), "whoever is its lead is not set"),
        (only_if("alert.service_name", "contains", "pay"), "the alert's service name contains pay"),
        (only_if("webhook.body.status", "is", "down"), "the posted status is down"),
        (only_if("steps.ask.status", "is", 200), "status of the step “ask” is 200"),
        (only_if("now.weekday", "is", "monday"), "the day of the week is monday"),
        (only_if("it", "is", "payments"), "it is payments"),
        (
            {"all": [{"any": [only_if("it"), only_if("it", "is", "y")]}, only_if("now.hour", "less", 9)]},
            "(it is x or it is y) and the hour of the day is less than 9",
        ),
        ({"any": "?"}, "…"),
    ],
)
def test_conditions_read_as_people_say_them(condition: Any, words: str) -> None:
    assert condition_words(condition) == words
