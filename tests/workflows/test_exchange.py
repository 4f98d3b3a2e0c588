"""Export and import of workflows, and what has changed from one definition to another."""

import json
from typing import Any

import pytest
import yaml
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role
from events.errors import Invalid, NotAllowed
from tests.factories import accounts
from tests.factories import saved_workflows as factory
from workflows.definition import MASK
from workflows.differences import changes
from workflows.exchange import exported, import_workflows, plan_import
from workflows.models import Workflow

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()
REQUEST = {"id": "call", "kind": "http_request", "params": {"url": "https://example.com/", "secret": "s3cret"}}


def test_what_is_exported_is_imported_unchanged_and_elsewhere_made_anew() -> None:
    factory.workflow(factory.NOTE, name="Chores", folder="Response", once="subject")
    text = exported(Workflow.objects.all())
    assert [each.verb for each in plan_import(actor=SYSTEM, text=text)] == ["unchanged"]
    stored = Workflow.objects.get().versions.get().definition
    Workflow.objects.all().delete()
    assert [each.verb for each in plan_import(actor=SYSTEM, text=text)] == ["created"]
    assert not Workflow.objects.exists()
    (made,) = import_workflows(actor=SYSTEM, text=text, now=timezone.now())
    assert made.versions.get().definition == stored
    assert (made.slug, made.folder) == ("chores", "Response")


def test_a_plan_tells_what_would_change() -> None:
    factory.workflow(name="Chores")
    document = yaml.safe_load(exported(Workflow.objects.all()))["workflows"][0]
    document["folder"] = "Elsewhere"
    document["steps"][0]["params"]["text"] = "Other words"
    (planned,) = plan_import(actor=SYSTEM, text=yaml.safe_dump(document))
    assert planned.verb == "changed"
    assert [change.after for change in planned.changes] == ["Elsewhere", "Other words"]


def test_secrets_are_not_exported_and_stay_where_they_are() -> None:
    workflow = factory.workflow(REQUEST, name="Chores")
    text = exported(Workflow.objects.all())
    assert "s3cret" not in text
    assert "sealed" not in text
    assert MASK in yaml.safe_load(text)["workflows"][0]["steps"][0]["params"].values()
    import_workflows(actor=SYSTEM, text=text, now=timezone.now())
    assert workflow.versions.count() == 1
    Workflow.objects.all().delete()
    assert plan_import(actor=SYSTEM, text=text)[0].verb == "refused"


@pytest.mark.parametrize("text", ["", "just words", "[1, 2]", "workflows: {", "workflows: []"])
def test_what_is_no_file_of_workflows_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        plan_import(actor=SYSTEM, text=text)


def test_one_that_makes_no_sense_leaves_all_of_them_out() -> None:
    good = {"name": "Good", **factory.definition()}
    bad = {"name": "Bad", "trigger": {"kind": "person"}, "steps": [], "colour": "blue"}
    text = yaml.safe_dump({"workflows": [good, bad]})
    assert [each.verb for each in plan_import(actor=SYSTEM, text=text)] == ["created", "refused"]
    with pytest.raises(Invalid, match="Bad: colour"):
        import_workflows(actor=SYSTEM, text=text, now=timezone.now())
    assert not Workflow.objects.exists()


def test_on_screen_a_file_is_shown_before_it_is_imported() -> None:
    client = Client()
    client.force_login(accounts.user(role=Role.MANAGER))
    text = yaml.safe_dump({"workflows": [{"name": "Chores", **factory.definition()}]})
    shown = client.post(reverse("workflows:import"), {"text": text}).content.decode()
    assert "is made" in shown
    assert not Workflow.objects.exists()
    client.post(reverse("workflows:import"), {"text": text, "confirmed": "yes"})
    assert Workflow.objects.get().name == "Chores"
    file = client.get(reverse("workflows:export"), {"workflow": "chores"})
    assert "workflow-chores.yaml" in file.headers["Content-Disposition"]


def test_only_managers_import() -> None:
    with pytest.raises(NotAllowed):
        plan_import(actor=accounts.actor(Role.RESPONDER), text="workflows: []")


def test_changes_are_told_by_steps_however_they_moved() -> None:
    note, other = factory.NOTE, {**factory.NOTE, "id": "other", "name": "The other"}
    branch = {"id": "b", "kind": "branch", "params": {"conditions": {}}, "then": [other]}
    before = factory.definition(note, {**branch, "then": [other]})
    after = factory.definition(
        {**other, "params": {"text": "New words"}},
        {**branch, "then": [{"id": "wait", "kind": "wait", "params": {"minutes": 5}}]},
        trigger=factory.BY_HAND,
    )
    found = [(change.kind, change.after) for change in changes(before, after)]
    assert ("changed", "When somebody starts it") in found
    assert [kind for kind, _after in found].count("moved") == 1
    assert [kind for kind, _after in found].count("removed") == 1
    assert [kind for kind, _after in found].count("added") == 1
    assert ("changed", "New words") in found
    assert changes(before, before) == []


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"name": "page THE on-call", "slug": "other"}, "name"),
        ({"name": "Fine", "slug": "new"}, "slug"),
        ({"name": "Fine", "slug": "with blanks"}, "slug"),
    ],
)
def test_a_name_or_slug_that_can_not_be_had_is_told_before_anything_is_written(document: Any, place: str) -> None:
    factory.workflow(name="Page the on-call")
    text = json.dumps({**factory.definition(), **document})
    planned = plan_import(actor=Actor.system(), text=text)
    assert [(each.verb, [problem.place for problem in each.problems]) for each in planned] == [("refused", [place])]


def test_two_of_one_name_in_a_file_are_refused() -> None:
    documents = [{**factory.definition(), "name": "One", "slug": slug} for slug in ("a", "b")]
    planned = plan_import(actor=Actor.system(), text=json.dumps({"workflows": documents}))
    assert [each.verb for each in planned] == ["created", "refused"]


def test_names_that_make_no_slug_do_not_clash() -> None:
    documents = [{**factory.definition(), "name": name} for name in ("แจ้งทีม", "ปิดงาน")]
    text = json.dumps({"workflows": documents})
    assert [each.verb for each in plan_import(actor=Actor.system(), text=text)] == ["created", "created"]
    saved = import_workflows(actor=Actor.system(), text=text, now=timezone.now())
    assert len({workflow.slug for workflow in saved}) == 2


def test_what_is_no_yaml_is_told_with_its_line() -> None:
    with pytest.raises(Invalid, match="Line 2"):
        plan_import(actor=Actor.system(), text="workflows:\n  - {{{ no")
