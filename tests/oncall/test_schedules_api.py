"""Schedules and overrides in the REST API."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role, User
from oncall.models import Override, Schedule
from tests.factories import oncall
from tests.factories.accounts import user
from tests.oncall.test_api import client_of, of

pytestmark = pytest.mark.django_db


def weekly(*members: User, **fields: Any) -> dict[str, Any]:
    return {
        "name": "Weekly",
        "members": [member.pk for member in members],
        "handovers": [{"weekday": 0, "time": "09:00"}],
        "starts_on": "2026-01-05",
        **fields,
    }


def test_a_schedule_is_made_read_and_changed() -> None:
    client, ana, bob = of(Role.MANAGER), user(), user()
    body = {"name": "Payments, primary", "time_zone": "Europe/Berlin", "rotations": [weekly(bob, ana)]}
    made = client.post("/api/v1/schedules/", body)
    assert made.status_code == 201, made.json()
    assert made.json()["slug"] == "payments-primary"
    [rotation] = made.json()["rotations"]
    assert rotation["members"] == [bob.pk, ana.pk]
    address = "/api/v1/schedules/payments-primary/"
    renamed = client.patch(address, {"name": "Primary"})
    assert (renamed.json()["name"], renamed.json()["rotations"]) == ("Primary", [rotation])
    corrected = client.patch(
        address, {"rotations": [weekly(ana, id=rotation["id"], interval=2)], "effective_from": None}
    )
    assert corrected.json()["rotations"][0] == {**rotation, "members": [ana.pk], "interval": 2}
    assert Schedule.objects.get().rotations.count() == 1


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("2026-01-05T08:59:59Z", []),
        ("2026-01-05T09:00:00Z", ["Ana"]),
        ("2026-01-05T10:30:00+01:00", ["Ana"]),
        ("2026-01-12T10:00:00+01:00", ["Bob"]),
        # Beyond the ends of the calendar it is the end.
        ("0001-01-01T00:00:00+14:00", []),
        ("9999-12-31T23:59:59-12:00", ["Ana"]),
    ],
)
def test_who_is_on_call_at_another_instant(at: str, who: list[str]) -> None:
    oncall.schedule(user(name="Ana"), user(name="Bob"))
    answer = of(Role.VIEWER).get("/api/v1/schedules/on-call/", {"at": at})
    assert answer.status_code == 200, answer.json()
    assert [person["name"] for person in answer.json()[0]["people"]] == who


def test_an_offset_whose_plus_sign_was_not_escaped_is_understood() -> None:
    oncall.schedule(user(name="Ana"), user(name="Bob"))
    client = of(Role.VIEWER)
    plain = client.get("/api/v1/schedules/on-call/?at=2026-01-12T10:00:00+01:00").json()
    assert plain == client.get("/api/v1/schedules/on-call/?at=2026-01-12T09:00:00Z").json()


@pytest.mark.parametrize("at", ["soon", "2026-01-12T09:00:00", "2026-01-12", "2026-02-30T09:00:00Z"])
@pytest.mark.parametrize("address", ["/api/v1/schedules/on-call/", "/api/v1/on-call/board/"])
def test_what_is_no_instant_with_a_zone_is_told_with_the_field(address: str, at: str) -> None:
    answer = of(Role.VIEWER).get(address, {"at": at})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["field"] == "at"
    assert at in error["message"]
    assert "2026-03-29T02:30:00Z" in error["remedy"]


def test_who_is_on_call_now_and_the_coming_shifts() -> None:
    ana = user(name="Ana")
    schedule = oncall.schedule(ana)
    client = of(Role.VIEWER)
    [standing] = client.get("/api/v1/schedules/on-call/").json()
    assert (standing["schedule"], standing["people"]) == (schedule.slug, [{"id": ana.pk, "name": "Ana"}])
    address = f"/api/v1/schedules/{schedule.slug}/shifts/"
    asked = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-06T00:00:00Z"}
    assert client.get(address, asked).json() == [
        {"start": "2026-01-01T00:00:00Z", "end": "2026-01-05T09:00:00Z", "users": [], "is_override": False},
        {"start": "2026-01-05T09:00:00Z", "end": "2026-01-06T00:00:00Z", "users": [ana.pk], "is_override": False},
    ]
    assert client.get(address).status_code == 200
    for wrong in ({**asked, "end": "2025-01-01T00:00:00Z"}, {**asked, "end": "2036-01-01T00:00:00Z"}, {"start": "x"}):
        assert client.get(address, wrong).status_code == 400


def test_an_override_is_added_listed_and_removed() -> None:
    bob, schedule = user(), oncall.schedule(user())
    client, now = client_of(bob), timezone.now()
    body = {"schedule": schedule.slug, "user": bob.pk, "starts_at": now + timedelta(hours=1)}
    made = client.post("/api/v1/overrides/", {**body, "ends_at": now + timedelta(hours=9)})
    assert made.status_code == 201, made.json()
    assert made.json()["created_by"] == bob.pk
    other = oncall.schedule()
    assert len(client.get("/api/v1/overrides/", {"schedule": schedule.slug}).json()["results"]) == 1
    assert client.get("/api/v1/overrides/", {"schedule": other.slug}).json()["results"] == []
    assert of().delete(f"/api/v1/overrides/{made.json()['id']}/").status_code == 403
    assert client.delete(f"/api/v1/overrides/{made.json()['id']}/").status_code == 204
    assert not Override.objects.exists()


def test_a_change_holds_from_now_on_unless_it_says_when() -> None:
    client, ana, bob = of(Role.MANAGER), user(), user()
    schedule = oncall.schedule(ana)
    address = f"/api/v1/schedules/{schedule.slug}/"
    [rotation] = client.get(address).json()["rotations"]
    assert rotation["effective_from"] is None
    now_bob = client.patch(address, {"rotations": [weekly(bob, id=rotation["id"])]}).json()["rotations"]
    assert [each["members"] for each in now_bob] == [[bob.pk]]
    assert now_bob[0]["series"] == rotation["series"]
    assert now_bob[0]["effective_from"] is not None
    assert schedule.rotations.count() == 2
    later = timezone.now() + timedelta(days=7)
    body = {"rotations": [weekly(ana, id=now_bob[0]["id"])], "effective_from": later}
    assert client.patch(address, body).json()["rotations"][0]["members"] == [ana.pk]
    shifts = client.get(address + "shifts/").json()
    assert [shift["users"] for shift in shifts] == [[bob.pk], [ana.pk]]


def test_what_leaves_new_gaps_is_previewed_refused_and_confirmed() -> None:
    client, ana = of(Role.MANAGER), user(name="Ana")
    schedule = oncall.schedule(ana)
    address = f"/api/v1/schedules/{schedule.slug}/"
    body = {"rotations": [weekly(ana, id=schedule.rotations.get().pk, active_weekdays=[0, 1, 2, 3, 4])]}
    preview = client.post(address + "preview/", body).json()
    assert preview["is_worse"]
    assert (preview["changes"][0]["before"], preview["changes"][0]["after_names"]) == ([ana.pk], "nobody")
    assert [] in [shift["users"] for shift in preview["shifts"]]
    refused = client.patch(address, body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "coverage_gets_worse")
    assert client.patch(address, {**body, "confirm": True}).status_code == 200


def test_what_leaves_one_fewer_than_wanted_is_previewed_refused_and_confirmed() -> None:
    client, ana, bob = of(Role.MANAGER), user(name="Ana"), user(name="Bob")
    schedule = oncall.schedule(bob)
    address = f"/api/v1/schedules/{schedule.slug}/"
    begin = timezone.now().replace(microsecond=0) + timedelta(days=1)
    stretch = {"starts_at": begin, "ends_at": begin + timedelta(hours=8)}
    client.post("/api/v1/overrides/", {"schedule": schedule.slug, "user": ana.pk, "replaces": bob.pk, **stretch})
    both = {"id": schedule.rotations.get().pk, "members": [ana.pk, bob.pk], "people_at_once": 2}
    body = {"rotations": [{**weekly(ana), **both}]}
    preview = client.post(address + "preview/", body).json()
    assert preview["is_worse"]
    [short] = [change for change in preview["changes"] if change["is_worse"]]
    assert (short["after"], short["missing"], short["missing_names"]) == ([ana.pk], [bob.pk], "Bob")
    assert not short["is_new_gap"]
    refused = client.patch(address, body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "coverage_gets_worse")
    assert client.patch(address, {**body, "confirm": True}).status_code == 200


def test_the_holidays_of_the_schedules_country() -> None:
    schedule = oncall.schedule(user(), country="DE", time_zone="Europe/Berlin")
    stretch = "?start=2026-12-24T23:30:00Z&end=2026-12-26T22:00:00Z"
    found = of().get(f"/api/v1/schedules/{schedule.slug}/holidays/{stretch}")
    assert (found.status_code, found.json()[0]) == (200, {"date": "2026-12-25", "name": "Christmas Day"})
    assert [day["date"] for day in found.json()] == ["2026-12-25", "2026-12-26"]


def test_a_new_schedule_is_previewed_and_not_stored() -> None:
    client, ana = of(Role.MANAGER), user()
    body = {
        "name": "Brand new",
        "time_zone": "Asia/Bangkok",
        "rotations": [weekly(ana, period="days", handovers=[{"time": "08:00"}])],
    }
    preview = client.post("/api/v1/schedules/preview/", body)
    assert (preview.status_code, preview.json()["changes"]) == (200, [])
    assert {tuple(shift["users"]) for shift in preview.json()["shifts"]} == {(ana.pk,)}
    assert not Schedule.objects.exists()
    assert of().post("/api/v1/schedules/preview/", body).status_code == 403


def test_a_change_over_somebody_elses_is_a_conflict() -> None:
    client, schedule = of(Role.MANAGER), oncall.schedule(user())
    address = f"/api/v1/schedules/{schedule.slug}/"
    version = client.get(address).json()["version"]
    assert client.patch(address, {"description": "One", "version": version}).status_code == 200
    refused = client.patch(address, {"description": "Two", "version": version})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "changed_meanwhile")


def test_the_layers_tell_what_each_rotation_says() -> None:
    ana, bob = user(), user()
    schedule = oncall.schedule(rotations=[oncall.rotation(ana), oncall.rotation(bob, name="Backup", layer=2)])
    layers = of(Role.VIEWER).get(f"/api/v1/schedules/{schedule.slug}/layers/").json()
    assert [(layer["name"], layer["layer"], layer["shifts"][0]["users"]) for layer in layers] == [
        ("Backup", 2, [bob.pk]),
        ("Weekly", 1, [ana.pk]),
    ]


def test_the_list_of_schedules_asks_as_much_for_ten_as_for_two() -> None:
    client = of(Role.VIEWER)
    counts = []
    for more in (2, 8):
        for _ in range(more):
            oncall.schedule(user(), user())
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/api/v1/schedules/").status_code == 200
        counts.append(len(captured))
    assert counts[1] <= counts[0]
