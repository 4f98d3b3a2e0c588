"""The form of a workflow: what it shows is what it saves, and nothing that was typed is lost."""

import json
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from tests.factories import accounts, incidents
from tests.factories import saved_workflows as factory
from workflows.definition import problems
from workflows.forms.editor import Page, read
from workflows.models import Workflow

pytestmark = pytest.mark.django_db
DEEP: dict[str, Any] = {
    "trigger": {"kind": "event", "events": ["incident.declared", "incident.reopened"], "delay_minutes": 30},
    "conditions": {"all": [{"fact": "incident.severity", "operator": "one_of", "value": ["sev1", "sev2"]}]},
    "once": "subject",
    "steps": [
        {"id": "note", "kind": "add_note", "name": "Say so", "params": {"text": "Line one\n{{ incident.name }}"}},
        {
            "id": "worse",
            "kind": "branch",
            "params": {"conditions": {"any": [{"fact": "incident.rank", "operator": "greater", "value": 3}]}},
            "then": [
                {
                    "id": "tell",
                    "kind": "notify",
                    "params": {
                        "people": {"teams": ["leadership"], "addresses": ["ops@example.com", "b@example.com"]},
                        "text": "{{ incident.reference }}",
                    },
                    "on_error": "continue",
                    "timeout_minutes": 20,
                    "conditions": {"all": [{"fact": "now.weekday", "operator": "is_not", "value": "sunday"}]},
                }
            ],
            "otherwise": [],
        },
        {
            "id": "each",
            "kind": "loop",
            "params": {"over": "incident.services", "as": "service"},
            "steps": [{"id": "wait", "kind": "wait", "params": {"minutes": 5}}],
        },
    ],
}


@pytest.fixture
def client() -> Client:
    signed_in = Client()
    signed_in.force_login(accounts.user(role=Role.MANAGER, name="Mia"))
    return signed_in


def layout(page: Page) -> list[str]:
    """The hidden fields that tell how the steps lie within each other."""

    def lines(steps: Any) -> Iterator[str]:
        for node in steps:
            yield f"step:{node.key}"
            for block in node.blocks:
                yield f"open:{block.name}"
                yield from lines(block.steps)
                yield "close"
            yield "done"

    return list(lines(page.steps))


def typed(definition: Mapping[str, Any], **fields: str) -> QueryDict:
    """What a browser sends for a definition whose steps are all folded."""
    page = Page(definition, [])
    data = QueryDict(mutable=True)
    data.update({"name": "Chores", **fields})
    trigger = definition["trigger"]
    data["trigger-kind"] = trigger["kind"]
    data.setlist("trigger-events", trigger.get("events", []))
    data["trigger-delay"] = str(trigger.get("delay_minutes", ""))
    if definition.get("once"):
        data["once"] = definition["once"]
    data["conditions-json"] = json.dumps(definition.get("conditions") or {})
    data.setlist("layout", layout(page))
    for node in page.nodes():
        data[f"{node.prefix}-json"] = node.json
    return data


def sent(definition: Mapping[str, Any], **fields: str) -> dict[str, Any]:
    """The same as the test client takes it."""
    return dict(typed(definition, **fields).lists())


def opened(definition: Mapping[str, Any], client: Client) -> QueryDict:
    """The same with each step open: its fields as the server draws them."""
    data = typed(definition)
    for key in {token.removeprefix("step:") for token in data.getlist("layout") if token.startswith("step:")}:
        drawn = client.post(reverse("workflows:step-form", args=[key]), dict(data.lists()))
        for name, value in fields_in(drawn.content.decode()):
            data.appendlist(name, value) if name in data and not name.endswith("-json") else data.update({name: value})
    return data


def fields_in(html: str) -> list[tuple[str, str]]:
    """What a browser would send of the fields in a piece of HTML."""
    found: list[tuple[str, str]] = []

    class Reader(HTMLParser):
        select = ""
        chosen: str | None = None
        area = ""
        text = ""
        in_template = False

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            if tag == "template":
                self.in_template = True
            if self.in_template:
                return
            name = given.get("name") or ""
            if tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
                found.append((name, given.get("value") or ""))
            elif tag == "select":
                self.select, self.chosen = name, None
            elif tag == "option" and self.select and (self.chosen is None or "selected" in given):
                self.chosen = given.get("value") or ""
            elif tag == "textarea":
                self.area, self.text = name, ""

        def handle_data(self, data: str) -> None:
            if self.area:
                self.text += data

        def handle_endtag(self, tag: str) -> None:
            if tag == "template":
                self.in_template = False
            elif tag == "select" and self.select:
                found.append((self.select, self.chosen or ""))
                self.select = ""
            elif tag == "textarea" and self.area:
                found.append((self.area, self.text.removeprefix("\n")))
                self.area = ""

    Reader().feed(html)
    return found


