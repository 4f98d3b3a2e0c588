"""Two write to one alert at once: the second finds what the first tied to it, and does not take it for nothing."""

from datetime import datetime

import pytest

from accounts.actor import Actor
from alerts.models import Alert
from alerts.resolving import close_alert
from oncall.models import Escalation
from tests.factories import accounts, alerts, oncall
from tests.waiting import after_waiting


@pytest.mark.django_db(transaction=True)
def test_an_alert_that_ends_while_it_begins_to_page_ends_that_too(now: datetime) -> None:
    ana = accounts.user(name="Ana")
    oncall.contact_method(ana)
    alerts.sent(alerts.source(), now, title="Disk full", dedup_key="disk")
    alert = Alert.objects.get()
    assert alert.escalation is None

    def page() -> None:
        escalation = oncall.escalation(oncall.level(ana), now=now)
        Alert.objects.filter(pk=alert.pk).update(escalation=escalation)

    after_waiting(
        lambda: close_alert(actor=Actor.system(), alert=alert, now=now),
        first=lambda: Alert.objects.select_for_update().get(pk=alert.pk),
        then=page,
    )
    assert Escalation.objects.get().status == Escalation.Status.RESOLVED
