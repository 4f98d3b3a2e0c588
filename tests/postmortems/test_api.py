"""Postmortems and action items through the REST API."""

from datetime import datetime

import pytest
from rest_framework.test import APIClient

from accounts.models import Role, Scope, User
from incidents.models import Incident
from postmortems.action_items import create_action_item
from postmortems.models import ActionItem, Postmortem
from postmortems.presets import load_presets
from tests.factories.accounts import actor, api_key, user
from tests.factories.incidents import incident
from tests.factories.postmortems import postmortem, resolved_incident

pytestmark = pytest.mark.django_db


def client(role: Role = Role.RESPONDER, *scopes: str, owner: User | None = None) -> APIClient:
    made = APIClient()
    made.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(owner or user(role=role), *scopes)}")
    return made


def test_a_postmortem_is_started_written_and_published(now: datetime) -> None:
    load_presets()
    source, responder = resolved_incident(now=now, severity="sev4"), client()
    made = responder.post("/api/v1/postmortems/", {"incident": source.number})
    body = made.json()
    assert (made.status_code, body["incident"], body["status"]) == (201, source.number, "draft")
    assert "started the postmortem" in {row["slug"]: row["text"] for row in body["sections"]}["timeline"]
    path = f"/api/v1/postmortems/{body['id']}/"
    saved = responder.put(f"{path}sections/root-cause/", {"text": "A full disk.", "version": 1}).json()
    assert {row["slug"]: row["text"] for row in saved["sections"]}["root-cause"] == "A full disk."
    stale = responder.put(f"{path}sections/root-cause/", {"text": "Other words.", "version": 1})
    assert (stale.status_code, stale.json()["error"]["code"]) == (409, "stale")
    assert responder.patch(path, {"title": "The full disk"}).json()["title"] == "The full disk"
    assert responder.post(f"{path}sections/timeline/refresh/", {}).status_code == 200
    assert responder.post(f"{path}status/", {"status": "published"}).json()["status"] == "published"
    listed = responder.get("/api/v1/postmortems/?status=published").json()["results"]
    assert [row["title"] for row in listed] == ["The full disk"]
    assert "sections" not in listed[0]


def test_an_open_incident_is_a_conflict(now: datetime) -> None:
    answer = client().post("/api/v1/postmortems/", {"incident": incident(now=now).number})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "incident_open")


def test_action_items_are_made_changed_and_listed(now: datetime) -> None:
    source, owner = incident(now=now), user()
    responder = client(owner=owner)
    given = {"incident": source.number, "title": "Watch the disks", "owner": owner.pk, "due_on": "2020-01-01"}
    made = responder.post("/api/v1/action-items/", given)
    assert (made.status_code, made.json()["priority"], made.json()["incident"]) == (201, "P1", source.number)
    path = f"/api/v1/action-items/{made.json()['id']}/"
    for query in ["mine=true", "overdue=true", "open=true", f"incident={source.number}", f"owner={owner.pk}"]:
        assert len(responder.get(f"/api/v1/action-items/?{query}").json()["results"]) == 1, query
    done = responder.patch(path, {"status": "done"}).json()
    assert (done["status"], done["title"]) == ("done", "Watch the disks")
    assert done["done_at"]
    for query in ["mine=false", "overdue=true", "open=true"]:
        assert responder.get(f"/api/v1/action-items/?{query}").json()["results"] == [], query


def test_viewers_and_keys_without_the_scope_change_nothing(now: datetime) -> None:
    draft = postmortem(now=now)
    created = create_action_item(actor=actor(), incident=draft.incident, title="Watch", now=now)
    for caller in [client(Role.VIEWER), client(Role.OWNER, Scope.READ)]:
        assert caller.get(f"/api/v1/postmortems/{draft.pk}/").status_code == 200
        section = f"/api/v1/postmortems/{draft.pk}/sections/root-cause/"
        assert caller.put(section, {"text": "x", "version": 1}).status_code == 403
        assert caller.patch(f"/api/v1/action-items/{created.pk}/", {"status": "done"}).status_code == 403
        given = {"incident": draft.incident.number, "title": "x"}
        assert caller.post("/api/v1/action-items/", given).status_code == 403
    assert (Postmortem.objects.get().status, ActionItem.objects.get().status) == ("draft", "planned")


def test_who_is_not_a_member_finds_no_trace_of_a_private_incident(now: datetime) -> None:
    ana = actor()
    draft = postmortem(ana, now=now, visibility=Incident.Visibility.PRIVATE)
    created = create_action_item(actor=ana, incident=draft.incident, title="Change the locks", now=now)
    outsider = client(Role.OWNER)
    for path in ["postmortems/", "action-items/", f"action-items/?incident={draft.incident.number}"]:
        assert outsider.get(f"/api/v1/{path}").json()["results"] == []
    for path in [f"postmortems/{draft.pk}/", f"action-items/{created.pk}/"]:
        assert outsider.get(f"/api/v1/{path}").status_code == 404
    refused = outsider.post("/api/v1/postmortems/", {"incident": draft.incident.number})
    assert refused.status_code == 400
    member = client(owner=User.objects.get(pk=int(ana.key)))
    assert member.get(f"/api/v1/postmortems/{draft.pk}/").status_code == 200
