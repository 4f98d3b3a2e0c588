"""Cover requests, swaps, leave, shadows and calendars in the REST API."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from oncall.models import Leave, Override, Substitution
from tests.factories import oncall
from tests.factories.accounts import user
from tests.oncall.test_api import client_of, of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_cover_is_asked_for_declined_and_accepted() -> None:
    ana, bob, eve = user(), user(), user()
    schedule, now = oncall.schedule(ana), timezone.now()
    body: dict[str, Any] = {"schedule": schedule.slug, "user": ana.pk, "asked": [bob.pk, eve.pk], "note": "Dentist"}
    body |= {"starts_at": now + DAY, "ends_at": now + 2 * DAY}
    client = client_of(ana)
    made = client.post("/api/v1/cover-requests/", body)
    assert made.status_code == 201, made.json()
    address = f"/api/v1/cover-requests/{made.json()['id']}/"
    assert client_of(eve).post(address + "decline/").json()["status"] == "open"
    accepted = client_of(bob).post(address + "accept/").json()
    assert (accepted["status"], accepted["covered_by"]) == ("accepted", bob.pk)
    assert Override.objects.get(pk=accepted["override"]).replaces == ana
    assert client.post(address + "withdraw/").status_code == 409
    found = of(Role.VIEWER).get("/api/v1/cover-requests/", {"status": "accepted", "q": "Dentist"}).json()["results"]
    assert [each["id"] for each in found] == [accepted["id"]]


def test_turns_are_swapped_and_given_back() -> None:
    ana, bob = user(), user()
    schedule = oncall.schedule(ana, bob)
    until = (timezone.now() + 40 * DAY).isoformat()
    shifts = of().get(f"/api/v1/schedules/{schedule.slug}/shifts/", {"end": until}).json()[1:]
    mine = next(each for each in shifts if each["users"] == [ana.pk])
    theirs = next(each for each in shifts if each["users"] == [bob.pk])
    body = {"schedule": schedule.slug, "user": ana.pk, "at": mine["start"], "other": bob.pk}
    client = client_of(ana)
    halves = client.post("/api/v1/swaps/", {**body, "other_at": theirs["start"]})
    assert halves.status_code == 201, halves.json()
    assert [(half["going"], half["coming"]) for half in halves.json()] == [(ana.pk, bob.pk), (bob.pk, ana.pk)]
    assert len(client.get("/api/v1/swaps/", {"user": bob.pk}).json()["results"]) == 2
    assert client.delete(f"/api/v1/swaps/{halves.json()[0]['id']}/").status_code == 204
    assert not Substitution.objects.exists()


def test_leave_is_entered_listed_and_removed() -> None:
    ana, now = user(), timezone.now()
    client = client_of(ana)
    made = client.post("/api/v1/leaves/", {"user": ana.pk, "starts_at": now, "ends_at": now + DAY})
    assert made.status_code == 201, made.json()
    assert of().delete(f"/api/v1/leaves/{made.json()['id']}/").status_code == 403
    assert client.delete(f"/api/v1/leaves/{made.json()['id']}/").status_code == 204
    assert not Leave.objects.exists()


def test_a_shadow_begins_and_ends() -> None:
    bob, schedule, now = user(), oncall.schedule(user()), timezone.now()
    client = client_of(bob)
    body = {"schedule": schedule.slug, "user": bob.pk, "starts_at": now, "ends_at": now + DAY}
    made = client.post("/api/v1/shadows/", body)
    assert made.status_code == 201, made.json()
    assert len(client.get("/api/v1/shadows/", {"schedule": schedule.slug}).json()["results"]) == 1
    assert client.delete(f"/api/v1/shadows/{made.json()['id']}/").status_code == 204


def test_ones_feeds_are_ones_own() -> None:
    ana, schedule = user(), oncall.schedule()
    client = client_of(ana)
    made = client.post("/api/v1/calendar-feeds/", {"schedule": schedule.slug})
    assert made.status_code == 201, made.json()
    assert made.json()["address"].endswith(".ics")
    assert of().get("/api/v1/calendar-feeds/").json()["results"] == []
    address = f"/api/v1/calendar-feeds/{made.json()['id']}/"
    assert of().post(address + "rotate/").status_code == 404
    assert client.post(address + "rotate/").json()["address"] != made.json()["address"]
    assert client.delete(address).status_code == 204


def test_an_imported_calendar_is_set_and_its_address_never_told() -> None:
    schedule, client = oncall.schedule(), of(Role.MANAGER)
    body = {"schedule": schedule.slug, "kind": "primary", "address": "https://example.com/secret/x.ics"}
    assert of().post("/api/v1/imported-calendars/", body).status_code == 403
    made = client.post("/api/v1/imported-calendars/", body)
    assert made.status_code == 201, made.json()
    assert "secret" not in made.content.decode()
    assert client.post("/api/v1/imported-calendars/", body).json()["id"] == made.json()["id"]
    address = f"/api/v1/imported-calendars/{made.json()['id']}/"
    assert client.post(address + "read/").status_code == 200
    assert client.delete(address).status_code == 204
    assert client.get("/api/v1/imported-shifts/", {"is_unknown": True}).json()["results"] == []


def test_the_quality_tells_gaps_leave_and_who_can_not_be_paged() -> None:
    ana, bob = user(), user()
    schedule, now = oncall.schedule(ana, bob), timezone.now()
    oncall.contact_method(bob, proved_at=now)
    Leave.objects.create(user=ana, starts_at=now - 30 * DAY, ends_at=now + 60 * DAY)
    found = of(Role.VIEWER).get(f"/api/v1/schedules/{schedule.slug}/quality/").json()
    assert {finding["flaw"] for finding in found["findings"]} == {"leave"}
    assert found["score"] < 100
    assert found["unreachable"] == [ana.pk]
    assert set(found["hours"]) == {str(ana.pk), str(bob.pk)}


@pytest.mark.parametrize(
    "path", ["cover-requests", "swaps", "leaves", "shadows", "calendar-feeds", "imported-calendars", "imported-shifts"]
)
def test_the_lists_ask_as_much_for_ten_as_for_two(path: str) -> None:
    viewer = user()
    client, now = client_of(viewer), timezone.now()
    counts = []
    for more in (2, 8):
        for _ in range(more):
            ana, bob = user(), user()
            schedule = oncall.schedule(ana, bob)
            times = {"starts_at": now, "ends_at": now + DAY}
            request = schedule.cover_requests.create(user=ana, created_at=now, **times)
            request.asked.set([bob])
            schedule.substitutions.create(series=schedule.rotations.get().series, anchor=now, going=ana, coming=bob)
            Leave.objects.create(user=ana, **times)
            schedule.shadows.create(user=bob, **times)
            schedule.feeds.create(user=viewer, token_hash=str(schedule.pk), token="x", created_at=now)
            calendar = schedule.calendars.create(address="https://example.com")
            calendar.shifts.create(uid="x", user=ana, **times)
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(f"/api/v1/{path}/")
        assert len(answer.json()["results"]) >= more
        counts.append(len(captured))
    assert counts[1] <= counts[0]
