"""The next message of a public incident, and its end."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Role
from events.errors import Invalid, NotAllowed
from events.models import Event
from incidents.models import TimelineEntry
from statuspage.actions import publish_update
from statuspage.models import ComponentSpan
from tests.factories.accounts import actor
from tests.factories.incidents import incident
from tests.factories.statuspage import page, public_incident

pytestmark = pytest.mark.django_db


def statuses(example: object) -> dict[str, str]:
    return dict(example.components.values_list("name", "status"))  # type: ignore[attr-defined]


def test_an_update_without_a_status_keeps_it(now: datetime) -> None:
    published = public_incident(page("API"), status="identified", now=now)
    update = publish_update(
        actor=actor(), public_incident=published, body="Still at it.", now=now + timedelta(minutes=5)
    )
    assert (update.status, update.affected) == ("identified", [])


def test_monitoring_is_dated_once(now: datetime) -> None:
    published = public_incident(page("API"), now=now)
    for minutes in (5, 10):
        moment = now + timedelta(minutes=minutes)
        publish_update(actor=actor(), public_incident=published, status="monitoring", body="Watching.", now=moment)
    published.refresh_from_db()
    assert published.monitoring_at == now + timedelta(minutes=5)
    assert published.updated_at == now + timedelta(minutes=10)


def test_resolving_makes_its_components_operational_again(now: datetime) -> None:
    example = page("API", "Checkout")
    api, checkout = example.components.all()
    published = public_incident(example, components={api: "major_outage", checkout: "partial_outage"}, now=now)
    later = now + timedelta(hours=1)
    update = publish_update(actor=actor(), public_incident=published, status="resolved", body="Fixed.", now=later)
    published.refresh_from_db()
    assert (published.status, published.resolved_at) == ("resolved", later)
    assert statuses(example) == {"API": "operational", "Checkout": "operational"}
    assert {each["new_status"] for each in update.affected} == {"operational"}
    outage = ComponentSpan.objects.get(component=api, status="major_outage")
    assert (outage.starts_at, outage.ends_at) == (now, later)


def test_resolving_leaves_what_it_was_told_to_leave(now: datetime) -> None:
    example = page("API", "Checkout")
    api, checkout = example.components.all()
    published = public_incident(example, components={api: "major_outage", checkout: "partial_outage"}, now=now)
    publish_update(
        actor=actor(),
        public_incident=published,
        status="resolved",
        body="Mostly.",
        components={checkout: "degraded_performance"},
        now=now + timedelta(hours=1),
    )
    assert statuses(example) == {"API": "operational", "Checkout": "degraded_performance"}


def test_resolving_leaves_components_that_another_open_incident_affects(now: datetime) -> None:
    example = page("API")
    api = example.components.get()
    first = public_incident(example, components={api: "major_outage"}, now=now)
    public_incident(example, components={api: "partial_outage"}, now=now + timedelta(minutes=1))
    publish_update(actor=actor(), public_incident=first, status="resolved", body="…", now=now + timedelta(minutes=2))
    assert statuses(example) == {"API": "partial_outage"}


def test_a_resolved_incident_can_be_opened_again(now: datetime) -> None:
    published = public_incident(page("API"), now=now)
    publish_update(actor=actor(), public_incident=published, status="resolved", body="…", now=now)
    publish_update(actor=actor(), public_incident=published, status="investigating", body="It is back.", now=now)
    published.refresh_from_db()
    assert (published.status, published.resolved_at) == ("investigating", None)


def test_the_internal_timeline_and_the_event_say_so(now: datetime) -> None:
    source = incident(now=now)
    published = public_incident(page(name="Example"), incident=source, name="Errors", now=now)
    publish_update(actor=actor(), public_incident=published, status="identified", body="…", now=now)
    publish_update(actor=actor(), public_incident=published, status="resolved", body="…", now=now)
    kind = TimelineEntry.Kind.STATUS_PAGE
    texts = list(source.timeline.filter(kind=kind).order_by("sequence").values_list("text", flat=True))
    assert texts == [
        "opened public incident on Example: Errors (Investigating)",
        "updated public incident on Example: Errors (Identified)",
        "resolved public incident on Example: Errors (Resolved)",
    ]
    names = Event.objects.filter(subject_type="statuspage.publicincident").order_by("id").values_list("name", flat=True)
    assert list(names) == [
        "status_page.incident_published",
        "status_page.incident_updated",
        "status_page.incident_resolved",
    ]


def test_viewers_may_not_update(now: datetime) -> None:
    published = public_incident(page(), now=now)
    with pytest.raises(NotAllowed):
        publish_update(actor=actor(Role.VIEWER), public_incident=published, body="…", now=now)


@pytest.mark.parametrize(("field", "fields"), [("body", {"body": " "}), ("status", {"status": "burning"})])
def test_nonsense_is_refused(now: datetime, field: str, fields: dict[str, Any]) -> None:
    published = public_incident(page(), now=now)
    with pytest.raises(Invalid) as refusal:
        publish_update(actor=actor(), public_incident=published, now=now, **{"body": "…", **fields})
    assert refusal.value.field == field
