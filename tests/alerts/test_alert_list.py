"""The list of alerts: searched, filtered, sorted, handled by the dozen, and never counted to its end."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.actor import Actor
from accounts.lists import CappedPaginator, SortedPaginator
from accounts.models import Role, Scope
from alerts.marking import handle_many, mark_alert
from alerts.models import Alert, AlertEntry
from events.errors import Invalid, NotAllowed
from incidents.models import Incident
from oncall.actions import start_escalation
from oncall.models import Escalation
from tests.factories import accounts, alerts, catalog, incidents, oncall

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client: Client) -> Client:
    client.force_login(accounts.user(role=Role.RESPONDER))
    return client


def alert(title: str = "Disk full", **fields: Any) -> Alert:
    """One that fires, under its title as key."""
    times = dict.fromkeys(["started_at", "first_event_at", "last_event_at"], timezone.now())
    if "source" not in fields:
        fields["source"] = alerts.source()
    return Alert.objects.create(**{"dedup_key": title, "title": title, **times, **fields})


def paging(title: str) -> Alert:
    """One for which somebody is paged."""
    policy = oncall.policy(oncall.level(accounts.user()))
    started = start_escalation(actor=Actor.system(), policy=policy, title=title, now=timezone.now())
    return alert(title, escalation=started, outcome="paged")


def shown(client: Client, **asked: Any) -> list[str]:
    """The titles that the list and the API both find."""
    page = client.get(reverse("alerts:list"), asked)
    on_screen = [each.title for each in page.context["list"].page]
    by_rest = [each["title"] for each in client.get("/api/v1/alerts/", asked).json()["results"]]
    assert sorted(on_screen) == sorted(by_rest)
    return on_screen


@pytest.mark.parametrize(
    "typed",
    ["disk", "DISK fu", "error", "paymenterr", "db-01", "shop", "ระบบ", "example.com:9100", "full disk"],
)
def test_words_are_found_by_their_beginnings(client: Client, typed: str) -> None:
    alert("PaymentErrorRate: disk full, ระบบชำระเงินล่ม", dedup_key="db-01.example.com:9100", service_named="web/shop")
    alert("Certificate expires")
    assert len(shown(client, q=typed)) == 1


@pytest.mark.parametrize("typed", ["'", "a' | 'b", "\\", "!(", ":*", "ull", "<->"])
def test_whatever_is_typed_breaks_no_search(client: Client, typed: str) -> None:
    alert()
    assert client.get(reverse("alerts:list"), {"q": typed}).status_code == 200


def test_every_filter_finds_what_it_names(client: Client) -> None:
    team, service, source = accounts.team(slug="web"), catalog.service(slug="shop"), alerts.source(slug="prom")
    alert(
        "Wanted",
        team=team,
        service=service,
        source=source,
        priority=1,
        outcome="suppressed",
        held="muted",
        noise="noise",
    )
    alert("Other", first_event_at=timezone.now() - timedelta(days=3), status="resolved")
    for asked in (
        *({"team": "web"}, {"service": "shop"}, {"source": "prom"}, {"priority": "1"}, {"outcome": "suppressed"}),
        *({"held": "muted"}, {"noise": "noise"}, {"within": "24h"}, {"status": "firing"}),
        {"after": (timezone.now() - timedelta(days=1)).isoformat()},
    ):
        assert shown(client, **asked) == ["Wanted"], asked
    assert shown(client, before=(timezone.now() - timedelta(days=1)).isoformat()) == ["Other"]


def test_open_alerts_are_put_in_any_order_and_others_by_age(client: Client) -> None:
    alert("Low", priority=4)
    alert("High", priority=1)
    firing = client.get(reverse("alerts:list"), {"status": "firing", "sort": "priority"}).context["list"]
    assert [each.title for each in firing.page] == ["High", "Low"]
    assert firing.sortable
    listed = client.get(reverse("alerts:list"), {"sort": "-priority"}).context["list"]
    assert [each.title for each in listed.page] == ["High", "Low"]
    assert not listed.sortable


def test_nobody_waits_for_a_million_rows_to_be_counted() -> None:
    for number in range(4):
        alert(f"Disk {number}")
    capped = CappedPaginator(Alert.objects.order_by("-id"), 2, most=3)
    assert (capped.count, capped.is_capped, capped.num_pages) == (3, True, 2)
    whole = CappedPaginator(Alert.objects.order_by("-id"), 2, most=4)
    assert (whole.count, whole.is_capped) == (4, False)


def test_the_list_asks_the_same_number_of_queries_however_long_it_is(client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("alerts:list"), {"status": "firing"})
        return len(asked)

    paging("Disk 0")
    queries()
    before = queries()
    for number in range(1, 5):
        paging(f"Disk {number}")
    assert queries() == before


def test_many_are_acknowledged_and_what_refuses_is_said(client: Client) -> None:
    first, second, silent = paging("Disk 1"), paging("Disk 2"), alert("Pages nobody")
    asked = {"verb": "acknowledge", "alert": [first.pk, second.pk, silent.pk], "next": "/alerts/?status=firing&page=2"}
    answer = client.post(reverse("alerts:bulk"), asked, follow=True)
    assert answer.redirect_chain[0][0] == "/alerts/?status=firing&page=2"
    assert set(Escalation.objects.values_list("status", flat=True)) == {"acknowledged"}
    page = answer.content.decode()
    assert "Done to 2 alerts." in page
    assert "Pages nobody: This alert pages nobody." in page


@pytest.mark.parametrize(
    ("verb", "field", "value"),
    [
        ("resolve", "status", "resolved"),
        ("noise", "noise", "noise"),
        ("false_positive", "noise", "false_positive"),
        ("not_noise", "noise", ""),
    ],
)
def test_each_verb_is_done_to_all_that_are_chosen(verb: str, field: str, value: str) -> None:
    chosen = [alert(f"Disk {number}", noise="" if verb != "not_noise" else "noise") for number in range(2)]
    assert handle_many(actor=accounts.actor(), alerts=chosen, verb=verb, now=timezone.now()) == []
    assert set(Alert.objects.values_list(field, flat=True)) == {value}


def test_nobody_handles_by_the_dozen_what_they_may_not_see(client: Client) -> None:
    hidden = incidents.incident(visibility=Incident.Visibility.PRIVATE)
    secret = alert("Secret", incident=hidden)
    client.post(reverse("alerts:bulk"), {"verb": "resolve", "alert": [secret.pk]})
    secret.refresh_from_db()
    assert secret.status == "firing"


def test_an_unknown_verb_and_too_many_alerts_are_refused() -> None:
    with pytest.raises(Invalid):
        handle_many(actor=accounts.actor(), alerts=[], verb="explode", now=timezone.now())
    with pytest.raises(Invalid):
        handle_many(actor=accounts.actor(), alerts=[Alert()] * 501, verb="resolve", now=timezone.now())
    with pytest.raises(NotAllowed):
        handle_many(actor=accounts.actor(Role.VIEWER), alerts=[], verb="resolve", now=timezone.now())


def test_viewers_choose_nothing(client: Client) -> None:
    alert()
    client.force_login(accounts.user(role=Role.VIEWER))
    assert "data-row-select" not in client.get(reverse("alerts:list"), {"status": "firing"}).content.decode()


def test_a_mark_is_kept_once_with_who_made_it_and_can_be_taken_back(client: Client) -> None:
    marked, actor = alert(), accounts.actor()
    for _ in range(2):
        mark_alert(actor=actor, alert=marked, noise="false_positive", now=timezone.now())
    marked.refresh_from_db()
    assert (marked.noise, marked.noise_by_id) == ("false_positive", actor.user_id)
    assert AlertEntry.objects.get().text == "Marked as false positive"
    client.post(reverse("alerts:mark", args=[marked.pk]), {"noise": ""})
    marked.refresh_from_db()
    assert (marked.noise, marked.noise_by, marked.noise_at) == ("", None, None)
    with pytest.raises(Invalid):
        mark_alert(actor=actor, alert=marked, noise="loud", now=timezone.now())


def test_alerts_are_marked_and_handled_by_rest() -> None:
    key = accounts.api_key(accounts.user(), Scope.READ, Scope.ALERTS)
    client = Client(headers={"authorization": f"Bearer {key}"})
    first, silent = paging("Disk 1"), alert("Pages nobody")
    body = {"verb": "acknowledge", "alerts": [first.pk, silent.pk]}
    done = client.post("/api/v1/alerts/bulk/", body, content_type="application/json").json()
    assert (done["done"], done["refused"][0]["alert"]) == (1, silent.pk)
    address = f"/api/v1/alerts/{first.pk}/"
    assert (
        client.post(f"{address}mark/", {"noise": "noise"}, content_type="application/json").json()["noise"] == "noise"
    )
    kinds = [each["kind"] for each in client.get(f"{address}history/").json()]
    assert {"fired", "noise", "paging"} <= set(kinds)


def test_a_view_of_the_list_can_be_kept(client: Client) -> None:
    asked = {"list": "alerts", "name": "Mine", "query": "status=firing", "next": "/alerts/"}
    page = client.post(reverse("accounts:view-save"), asked, follow=True).content.decode()
    assert 'aria-current="true">Mine</a>' in " ".join(page.split())


def test_a_sorted_page_is_read_by_its_ids_and_stands_in_order() -> None:
    for number in range(5):
        alert(f"Disk {number}", priority=1 + number % 2)
    found = Alert.objects.select_related("source").order_by("-priority", "-id")
    pages = SortedPaginator(found, 2, most=100)
    assert [[each.pk for each in pages.page(number)] for number in (1, 2, 3)] == [
        [each.pk for each in found[first : first + 2]] for first in (0, 2, 4)
    ]
    with CaptureQueriesContext(connection) as asked:
        list(pages.page(2))
    assert len(asked) == 2
