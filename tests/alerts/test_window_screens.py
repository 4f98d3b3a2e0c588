"""Maintenance windows on screen, in REST, in the admin, and what their authors are told."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role, Scope
from alerts.models import Alert, MaintenanceWindow
from alerts.windows import advance_windows, save_window
from events.actions import deliver_due
from tests.factories import accounts, alerts, catalog

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def client(client: Client) -> Client:
    client.force_login(accounts.user(role=Role.RESPONDER, time_zone="Europe/Berlin"))
    return client


def window(now: datetime | None = None, **fields: Any) -> MaintenanceWindow:
    """One that runs for an hour."""
    now = now or timezone.now()
    times = {"starts_at": now, "ends_at": now + HOUR, "now": now}
    fields.setdefault("services", [catalog.service()])
    return save_window(actor=fields.pop("actor", accounts.actor()), **{"name": "Upgrade", **times, **fields})


def filled(**fields: Any) -> dict[str, Any]:
    """The form, filled in for tomorrow."""
    day = (timezone.now() + timedelta(days=1)).date().isoformat()
    rows = {"conditions-TOTAL_FORMS": "1", "conditions-INITIAL_FORMS": "0"}
    times = {"starts_on": day, "starts_time": "22:00", "ends_on": day, "ends_time": "23:00"}
    kept = {"time_zone": "Asia/Bangkok", "repeats": "once", "every": "1", "notice_minutes": "15", "combine": "all"}
    return {"name": "Upgrade", **rows, **times, **kept, **fields}


def test_a_window_is_made_by_its_form(client: Client) -> None:
    service = catalog.service()
    asked = filled(
        services=[service.pk],
        repeats="weekly",
        weekdays=["1", "3"],
        every="2",
        **{"conditions-0-fact": "severity", "conditions-0-operator": "is_not", "conditions-0-value": "critical"},
    )
    answer = client.post(reverse("alerts:window-new"), asked)
    made = MaintenanceWindow.objects.get()
    assert answer.headers["Location"] == made.get_absolute_url()
    assert made.recurrence == "FREQ=WEEKLY;BYDAY=TU,TH;INTERVAL=2"
    assert made.conditions == {"all": [{"fact": "severity", "operator": "is_not", "value": "critical"}]}
    assert list(made.services.all()) == [service]
    assert made.starts_at.hour == 15  # 22:00 in Bangkok


@pytest.mark.parametrize(
    "recurrence",
    [
        *("", "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,SA", "FREQ=MONTHLY;BYMONTHDAY=14;INTERVAL=2"),
        *("FREQ=MONTHLY;BYDAY=2SA", "FREQ=DAILY;UNTIL=20300101", "FREQ=DAILY;COUNT=5", "FREQ=MONTHLY;BYDAY=1MO,3MO"),
    ],
)
def test_the_form_of_a_stored_window_saves_the_same_rule(client: Client, now: datetime, recurrence: str) -> None:
    stored = window(now + timedelta(days=365 * 2), recurrence=recurrence, time_zone="Asia/Bangkok")
    page = client.get(reverse("alerts:window-edit", args=[stored.pk]))
    shown = page.context["form"]
    data = {name: shown[name].value() for name in shown.fields if shown[name].value() not in (None, "")}
    data |= {"services": [service.pk for service in stored.services.all()], "sources": []}
    data |= {"conditions-TOTAL_FORMS": "0", "conditions-INITIAL_FORMS": "0"}
    assert client.post(reverse("alerts:window-edit", args=[stored.pk]), data).status_code == 302
    again = MaintenanceWindow.objects.get()
    assert (again.recurrence, again.starts_at) == (stored.recurrence, stored.starts_at)


def test_a_form_that_makes_no_sense_keeps_what_was_typed(client: Client) -> None:
    answer = client.post(reverse("alerts:window-new"), filled(name="Disk swap", repeats="rule", rule="FREQ=SOMETIMES"))
    assert answer.status_code == 422
    assert "Disk swap" in answer.content.decode()


def test_the_next_occurrences_are_shown_while_the_form_is_filled(client: Client) -> None:
    shown = client.post(reverse("alerts:window-preview"), filled(repeats="daily")).content.decode()
    assert shown.count("<li>") == 5
    assert "Every day" in shown
    wrong = client.post(reverse("alerts:window-preview"), filled(repeats="rule", rule="FREQ=SOMETIMES"))
    assert "FREQ must be one of" in wrong.content.decode()
    assert client.post(reverse("alerts:window-preview"), {}).status_code == 200


def test_a_window_tells_what_it_mutes_and_what_it_holds(client: Client) -> None:
    service, source = catalog.service(name="Payments"), alerts.source(name="Prometheus")
    shown = window(
        services=[service],
        sources=[source],
        matchers=[{"name": "job", "value": "db.*", "isRegex": True}],
        reason="new disks",
    )
    times = dict.fromkeys(["started_at", "first_event_at", "last_event_at"], timezone.now())
    Alert.objects.create(source=source, dedup_key="d", title="Disk full", held="muted", muted_by=shown, **times)
    page = client.get(shown.get_absolute_url()).content.decode()
    for words in ("Payments", "Prometheus", "job=~", "new disks", "Disk full", "Extend by 30 min", "End now"):
        assert words in page


def test_what_runs_is_extended_and_ended_by_buttons(client: Client) -> None:
    shown = window()
    until = shown.until_at
    client.post(reverse("alerts:window-extend", args=[shown.pk]), {"minutes": "30"})
    shown.refresh_from_db()
    assert until is not None
    assert shown.until_at == until + HOUR / 2
    client.post(reverse("alerts:window-end", args=[shown.pk]))
    shown.refresh_from_db()
    assert shown.canceled_at is not None
    coming = window(recurrence="FREQ=DAILY")
    client.post(reverse("alerts:window-cancel", args=[coming.pk]))
    coming.refresh_from_db()
    assert coming.until_at is None


def test_the_list_is_filtered_by_state(client: Client) -> None:
    now = timezone.now()
    window(name="Running now")
    window(name="Coming soon", starts_at=now + HOUR, ends_at=now + 2 * HOUR)
    window(now - 2 * HOUR, name="Long over")
    for state, name in (("running", "Running now"), ("coming", "Coming soon")):
        page = client.get(reverse("alerts:windows"), {"state": state}).content.decode()
        names = [each for each in ("Running now", "Coming soon", "Long over") if each in page]
        assert names == [name]
    assert "Long over" in client.get(reverse("alerts:windows"), {"state": "over"}).content.decode()


def test_the_list_asks_the_same_number_of_queries_however_long_it_is(client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("alerts:windows"))
        return len(asked)

    window(sources=[alerts.source()])
    queries()
    before = queries()
    for _ in range(4):
        window(sources=[alerts.source()])
    assert queries() == before


def test_windows_are_made_changed_and_ended_by_rest() -> None:
    client = Client(headers={"authorization": f"Bearer {accounts.api_key(accounts.user(), Scope.READ, Scope.ALERTS)}"})
    service, now = catalog.service(slug="payments"), timezone.now()
    body = {
        "name": "Upgrade",
        "services": ["payments"],
        "starts_at": now.isoformat(),
        "ends_at": (now + HOUR).isoformat(),
        "recurrence": "FREQ=DAILY",
        "time_zone": "Europe/Berlin",
    }
    made = client.post("/api/v1/maintenance-windows/", body, content_type="application/json")
    assert made.status_code == 201, made.json()
    address = f"/api/v1/maintenance-windows/{made.json()['id']}/"
    assert made.json()["state"] == "running"
    changed = client.patch(address, {"name": "Disks"}, content_type="application/json").json()
    assert (changed["name"], changed["services"], changed["recurrence"]) == ("Disks", ["payments"], "FREQ=DAILY")
    extended = client.post(f"{address}extend/", {"minutes": 15}, content_type="application/json").json()
    assert extended["until_at"] > changed["until_at"]
    assert client.post(f"{address}end/").json()["state"] == "coming"
    assert client.post(f"{address}cancel/").json()["state"] == "canceled"
    assert client.get("/api/v1/maintenance-windows/?state=canceled&service=payments").json()["results"][0]["id"]
    wrong = client.post("/api/v1/maintenance-windows/", {**body, "services": []}, content_type="application/json")
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (400, "services")
    times = {key: body[key] for key in ("starts_at", "ends_at", "recurrence", "time_zone")}
    shown = client.post("/api/v1/maintenance-windows/preview/", times, content_type="application/json").json()
    assert len(shown) == 5
    assert service.maintenance_windows.count() == 1


def test_viewers_read_windows_and_change_none() -> None:
    shown = window()
    client = Client()
    client.force_login(accounts.user(role=Role.VIEWER))
    assert "Extend by" not in client.get(shown.get_absolute_url()).content.decode()
    assert client.get(reverse("alerts:window-new")).status_code == 403
    assert client.post(reverse("alerts:window-end", args=[shown.pk])).status_code == 403


def test_the_admin_lists_windows_and_ends_them(client: Client) -> None:
    client.force_login(accounts.user(role=Role.OWNER))
    shown = window()
    address = reverse("admin:alerts_maintenancewindow_changelist")
    assert "Upgrade" in client.get(address).content.decode()
    client.post(address, {"action": "cancel", "_selected_action": [shown.pk]})
    shown.refresh_from_db()
    assert shown.canceled_at is not None


def test_its_author_hears_by_mail_of_the_end_and_of_what_it_holds(now: datetime) -> None:
    author = accounts.user(email="ana@example.com", time_zone="Europe/Berlin")
    ending = window(now, actor=Actor.of_user(author, via="web"), notice_minutes=10)
    times = dict.fromkeys(["started_at", "first_event_at", "last_event_at"], now)
    Alert.objects.create(
        source=alerts.source(), dedup_key="d", title="Disk full", held="muted", muted_by=ending, **times
    )
    advance_windows(now + timedelta(minutes=51))
    deliver_due(timezone.now())
    [told] = mail.outbox
    assert told.to == ["ana@example.com"]
    assert "ends at 11:26 (Europe/Berlin)" in told.subject
    assert "1 alert that it mutes still fires" in told.body
