"""Two write to one incident at once: the second waits for the first and finds the incident as that has left it."""

from datetime import datetime

import pytest

from incidents.models import Incident, IncidentStatus, Severity
from incidents.timeline import lock_incident
from tests.factories import incidents
from tests.waiting import after_waiting


@pytest.mark.django_db(transaction=True)
def test_who_waited_for_a_change_of_status_and_severity_finds_the_incident(now: datetime) -> None:
    pk = incidents.incident(now=now).pk
    moved = {"status": IncidentStatus.objects.get(slug="monitoring"), "severity": Severity.objects.get(slug="sev1")}
    found = after_waiting(
        lambda: lock_incident(pk),
        first=lambda: lock_incident(pk),
        then=lambda: Incident.objects.filter(pk=pk).update(**moved),
    )
    assert (found.status.slug, found.severity.slug) == ("monitoring", "sev1")
