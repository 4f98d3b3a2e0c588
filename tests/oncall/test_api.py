"""On-call in the REST API: the same actions, the same limits, lists that stay cheap."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Role, Scope, User
from oncall.engine import tick
from oncall.models import Escalation, EscalationPolicy, EscalationTarget, Override
from tests.factories import oncall
from tests.factories.accounts import api_key, user

pytestmark = pytest.mark.django_db


def client_of(owner: User, *scopes: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(owner, *scopes)}")
    return client


def of(role: Role = Role.RESPONDER) -> APIClient:
    return client_of(user(role=role))


def paging(person: User, **fields: Any) -> Escalation:
    oncall.contact_method(person)
    escalation = oncall.escalation(oncall.level(person), now=timezone.now(), **fields)
    tick(timezone.now())
    return escalation


def weekly(*members: User, **fields: Any) -> dict[str, Any]:
    return {
        "name": "Weekly",
        "members": [member.pk for member in members],
        "handovers": [{"weekday": 0, "time": "09:00"}],
        "starts_on": "2026-01-05",
        **fields,
    }


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"name": "P", "time_zone": "Berlin", "rotations": []}, "time_zone"),
        ({"name": "P", "time_zone": "UTC"}, "rotations"),
        ({"time_zone": "UTC", "rotations": []}, "name"),
        ({"name": "P", "time_zone": "UTC", "rotations": [{"name": "x"}]}, "rotations"),
    ],
)
def test_what_makes_no_sense_is_told_with_the_field(body: dict[str, Any], where: str) -> None:
    answer = of(Role.MANAGER).post("/api/v1/schedules/", body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert where in (error.get("field") or error["fields"])


def test_a_name_that_is_taken_is_a_conflict() -> None:
    taken = oncall.schedule()
    answer = of(Role.MANAGER).post("/api/v1/schedules/", {"name": taken.name, "time_zone": "UTC", "rotations": []})
    assert answer.status_code == 409
    assert answer.json()["error"]["field"] == "name"


def test_a_policy_is_made_read_and_changed() -> None:
    client, ana, schedule = of(Role.MANAGER), user(), oncall.schedule(user())
    levels = [
        {"timeout_minutes": 5, "targets": [{"kind": "schedule", "schedule": schedule.slug}]},
        {
            "timeout_minutes": 10,
            "targets": [{"kind": "user", "user": ana.pk}, {"kind": "chat", "address": "slack://T1/B2/c3secret"}],
            "answers_needed": 0,
            "condition": {"fact": "urgency", "operator": "is", "value": "high"},
        },
    ]
    made = client.post("/api/v1/escalation-policies/", {"name": "Critical", "levels": levels, "repeats": 1})
    assert made.status_code == 201, made.json()
    first, second = made.json()["levels"]
    assert [target["schedule"] for target in first["targets"]] == [schedule.slug]
    assert [(target["kind"], target["user"]) for target in second["targets"]] == [("user", ana.pk), ("chat", None)]
    assert (second["answers_needed"], second["condition"]["fact"]) == (0, "urgency")
    assert "c3secret" not in made.content.decode()
    # What is read can be written back: the chat keeps its address.
    address = EscalationTarget.objects.get(kind="chat").address
    renamed = client.patch("/api/v1/escalation-policies/critical/", {"description": "All of it"})
    assert renamed.json()["description"] == "All of it"
    client.patch("/api/v1/escalation-policies/critical/", {"levels": renamed.json()["levels"]})
    assert EscalationTarget.objects.get(kind="chat").address == address
    client.patch("/api/v1/escalation-policies/critical/", {"levels": levels[:1]})
    assert EscalationPolicy.objects.get().levels.count() == 1


def test_people_are_paged_acknowledged_and_done_with() -> None:
    ana = user(name="Ana")
    client = client_of(ana)
    oncall.contact_method(ana)
    policy = oncall.policy(oncall.level(ana))
    made = client.post("/api/v1/escalations/", {"policy": policy.slug, "title": "Help"})
    assert made.status_code == 201, made.json()
    tick(timezone.now())
    address = f"/api/v1/escalations/{made.json()['id']}/"
    detail = client.get(address).json()
    assert detail["path"]["policy"] == policy.name
    assert [(page["name"], page["level"], page["state"]) for page in detail["pages"]] == [("Ana", 1, "pending")]
    assert [entry["kind"] for entry in detail["entries"]] == ["started", "paged"]
    answered = client.post(address + "acknowledge/").json()
    assert (answered["status"], answered["acknowledged_by"]) == ("acknowledged", ana.pk)
    assert answered["seconds_to_acknowledge"] is not None
    assert client.post(address + "resolve/", {"reason": "done"}).json()["status"] == "resolved"
    late = client.post(address + "acknowledge/")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "conflict")


def test_a_private_escalation_is_not_there_for_others() -> None:
    ana = user()
    escalation = paging(ana, is_private=True)
    stranger, own = of(Role.OWNER), client_of(ana)
    assert stranger.get("/api/v1/escalations/").json()["results"] == []
    assert stranger.get("/api/v1/pages/").json()["results"] == []
    for path in ("", "acknowledge/", "resolve/"):
        call = stranger.post if path else stranger.get
        assert call(f"/api/v1/escalations/{escalation.pk}/{path}").status_code == 404
    assert len(own.get("/api/v1/escalations/").json()["results"]) == 1
    assert len(own.get("/api/v1/pages/").json()["results"]) == 1


def test_escalations_are_filtered_searched_sorted_and_paged() -> None:
    ana = user()
    client = client_of(ana)
    for title in ("Search is slow", "Payments are down", "Search is gone"):
        paging(user(), title=title)
    mine = paging(ana, title="Mine")
    titles = [
        [row["title"] for row in client.get("/api/v1/escalations/", asked).json()["results"]]
        for asked in ({"q": "search", "sort": "title"}, {"person": ana.pk}, {"status": "resolved"})
    ]
    assert titles == [["Search is gone", "Search is slow"], ["Mine"], []]
    assert mine.policy
    assert len(client.get("/api/v1/escalations/", {"policy": mine.policy.slug}).json()["results"]) == 1
    first = client.get("/api/v1/escalations/", {"page_size": 3}).json()
    assert len(first["results"]) == 3
    assert len(client.get(first["next"]).json()["results"]) == 1
    assert client.get("/api/v1/escalations/", {"status": "nonsense"}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "schedules/", {"name": "A", "time_zone": "UTC", "rotations": []}),
        ("post", "escalation-policies/", {"name": "A", "levels": []}),
        ("post", "escalations/", {"title": "x"}),
        ("post", "overrides/", {}),
    ],
)
def test_a_viewer_and_a_key_without_the_scope_change_nothing(method: str, path: str, body: dict[str, Any]) -> None:
    ana, schedule = user(), oncall.schedule()
    policy = oncall.policy(oncall.level(ana))
    now = timezone.now()
    more: dict[str, dict[str, Any]] = {
        "escalations/": {"policy": policy.slug},
        "escalation-policies/": {"levels": [{"timeout_minutes": 5, "targets": [{"kind": "user", "user": ana.pk}]}]},
        "overrides/": {
            "schedule": schedule.slug,
            "user": ana.pk,
            "starts_at": now,
            "ends_at": now + timedelta(hours=1),
        },
    }
    full = {**body, **more.get(path, {})}
    viewer = of(Role.VIEWER)
    reader = client_of(user(role=Role.OWNER), Scope.READ, Scope.INCIDENTS)
    for client in (viewer, reader):
        answer = getattr(client, method)(f"/api/v1/{path}", full)
        assert answer.status_code == 403, answer.json()
    assert getattr(of(Role.OWNER), method)(f"/api/v1/{path}", full).status_code == 201
    assert APIClient().get(f"/api/v1/{path}").status_code == 401


@pytest.mark.parametrize("path", ["schedules/", "escalation-policies/", "escalations/", "pages/", "overrides/"])
def test_a_list_needs_as_many_queries_for_ten_rows_as_for_two(path: str) -> None:
    client = of()

    def grow(number: int) -> None:
        for _ in range(number):
            ana = user()
            schedule = oncall.schedule(ana, user())
            oncall.contact_method(ana)
            now = timezone.now()
            Override.objects.create(schedule=schedule, user=ana, starts_at=now, ends_at=now + timedelta(hours=1))
            oncall.escalation(oncall.level(schedule, ana), now=now)
        tick(timezone.now())

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/api/v1/{path}").status_code == 200
        return len(captured)

    grow(2)
    queries()
    few = queries()
    grow(8)
    assert queries() == few


def test_a_row_inside_a_change_is_whole() -> None:
    """A PATCH replaces rotations and levels as a whole: what a row requires is required there too."""
    client = of(Role.MANAGER)
    schedule, policy = oncall.schedule(user()), oncall.policy(oncall.level(user()))
    answer = client.patch(f"/api/v1/schedules/{schedule.slug}/", {"rotations": [{"name": "Weekly"}]})
    assert answer.status_code == 400
    assert "members" in answer.json()["error"]["fields"]["rotations"]["0"]
    answer = client.patch(f"/api/v1/escalation-policies/{policy.slug}/", {"levels": [{"users": []}]})
    assert answer.status_code == 400
    assert "timeout_minutes" in answer.json()["error"]["fields"]["levels"]["0"]
