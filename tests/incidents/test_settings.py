"""Settings, Incidents: what administrators decide, by screen, REST and admin; what is used is archived, not removed."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.actor import Actor
from accounts.models import Role, User
from events.errors import Conflict, Invalid, NotAllowed
from events.models import Event
from incidents.configurable import KINDS
from incidents.configuring import (
    archive_configured,
    grant_qualification,
    order_configured,
    remove_configured,
    restore_configured,
    revoke_qualification,
    save_configured,
)
from incidents.models import (
    AnnouncementRule,
    ChecklistItem,
    CustomField,
    Incident,
    IncidentRole,
    IncidentStatus,
    IncidentType,
    Qualification,
    Severity,
)
from incidents.presets import load_presets
from tests.factories import accounts, incidents

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db: None) -> Actor:
    incidents.configuration()
    return accounts.actor(Role.ADMINISTRATOR)


@pytest.fixture
def client(admin: Actor) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=admin.person_id))
    return client


def save(admin: Actor, kind: str, now: datetime, row: Any = None, /, **values: Any) -> Any:
    return save_configured(actor=admin, kind=KINDS[kind], row=row, values=values, now=now)


# --- Saving -----------------------------------------------------------------------------------------------------------


def test_a_row_is_made_with_a_slug_of_its_name_and_comes_last(admin: Actor, now: datetime) -> None:
    role = save(admin, "roles", now, name="Customer Liaison", short_name="Liaison")
    assert (role.slug, role.position) == ("customer-liaison", 5)
    event = Event.objects.get(name="configuration.created")
    assert event.data["kind"] == "roles"


def test_the_same_again_changes_nothing(admin: Actor, now: datetime) -> None:
    sev1 = Severity.objects.get(slug="sev1")
    for _again in range(2):
        save(admin, "severities", now, sev1, update_interval=timedelta(minutes=10), slug="sev1")
    assert Event.objects.filter(name="configuration.changed").count() == 1
    with pytest.raises(Invalid, match="never changes"):
        save(admin, "severities", now, sev1, slug="worst")


def test_only_administrators_decide(now: datetime) -> None:
    incidents.configuration()
    with pytest.raises(NotAllowed):
        save(accounts.actor(Role.MANAGER), "roles", now, name="Chief", short_name="Chief")


@pytest.mark.parametrize(
    ("kind", "values", "field", "message"),
    [
        ("severities", {"name": "SEV9", "rank": 4}, "rank", "SEV1 has this rank"),
        ("severities", {"name": "SEV1", "rank": 9}, "name", "already exists"),
        ("fields", {"name": "Region", "kind": "select"}, "options", "what can be chosen"),
        ("fields", {"name": "Region", "kind": "select", "options": ["a", "a"]}, "options", "twice"),
        ("templates", {"moment": "initial", "locale": "de", "text": "{wer}?"}, "text", "Nothing fills {wer}"),
        ("announcements", {"name": "A", "moments": ["declared"]}, "users", "tells nobody"),
        ("announcements", {"name": "A", "moments": ["never"]}, "moments", "which moments"),
        ("announcements", {"name": "A", "moments": ["updated"], "emails": ["x"]}, "emails", "not a mail address"),
        ("announcements", {"name": "A", "moments": ["updated"], "place": "#a"}, "address", "needs an address"),
        (
            "announcements",
            {"name": "A", "moments": ["updated"], "emails": ["a@b.de"], "conditions": {"fact": "rank"}},
            *("conditions", "operator"),
        ),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    admin: Actor, now: datetime, *, kind: str, values: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises((Invalid, Conflict), match=message) as refused:
        save(admin, kind, now, **values)
    assert refused.value.field == field


def test_another_type_becomes_the_usual_one(admin: Actor, now: datetime) -> None:
    security, usual = IncidentType.objects.get(slug="security"), IncidentType.objects.get(slug="incident")
    save(admin, "types", now, security, is_default=True)
    usual.refresh_from_db()
    assert not usual.is_default
    with pytest.raises(Conflict, match="must be the usual one"):
        save(admin, "types", now, security, is_default=False)


def test_what_has_values_keeps_its_kind(admin: Actor, now: datetime) -> None:
    field = save(admin, "fields", now, name="Region", kind="text")
    Incident.objects.filter(pk=incidents.incident(now=now).pk).update(fields={"region": "eu"})
    with pytest.raises(Conflict, match="have values") as refused:
        save(admin, "fields", now, field, kind="number")
    assert refused.value.field == "kind"
    with pytest.raises(Conflict, match="is used"):
        remove_configured(actor=admin, row=field, now=now)


# --- Archive, remove, order -------------------------------------------------------------------------------------------


def test_what_is_used_is_archived_and_taken_back(admin: Actor, incident: Incident, now: datetime) -> None:
    sev2 = incident.severity
    with pytest.raises(Conflict, match="is used") as refused:
        remove_configured(actor=admin, row=sev2, now=now)
    assert refused.value.remedy == "Archive it instead."
    archive_configured(actor=admin, row=sev2, now=now)
    other = save(admin, "severities", now, name="Major", rank=3)
    with pytest.raises(Conflict, match="Major has this rank"):
        restore_configured(actor=admin, row=sev2, now=now)
    remove_configured(actor=admin, row=other, now=now)
    restore_configured(actor=admin, row=sev2, now=now)
    sev2.refresh_from_db()
    assert sev2.is_active


@pytest.mark.parametrize(
    ("model", "slug", "why"),
    [
        (IncidentRole, "lead", "Somebody leads"),
        (IncidentType, "incident", "the usual type"),
        (IncidentStatus, "resolved", "the last status of"),
    ],
)
def test_what_is_needed_stays(admin: Actor, now: datetime, model: Any, slug: str, why: str) -> None:
    row = model.objects.get(slug=slug)
    for act in (archive_configured, remove_configured):
        with pytest.raises(Conflict, match=why):
            act(actor=admin, row=row, now=now)


def test_rows_are_put_in_order(admin: Actor, now: datetime) -> None:
    kind = KINDS["checklist"]
    declare = ChecklistItem.objects.get(slug="declare")
    order_configured(actor=admin, kind=kind, rows=[declare], now=now)
    assert [item.slug for item in kind.rows] == [
        *("declare", "acknowledge", "assess-scope", "set-severity", "assign-roles")
    ]
    with pytest.raises(Conflict, match="given by what they are"):
        order_configured(actor=admin, kind=KINDS["severities"], rows=[], now=now)


def test_qualifications_are_granted_and_taken_away(admin: Actor, now: datetime) -> None:
    commander, person = Qualification.objects.get(slug="incident-commander"), accounts.user()
    for _again in range(2):
        grant_qualification(actor=admin, user=person, qualification=commander, now=now)
    assert person.qualifications.get().granted_by_id == admin.user_id
    with pytest.raises(Conflict, match="is used"):
        remove_configured(actor=admin, row=commander, now=now)
    for _again in range(2):
        revoke_qualification(actor=admin, user=person, qualification=commander, now=now)
    assert not person.qualifications.exists()
    assert Event.objects.filter(name__startswith="qualification.").count() == 2


# --- Screens and REST -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_list_and_a_form(client: Client, kind: str) -> None:
    assert client.get(f"/settings/incidents/{kind}/").status_code == 200
    assert client.get(f"/settings/incidents/{kind}/new/").status_code == 200
    row = KINDS[kind].rows.first()
    if row is not None:
        assert client.get(f"/settings/incidents/{kind}/{row.pk}/").status_code == 200


def test_a_form_that_is_saved_as_it_is_changes_nothing(client: Client) -> None:
    sev1 = Severity.objects.get(slug="sev1")
    page = client.get(f"/settings/incidents/severities/{sev1.pk}/")
    form = page.context["form"]
    data = {name: form[name].value() for name in form.fields if form[name].value() not in {None, False}}
    assert client.post(f"/settings/incidents/severities/{sev1.pk}/", data).status_code == 302
    sev1.refresh_from_db()
    assert (sev1.update_interval, sev1.pages) == (timedelta(minutes=15), True)
    assert not Event.objects.filter(name="configuration.changed").exists()


def test_a_rule_is_made_by_form_and_its_address_is_never_shown(client: Client) -> None:
    rows = {"conditions-TOTAL_FORMS": 1, "conditions-INITIAL_FORMS": 0, "conditions-0-fact": "rank"}
    rows |= {"conditions-0-operator": "greater", "conditions-0-value": "3", "combine": "all"}
    data = {"name": "Board", "moments": ["declared", "resolved"], "emails": "board@example.com"}
    place = {"place": "#incidents", "address": "https://hooks.example.com/secret"}
    assert client.post("/settings/incidents/announcements/new/", {**rows, **data, **place}).status_code == 302
    rule = AnnouncementRule.objects.get()
    assert rule.conditions == {"all": [{"fact": "rank", "operator": "greater", "value": "3"}]}
    address = f"/settings/incidents/announcements/{rule.pk}/"
    assert "hooks.example.com" not in client.get(address).content.decode()
    kept = {**rows, **data, "place": "#incidents", "address": ""}
    client.post(address, kept)
    rule.refresh_from_db()
    assert rule.address == "https://hooks.example.com/secret"
    said = client.get(f"/api/v1/announcement-rules/{rule.pk}/").json()
    assert "address" not in said
    assert said["moments"] == ["declared", "resolved"]


def test_responders_read_and_do_not_write(now: datetime) -> None:
    incidents.configuration()
    client = Client()
    client.force_login(accounts.user())
    role = {"name": "Chief", "short_name": "Chief"}
    assert client.get("/settings/incidents/roles/").status_code == 200
    assert client.get("/settings/incidents/roles/new/").status_code == 403
    assert client.get("/settings/incidents/announcements/").status_code == 403
    assert client.get("/api/v1/announcement-rules/").status_code == 403
    assert client.post("/api/v1/incident-roles/", role, "application/json").status_code == 403


def test_rest_makes_changes_archives_and_removes(client: Client) -> None:
    body = {"name": "Region", "kind": "select", "options": ["eu", "us"], "types": ["incident"]}
    made = client.post("/api/v1/custom-fields/", body, "application/json")
    assert (made.status_code, made.json()["slug"]) == (201, "region")
    address = "/api/v1/custom-fields/region/"
    assert client.patch(address, {"required_at": "close"}, "application/json").json()["required_at"] == "close"
    assert client.post(f"{address}archive/").json()["is_active"] is False
    assert client.post(f"{address}restore/").json()["is_active"] is True
    assert client.delete(address).status_code == 204
    assert not CustomField.objects.exists()
    refused = client.delete("/api/v1/incident-roles/lead/")
    assert (refused.status_code, refused.json()["error"]["message"]) == (409, "Somebody leads each incident.")


@pytest.mark.parametrize(
    ("address", "query", "first"),
    [
        ("severities", "q=sev1", "sev1"),
        ("severities", "sort=-rank", "sev1"),
        ("incident-statuses", "q=monitor&is_active=true", "monitoring"),
        ("incident-roles", "q=communications", "comms"),
        ("incident-types", "sort=-id", None),
        ("qualifications", "q=responder", "responder"),
        ("custom-fields", "q=nothing-is-called-so", None),
        ("checklist-items", "sort=title", None),
        ("update-templates", "moment=initial&sort=locale", None),
        ("announcement-rules", "q=x&is_enabled=true", None),
    ],
)
def test_rest_lists_are_searched_and_sorted(client: Client, address: str, query: str, first: str | None) -> None:
    response = client.get(f"/api/v1/{address}/?{query}")
    assert response.status_code == 200
    assert first is None or response.json()[0]["slug"] == first


def test_rest_says_whose_a_rank_is(client: Client) -> None:
    worst = Severity.objects.filter(is_active=True).order_by("-rank")[0]
    body = {"name": "Worse", "rank": worst.rank}
    answer = client.post("/api/v1/severities/", body, content_type="application/json")
    error = answer.json()["error"]
    assert (answer.status_code, error["field"], error["message"]) == (409, "rank", f"{worst} has this rank.")


def test_rest_grants_qualifications(client: Client) -> None:
    person, address = accounts.user(), "/api/v1/qualifications/responder/people/"
    assert client.post(address, {"user": person.pk}, "application/json").status_code == 201
    assert [each["user"]["id"] for each in client.get(address).json()] == [person.pk]
    assert client.post(f"{address}remove/", {"user": person.pk}, "application/json").status_code == 204
    assert client.get(address).json() == []


def test_screens_move_archive_and_remove(client: Client) -> None:
    first, second = ChecklistItem.objects.all()[:2]
    client.post(f"/settings/incidents/checklist/{second.pk}/move/", {"direction": "up"})
    assert ChecklistItem.objects.first() == second
    client.post("/settings/incidents/checklist/order/", {"routes": [first.pk, second.pk]})
    assert ChecklistItem.objects.first() == first
    client.post(f"/settings/incidents/checklist/{first.pk}/archive/")
    assert "Take back into use" in client.get("/settings/incidents/checklist/").content.decode()
    client.post(f"/settings/incidents/checklist/{first.pk}/restore/")
    client.post(f"/settings/incidents/checklist/{first.pk}/remove/")
    assert not ChecklistItem.objects.filter(pk=first.pk).exists()
    person, responder = accounts.user(), Qualification.objects.get(slug="responder")
    address = f"/settings/incidents/qualifications/{responder.pk}/"
    client.post(f"{address}grant/", {"user": person.pk})
    assert person.display_name in client.get(address).content.decode()
    client.post(f"{address}revoke/", {"user": person.pk})
    assert not responder.people.exists()


def test_the_admin_archives_with_the_same_action(client: Client) -> None:
    scribe = IncidentRole.objects.get(slug="scribe")
    client.post("/admin/incidents/incidentrole/", {"action": "archive", "_selected_action": [scribe.pk]})
    scribe.refresh_from_db()
    assert not scribe.is_active
    assert Event.objects.get(name="configuration.archived").via == "admin"


@pytest.mark.parametrize(
    "address", ["incident-types", "incident-roles", "custom-fields", "severities", "update-templates"]
)
def test_lists_cost_the_same_however_long(
    client: Client, address: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(8):
        assert client.get(f"/api/v1/{address}/").status_code == 200


# --- Presets ----------------------------------------------------------------------------------------------------------


def test_the_p_set_takes_the_place_of_the_other(admin: Actor, now: datetime) -> None:
    before = incidents.incident(now=now)
    for _again in range(2):
        load_presets("p")
    assert list(Severity.objects.filter(is_active=True).values_list("slug", flat=True)) == ["p1", "p2", "p3", "p4"]
    load_presets()
    assert list(Severity.objects.filter(is_active=True).values_list("slug", flat=True)) == ["p1", "p2", "p3", "p4"]
    before.refresh_from_db()
    assert before.severity.slug == "sev2"


def test_presets_have_what_roles_ask_for(admin: Actor) -> None:
    asked = dict(IncidentRole.objects.values_list("slug", "qualification__slug"))
    assert asked == {
        "lead": "incident-commander",
        "comms": "responder",
        "tech": "technical-lead",
        "scribe": None,
    }
    assert ChecklistItem.objects.count() == 5
    assert Qualification.objects.count() == 4
