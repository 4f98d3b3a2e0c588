"""Two write to one action item at once: the second finds it where the first has moved it."""

from datetime import datetime

import pytest

from accounts.models import Role
from postmortems.action_items import create_action_item, update_action_item
from postmortems.models import ActionItem
from tests.factories import accounts, incidents
from tests.waiting import after_waiting


@pytest.mark.django_db(transaction=True)
def test_an_action_item_is_changed_while_its_incident_is_merged_into_another(now: datetime) -> None:
    ana = accounts.actor(Role.MANAGER)
    source, target = incidents.incident(ana, now=now), incidents.incident(ana, now=now)
    item = create_action_item(actor=ana, incident=source, title="Raise the limit", now=now)
    after_waiting(
        lambda: update_action_item(actor=ana, action_item=item, now=now, title="Raise the limit to 200"),
        first=lambda: ActionItem.objects.select_for_update().get(pk=item.pk),
        then=lambda: ActionItem.objects.filter(pk=item.pk).update(incident=target),
    )
    item.refresh_from_db()
    assert (item.title, item.incident) == ("Raise the limit to 200", target)
