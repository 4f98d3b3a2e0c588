"""Mitigations of a service: written on its page and in the API, in an order, as people and never run."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Membership, Role
from catalog.mitigations import MitigationDraft, save_mitigations, suggested_mitigations
from catalog.models import Mitigation, Service
from events.errors import Invalid, NotAllowed
from events.models import Event
from tests.factories import accounts, catalog

pytestmark = pytest.mark.django_db
ROLL_BACK = MitigationDraft("Roll back the last deploy", "kubectl rollout undo deploy/payments")
SCALE = MitigationDraft("Scale out", url="https://console.example.com/payments")


@pytest.fixture
def service() -> Service:
    return catalog.service(name="Payments", slug="payments")


def labels(service: Service) -> list[str]:
    return list(service.mitigations.values_list("label", flat=True))


def test_they_replace_what_was_there_in_their_order(service: Service) -> None:
    manager = accounts.actor(Role.MANAGER)
    save_mitigations(actor=manager, service=service, mitigations=[ROLL_BACK, SCALE])
    save_mitigations(actor=manager, service=service, mitigations=[SCALE, ROLL_BACK])
    assert labels(service) == ["Scale out", "Roll back the last deploy"]
    save_mitigations(actor=manager, service=service, mitigations=[SCALE, ROLL_BACK])
    assert Event.objects.filter(name="service.mitigations_changed").count() == 2


def test_the_team_that_owns_the_service_may_and_others_may_not(service: Service) -> None:
    owner = accounts.actor(Role.RESPONDER)
    service.team = accounts.team()
    service.save()
    with pytest.raises(NotAllowed):
        save_mitigations(actor=owner, service=service, mitigations=[SCALE])
    Membership.objects.create(team=service.team, user_id=owner.person_id)
    save_mitigations(actor=owner, service=service, mitigations=[SCALE])
    assert labels(service) == ["Scale out"]


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (MitigationDraft(" "), "label"),
        (MitigationDraft("x" * 101), "label"),
        (MitigationDraft("Scale", "x" * 4001), "command"),
        (MitigationDraft("Scale", url="javascript:alert(1)"), "url"),
    ],
)
def test_what_makes_no_sense_is_refused(service: Service, draft: MitigationDraft, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        save_mitigations(actor=accounts.actor(Role.MANAGER), service=service, mitigations=[draft])
    assert refused.value.field == field


def test_suggestions_leave_out_what_is_there(service: Service) -> None:
    assert "Roll back the last deploy" in suggested_mitigations()
    Mitigation.objects.create(service=service, label="roll back the last deploy")
    assert "Roll back the last deploy" not in suggested_mitigations(service)


def test_the_form_and_the_api_write_them(service: Service, client: Client) -> None:
    client.force_login(accounts.user(role=Role.MANAGER))
    body: dict[str, Any] = {"name": "Payments", "slug": "payments", "tier": 1, "lifecycle": "production"}
    body |= {"links-TOTAL_FORMS": 0, "links-INITIAL_FORMS": 0, "mitigations-TOTAL_FORMS": 2}
    body |= {
        "mitigations-INITIAL_FORMS": 0,
        "mitigations-0-label": "Fail over",
        "mitigations-0-command": "failover now",
    }
    assert client.post("/services/payments/edit/", body).status_code == 302
    assert "failover now" in client.get("/services/payments/").text
    api = APIClient()
    api.force_login(accounts.user(role=Role.MANAGER))
    changed = api.patch("/api/v1/services/payments/", {"mitigations": [{"label": "Scale out"}]}, format="json")
    assert changed.json()["mitigations"] == [{"label": "Scale out", "command": "", "url": ""}]
    assert labels(service) == ["Scale out"]
