"""What paging tests can be about beside policies: a service, and a payload that a source sends.

- name: A critical alert of payments pages its first responder
  service: payments
  …
- name: What Alertmanager sends at night pages
  payload: {"source": "prometheus", "body": {"title": "Disk full", "service": "db"}}
  …
"""

import json
from datetime import datetime
from typing import Any

from django.db.models import Q

from alerts.dialects import DialectError
from alerts.models import AlertSource, RawEvent
from alerts.preview import preview
from catalog.models import Service
from oncall.paging_tests import Unknown, subject
from oncall.promises import Promise
from oncall.simulation import Simulation, simulate


@subject("service")
def service_pages(promise: Promise, at: datetime) -> Simulation:
    """Whom the policy of a service pages."""
    named = Q(slug=promise.value) | Q(name__iexact=promise.value)
    service = Service.objects.select_related("escalation_policy").filter(named).first()
    if service is None:
        raise Unknown(f"there is no service {promise.value}")
    if service.escalation_policy is None:
        raise Unknown(f"{service} has no escalation policy")
    facts = {"service": service.name, **promise.facts}
    return simulate(service.escalation_policy, at, urgency=promise.urgency, facts=facts)


@subject("payload")
def payload_pages(promise: Promise, at: datetime) -> Simulation:
    """Whom the routes page for what a source sends."""
    named, body = _parts(promise.value)
    asked = Q(slug=named) | Q(name__iexact=named)
    source = AlertSource.objects.select_related("team").filter(asked).first()
    if source is None:
        raise Unknown(f"there is no alert source {named}")
    try:
        found = preview(RawEvent(source=source, body=body, received_at=at, due_at=at), at)
    except DialectError as error:
        raise Unknown(f"{source} can't read the payload: {error.message}") from error
    simulated = next((each.simulation for each in found if each.simulation is not None), None)
    return simulated or Simulation("nobody", at, promise.urgency)


def _parts(value: str) -> tuple[str, bytes]:
    """The source that a promise names, and the body that it sends."""
    try:
        given: Any = json.loads(value)
    except ValueError:
        given = None
    if not isinstance(given, dict) or not given.get("source") or "body" not in given:
        raise Unknown("a payload needs a source and a body")
    body = given["body"]
    return str(given["source"]), (body if isinstance(body, str) else json.dumps(body)).encode()
