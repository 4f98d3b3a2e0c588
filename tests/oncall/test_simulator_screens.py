"""The simulator and paging tests as screens and in the API."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role, User
from oncall.models import PagingTest
from oncall.paging_tests import save_paging_test
from tests.factories import oncall
from tests.factories.accounts import actor, api_key, user
from tests.oncall.ladders import NOON, ladder, reachable, rung

pytestmark = pytest.mark.django_db
SPEC = {"policy": "payments-critical", "at": "Sunday 03:00 Europe/Berlin", "expect": [{"pages": "Ana"}]}


@pytest.fixture
def ana() -> User:
    person = reachable("Ana", role=Role.MANAGER, time_zone="Asia/Bangkok")
    ladder(rung(person), rung(reachable("Bob")), name="Payments, critical", slug="payments-critical")
    return person


def test_the_simulator_reads_wall_clock_times_in_the_viewers_zone_and_moves_by_the_slider(
    client: Client, ana: User
) -> None:
    schedule = oncall.schedule(ana, reachable("Dan"))
    ladder(rung(schedule), slug="weekly", name="Weekly")
    client.force_login(ana)
    # 15:59 in Bangkok is 08:59 UTC: a minute before the handover of Monday 2026-03-16.
    before = client.get("/oncall/simulator/?policy=weekly&at=2026-03-16T15:59&urgency=high").content.decode()
    after = client.get("/oncall/simulator/?policy=weekly&at=2026-03-16T15:59&later=15").content.decode()
    assert "<strong>Dan</strong>" in before
    assert "<strong>Ana</strong>" in after
    assert "Times are those of Asia/Bangkok." in before


def test_the_simulator_begins_with_now_and_answers_the_slider_with_the_result_alone(client: Client, ana: User) -> None:
    client.force_login(ana)
    page = client.get("/oncall/simulator/").content.decode()
    assert 'type="range"' in page
    assert "+5:00" in page
    part = client.get(
        "/oncall/simulator/?policy=payments-critical&at=2026-03-16T15:59",
        headers={"HX-Request": "true", "HX-Target": "simulation"},
    ).content.decode()
    assert "<html" not in part
    assert "Level 2" in part


def test_what_makes_no_sense_is_told_at_its_field(client: Client, ana: User) -> None:
    client.force_login(ana)
    for query in ("policy=nothing", "at=never", "later=99999", "facts=severity"):
        page = client.get(f"/oncall/simulator/?{query}")
        assert page.status_code == 200
        assert "Mend what is marked above" in page.content.decode()


def test_without_a_policy_the_simulator_says_what_it_needs(client: Client) -> None:
    client.force_login(user())
    assert "There is no policy yet" in client.get("/oncall/simulator/").content.decode()


def test_the_api_simulates(client: Client, ana: User) -> None:
    key = {"Authorization": f"Bearer {api_key(ana)}"}
    body = {"at": NOON.isoformat(), "urgency": "high", "facts": {"severity": "critical"}}
    address = "/api/v1/escalation-policies/payments-critical/simulate/"
    said = client.post(address, body, "application/json", headers=key).json()
    assert [(page["seconds"], page["name"], page["channel"]) for page in said["pages"]] == [
        (0, "Ana", "email"),
        (300, "Bob", "email"),
    ]
    assert (said["outcome"], said["happenings"][0]["kind"]) == ("exhausted", "paged")
    assert datetime.fromisoformat(said["at"]) == NOON
    assert client.post(address, {"urgency": "x"}, "application/json", headers=key).status_code == 400


def test_the_list_of_tests_says_what_holds_and_what_happens_instead(client: Client, ana: User) -> None:
    save_paging_test(actor=actor(Role.MANAGER), name="Ana at night", spec=SPEC, now=NOON)
    save_paging_test(
        actor=actor(Role.MANAGER), name="Dan at night", spec={**SPEC, "expect": [{"pages": "Nobody"}]}, now=NOON
    )
    client.force_login(ana)
    page = client.get("/oncall/paging-tests/").content.decode()
    assert page.count("Holds</span>") == 1
    assert "nobody is called Nobody" in page


def test_a_manager_writes_changes_and_removes_a_test(client: Client, ana: User) -> None:
    client.force_login(ana)
    spec = "policy: payments-critical\nat: Sunday 03:00\nexpect:\n  - pages: Ana\n"
    page = client.post("/oncall/paging-tests/new/", {"name": "Nights", "spec": "a: [", "is_active": "on"})
    assert "This is not YAML" in page.content.decode()
    page = client.post("/oncall/paging-tests/new/", {"name": "Nights", "spec": "at: x", "is_active": "on"})
    assert "it needs exactly one of" in page.content.decode()
    assert client.post("/oncall/paging-tests/new/", {"name": "Nights", "spec": spec}).status_code == 302
    test = PagingTest.objects.get()
    assert not test.is_active
    address = f"/oncall/paging-tests/{test.pk}/"
    assert spec.replace("  - ", "- ") in client.get(address).content.decode()
    client.post(address, {"name": "Nights", "spec": spec, "is_active": "on"})
    assert PagingTest.objects.filter(is_active=True).exists()
    assert client.post(f"{address}remove/").status_code == 302
    assert not PagingTest.objects.exists()
    client.force_login(user())
    assert client.get("/oncall/paging-tests/new/").status_code == 403


def test_tests_are_kept_by_the_api_too(client: Client, ana: User) -> None:
    key = {"Authorization": f"Bearer {api_key(ana)}"}

    def send(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return getattr(client, method)(f"/api/v1/paging-tests/{path}", body, "application/json", headers=key)

    made = send("post", "", {"name": "Nights", "spec": SPEC})
    assert made.status_code == 201, made.json()
    pk = made.json()["id"]
    assert send("post", f"{pk}/run/").json()["holds"] is True
    changed = send("patch", f"{pk}/", {"spec": {**SPEC, "expect": [{"pages": "Bob", "within": "1 minute"}]}})
    assert changed.status_code == 200
    outcome = send("post", f"{pk}/run/").json()
    assert outcome["holds"] is False
    assert "Bob is paged by email after 5:00" in outcome["broken"][0]
    assert send("post", "", {"name": "x", "spec": {"at": "x"}}).status_code == 400
    assert [each["name"] for each in client.get("/api/v1/paging-tests/", headers=key).json()["results"]] == ["Nights"]
    assert send("delete", f"{pk}/").status_code == 204


def test_a_copy_of_the_roster_is_for_administrators(client: Client, ana: User) -> None:
    oncall.schedule(ana)
    oncall.contact_method(ana, "sms", address="+491511234567")
    address = "/api/v1/on-call/roster/?days=3"
    assert client.get(address, headers={"Authorization": f"Bearer {api_key(ana)}"}).status_code == 403
    admin = {"Authorization": f"Bearer {api_key(user(role=Role.ADMINISTRATOR))}"}
    copy = client.get(address, headers=admin).json()
    assert copy["people"][str(ana.pk)] == {"name": "Ana", "emails": [ana.email], "phones": ["+491511234567"]}
    assert copy["shifts"][0]["people"] == [str(ana.pk)]
    made, until = (datetime.fromisoformat(copy[name]) for name in ("made_at", "until"))
    assert (until - made).days == 3
    assert made.tzinfo is not None
    assert made < datetime(2999, 1, 1, tzinfo=UTC)
