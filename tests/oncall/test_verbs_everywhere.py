"""Each verb on an escalation does the same from the web and through the API, and is offered only where it can work."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role, User
from oncall.actions import acknowledge_escalation, resolve_escalation
from oncall.engine import tick
from oncall.models import Escalation
from oncall.sending import send_due
from tests.factories.accounts import actor, api_key, user
from tests.oncall.ladders import ladder, ledger, reachable, rung, started

pytestmark = pytest.mark.django_db
Rows = tuple[Any, ...]


def waiting() -> tuple[Escalation, User]:
    """An escalation that pages Ana now, with Bob behind her."""
    ana = reachable("Ana")
    escalation = started(ladder(rung(ana), rung(reachable("Bob"))), timezone.now())
    tick(timezone.now())
    return escalation, ana


def had() -> tuple[Escalation, User]:
    """The same once Ana has it."""
    escalation, ana = waiting()
    acknowledge_escalation(actor=actor(name="Kim"), escalation=escalation, now=timezone.now())
    return escalation, ana


def rows(escalation: Escalation) -> Rows:
    """What a verb leaves behind, without ids and clocks."""
    escalation.refresh_from_db()
    state = (escalation.status, escalation.outcome, escalation.run, escalation.level, bool(escalation.snoozed_until))
    answers = list(escalation.answers.values_list("user__name", "kind"))
    pages = list(escalation.pages.order_by("id").values_list("user__name", "state", "is_extra"))
    texts = [text.split(" until ")[0].split(" after ")[0] for text in ledger(escalation)[2:]]
    return state, answers, pages, texts


@pytest.mark.parametrize(
    ("verb", "begin", "web", "api"),
    [
        ("acknowledge", waiting, {}, {}),
        ("decline", waiting, {}, {}),
        ("escalate", waiting, {}, {}),
        ("reassign", waiting, {"user": "dan"}, {"user": "dan"}),
        ("responders", had, {"user": "dan"}, {"user": "dan"}),
        ("snooze", waiting, {"minutes": 60}, {"until": "later"}),
        ("again", had, {}, {}),
        ("resolve", had, {}, {}),
    ],
)
def test_a_verb_leaves_the_same_rows_from_the_web_and_the_api(
    client: Client,
    verb: str,
    begin: Callable[[], tuple[Escalation, User]],
    web: dict[str, Any],
    api: dict[str, Any],
) -> None:
    dan = reachable("Dan")
    given = {"dan": dan.pk, "later": (timezone.now() + timedelta(hours=1)).isoformat()}
    filled = [{name: given.get(value, value) for name, value in body.items()} for body in (web, api)]
    (first, ana), (second, other_ana) = begin(), begin()
    client.force_login(ana)
    answer = client.post(f"/oncall/escalations/{first.pk}/{verb}/", filled[0])
    assert answer.status_code == 302
    key = {"Authorization": f"Bearer {api_key(other_ana)}"}
    said = client.post(f"/api/v1/escalations/{second.pk}/{verb}/", filled[1], "application/json", headers=key)
    assert said.status_code == 200, said.content
    left = [rows(each) for each in (first, second)]
    # Who acts through a key is named with it.
    left[1] = (*left[1][:3], [text.replace(" (Tests)", "") for text in left[1][3]])
    assert left[0] == left[1]
    assert said.json()["is_verified"] is True


def test_a_verb_that_is_refused_says_so_where_the_viewer_came_from(client: Client) -> None:
    escalation, ana = waiting()
    resolve_escalation(actor=actor(), escalation=escalation, now=timezone.now())
    client.force_login(ana)
    address = f"/oncall/escalations/{escalation.pk}/"
    page = client.post(f"{address}acknowledge/", headers={"Referer": f"http://testserver{address}"}, follow=True)
    assert "This is already resolved." in page.content.decode()
    open_one, _ana = waiting()
    address = f"/oncall/escalations/{open_one.pk}/"
    page = client.post(f"{address}reassign/", {}, headers={"Referer": f"http://testserver{address}"}, follow=True)
    assert "Choose a policy or a person" in page.content.decode()
    page = client.post(f"{address}responders/", {"user": 0}, headers={"Referer": f"http://testserver{address}"})
    assert page.status_code == 302


def offered(client: Client, escalation: Escalation) -> set[str]:
    page = client.get(f"/oncall/escalations/{escalation.pk}/").content.decode()
    verbs = {"acknowledge", "decline", "escalate", "reassign", "responders", "snooze", "again", "resolve"}
    return {verb for verb in verbs if f"/oncall/escalations/{escalation.pk}/{verb}/" in page}


def test_only_what_can_be_done_is_offered(client: Client) -> None:
    escalation, ana = waiting()
    client.force_login(ana)
    everything = {"acknowledge", "decline", "escalate", "reassign", "responders", "snooze", "resolve"}
    assert offered(client, escalation) == everything
    acknowledge_escalation(actor=actor(), escalation=escalation, now=timezone.now())
    assert offered(client, escalation) == everything - {"acknowledge", "decline"} | {"again"}
    client.force_login(user(role=Role.VIEWER))
    assert offered(client, escalation) == set()
    resolve_escalation(actor=actor(), escalation=escalation, now=timezone.now())
    client.force_login(ana)
    assert offered(client, escalation) == set()


def test_the_page_shows_each_line_of_the_ledger_with_its_hash_and_that_it_verifies(client: Client) -> None:
    escalation, ana = waiting()
    send_due(timezone.now())
    client.force_login(ana)
    page = client.get(f"/oncall/escalations/{escalation.pk}/").content.decode()
    for entry in escalation.entries.all():
        assert entry.hash in page
    assert "Verified" in page
    Escalation.objects.filter(pk=escalation.pk).update(entry_hash="0" * 64)
    page = client.get(f"/oncall/escalations/{escalation.pk}/").content.decode()
    assert "Does not verify" in page
    assert "its last line is another one than it says" in page


def test_the_list_is_filtered_by_urgency_in_the_same_words_everywhere(client: Client) -> None:
    ana = reachable("Ana")
    policy = ladder(rung(ana))
    started(policy, timezone.now(), title="Loud")
    started(policy, timezone.now(), title="Quiet", urgency="low")
    client.force_login(ana)
    assert "Loud" not in client.get("/oncall/escalations/?urgency=low").content.decode()
    key = {"Authorization": f"Bearer {api_key(ana)}"}
    found = client.get("/api/v1/escalations/?urgency=low", headers=key).json()["results"]
    assert [(each["title"], each["urgency"]) for each in found] == [("Quiet", "low")]


def queries_of_detail(client: Client, pages: int) -> int:
    people = [reachable() for _ in range(pages)]
    escalation = started(ladder(rung(*people)), timezone.now())
    tick(timezone.now())
    client.get(f"/oncall/escalations/{escalation.pk}/")
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"/oncall/escalations/{escalation.pk}/").status_code == 200
    return len(captured)


def test_an_escalation_with_many_pages_needs_as_many_queries_as_one_with_two(client: Client) -> None:
    client.force_login(user())
    assert queries_of_detail(client, 2) == queries_of_detail(client, 15)
