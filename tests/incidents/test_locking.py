"""Two write to one incident at once: the second waits for the first and finds the incident as that has left it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from django.db import connection, transaction

from incidents.models import Incident, IncidentStatus, Severity
from incidents.timeline import lock_incident
from tests.factories import incidents

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def locked_elsewhere(pk: int) -> tuple[str, str]:
    """What another connection finds once it has the row."""
    try:
        with transaction.atomic():
            locked = lock_incident(pk)
            return locked.status.slug, locked.severity.slug
    finally:
        connection.close()


def wait_for_the_second() -> None:
    with connection.cursor() as cursor:
        for _look in range(10_000):
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
    raise AssertionError("Nobody waits for the row.")


@pytest.mark.django_db(transaction=True)
def test_who_waited_for_a_change_of_status_and_severity_finds_the_incident(now: datetime) -> None:
    incident = incidents.incident(now=now)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock_incident(incident.pk)
            second = pool.submit(locked_elsewhere, incident.pk)
            wait_for_the_second()
            Incident.objects.filter(pk=incident.pk).update(
                status=IncidentStatus.objects.get(slug="monitoring"), severity=Severity.objects.get(slug="sev1")
            )
        assert second.result(timeout=20) == ("monitoring", "sev1")