def test_a_form_of_folded_steps_says_the_definition_that_it_shows() -> None:
    assert problems(DEEP) == []
    assert read(typed(DEEP)).definition == DEEP


def test_a_form_of_open_steps_says_it_too(client: Client) -> None:
    incidents.configuration()
    accounts.team(slug="leadership")
    assert read(opened(DEEP, client)).definition == DEEP


def test_a_workflow_is_made_and_changed_by_the_form(client: Client) -> None:
    answer = client.post(reverse("workflows:create"), sent(DEEP, folder="Response", is_enabled="on", based_on="0"))
    made = Workflow.objects.get()
    assert answer.headers["Location"] == made.get_absolute_url()
    assert made.versions.get().definition == DEEP
    assert (made.name, made.folder, made.is_enabled, made.events) == (
        "Chores",
        "Response",
        True,
        DEEP["trigger"]["events"],
    )


def test_a_form_that_makes_no_sense_keeps_what_was_typed_and_names_the_places(client: Client) -> None:
    wrong = {**DEEP, "steps": [{"id": "note", "kind": "add_note", "name": "My own words", "params": {}}]}
    answer = client.post(reverse("workflows:create"), sent(wrong, name=""))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "My own words" in page
    assert "steps.0.params.text" in page
    assert not Workflow.objects.exists()


def test_of_two_editors_the_second_is_told_and_loses_nothing(client: Client) -> None:
    client.post(reverse("workflows:create"), sent(DEEP))
    workflow = Workflow.objects.get()
    address = reverse("workflows:edit", args=[workflow.slug])
    theirs = {**DEEP, "steps": DEEP["steps"][:1]}
    client.post(address, sent(theirs, based_on="1", note="Less is more"))
    mine = {**DEEP, "steps": [*DEEP["steps"], factory.NOTE | {"id": "mine"}]}
    refused = client.post(address, sent(mine, based_on="1"))
    page = refused.content.decode()
    assert refused.status_code == 409
    for words in ("Mia has saved version 2", "Noted for", 'name="based_on" value="2"'):
        assert words in page
    assert workflow.versions.count() == 2
    client.post(address, sent(mine, based_on="2"))
    assert workflow.versions.get(number=3).definition == mine


def test_what_stands_beside_the_form_follows_what_is_typed(client: Client) -> None:
    incident = incidents.incident(name="Pool exhausted")
    data = sent(DEEP, subject=f"incident:{incident.number}")
    key = data["layout"][0].removeprefix("step:")
    data[f"s-{key}-open"] = "yes"
    data[f"s-{key}-p-text"] = "About {{ incident.name }}"
    page = client.post(reverse("workflows:preview"), data).content.decode()
    for words in ("30 minutes after", "About Pool exhausted", f'id="words-{key}"', "No problems."):
        assert words in page
    data[f"s-{key}-p-text"] = ""
    assert f'data-go-step="{key}"' in client.post(reverse("workflows:preview"), data).content.decode()


def test_a_new_step_and_a_copy_have_names_of_their_own(client: Client) -> None:
    data = sent(DEEP)
    data["kind"] = "add_note"
    assert "note" in client.post(reverse("workflows:step-new"), data).content.decode()
    key = data["layout"][0].removeprefix("step:")
    copied = client.post(reverse("workflows:step-copy", args=[key]), data).content.decode()
    assert "add_note" in copied
    assert f'"{key}"' not in copied


def test_json_is_saved_as_it_is_and_what_is_wrong_with_it_is_said(client: Client) -> None:
    workflow = factory.workflow()
    address = reverse("workflows:json", args=[workflow.slug])
    assert client.post(address, {"definition": "{", "based_on": "1"}).status_code == 422
    wrong = client.post(address, {"definition": '{"trigger": {}}', "based_on": "1"}).content.decode()
    assert "trigger.kind" in wrong
    assert client.post(address, {"definition": json.dumps(DEEP), "based_on": "0"}).status_code == 409
    assert client.post(address, {"definition": json.dumps(DEEP), "based_on": "1"}).status_code == 302
    assert workflow.versions.get(number=2).definition == DEEP


def test_a_new_one_begins_with_a_copy_of_one_that_ships(client: Client) -> None:
    assert "SEV1 declared" in client.get(reverse("workflows:new")).content.decode()
    page = client.get(reverse("workflows:create"), {"from": "sev1-declared"}).content.decode()
    assert "Tell leadership directly" in page
