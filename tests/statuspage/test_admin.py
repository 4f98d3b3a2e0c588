"""Status pages and postmortems in the Django admin."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role
from incidents.models import Incident
from postmortems.action_items import create_action_item
from postmortems.models import SectionTemplate
from statuspage.models import Component
from tests.factories.accounts import actor, user
from tests.factories.postmortems import postmortem
from tests.factories.statuspage import page, public_incident

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator() -> Client:
    client = Client()
    client.force_login(user(role=Role.ADMINISTRATOR))
    return client


def test_every_list_and_row_opens(administrator: Client, now: datetime) -> None:
    example = page("API")
    published = public_incident(example, now=now)
    draft = postmortem(now=now)
    item = create_action_item(actor=actor(), incident=draft.incident, title="Watch", now=now)
    rows: dict[str, Any] = {
        "statuspage/statuspage": example,
        "statuspage/component": example.components.get(),
        "statuspage/componentspan": example.components.get().spans.get(),
        "statuspage/publicincident": published,
        "postmortems/postmortem": draft,
        "postmortems/actionitem": item,
        "postmortems/sectiontemplate": SectionTemplate.objects.first(),
    }
    for path, row in rows.items():
        assert administrator.get(f"/admin/{path}/?q=a").status_code == 200, path
        assert administrator.get(f"/admin/{path}/{row.pk}/change/").status_code == 200, path


def test_its_buttons_call_the_actions(administrator: Client, now: datetime) -> None:
    example = page("API")
    api = example.components.get()
    public_incident(example, components={api: "major_outage"}, now=now)
    administrator.post("/admin/statuspage/component/", {"action": "make_operational", "_selected_action": [api.pk]})
    assert Component.objects.get().status == "operational"


def test_private_incidents_stay_with_their_members(administrator: Client, now: datetime) -> None:
    ana = actor()
    draft = postmortem(ana, now=now, name="Breach of the vault", visibility=Incident.Visibility.PRIVATE)
    create_action_item(actor=ana, incident=draft.incident, title="Change the locks", now=now)
    public_incident(page(), actor=ana, incident=draft.incident, name="x", confirm_private=True, now=now)
    for path in ["postmortems/postmortem", "postmortems/actionitem", "statuspage/publicincident"]:
        text = administrator.get(f"/admin/{path}/").content.decode()
        assert "Breach" not in text
        assert "locks" not in text
