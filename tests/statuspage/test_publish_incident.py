"""Telling the public that something is wrong."""

from datetime import datetime, timedelta

import pytest

from accounts.models import Role
from events.errors import Conflict, Invalid, NotAllowed, NotFound
from events.models import Event
from incidents.models import Incident, TimelineEntry
from statuspage.actions import publish_incident
from statuspage.models import Component, ComponentSpan, PublicIncident
from tests.factories.accounts import actor
from tests.factories.incidents import incident
from tests.factories.statuspage import page

pytestmark = pytest.mark.django_db


def test_a_responder_tells_the_public_what_is_wrong_with_which_components(now: datetime) -> None:
    ana = actor(name="Ana")
    example = page("API", "Checkout")
    checkout = example.components.get(name="Checkout")
    published = publish_incident(
        actor=ana,
        page=example,
        name="Errors on checkout",
        body="We are looking into it.",
        components={checkout: "partial_outage"},
        now=now,
    )
    assert (published.status, published.impact, published.started_at) == ("investigating", "major", now)
    update = published.updates.get()
    assert (update.body, update.author_name) == ("We are looking into it.", "Ana")
    assert update.affected == [
        {
            "id": checkout.public_id,
            "name": "Checkout",
            "old_status": "operational",
            "new_status": "partial_outage",
        }
    ]
    checkout.refresh_from_db()
    example.refresh_from_db()
    assert (checkout.status, example.updated_at) == ("partial_outage", now)
    assert list(published.components.all()) == [checkout]


def test_the_components_record_is_continued(now: datetime) -> None:
    example = page("Checkout")
    checkout = example.components.get()
    publish_incident(actor=actor(), page=example, name="Down", body="…", components={checkout: "major_outage"}, now=now)
    ended, running = ComponentSpan.objects.filter(component=checkout)
    assert (ended.status, ended.ends_at) == ("operational", now)
    assert (running.status, running.starts_at, running.ends_at) == ("major_outage", now, None)


def test_the_internal_incident_keeps_a_line_of_it(now: datetime) -> None:
    ana, example = actor(), page("API", name="Example Status")
    source = incident(ana, now=now)
    publish_incident(actor=ana, page=example, incident=source, name="Errors", body="…", now=now)
    entry = TimelineEntry.objects.filter(incident=source).latest("sequence")
    assert entry.kind == TimelineEntry.Kind.STATUS_PAGE
    assert entry.text == "opened public incident on Example Status: Errors (Investigating)"


def test_the_news_travels_as_an_event(now: datetime) -> None:
    example = page()
    published = publish_incident(actor=actor(), page=example, name="Errors", body="…", now=now)
    event = Event.objects.get(name="status_page.incident_published")
    assert (event.subject_type, event.subject_id) == ("statuspage.publicincident", published.pk)


def test_viewers_may_not_publish(now: datetime) -> None:
    with pytest.raises(NotAllowed):
        publish_incident(actor=actor(Role.VIEWER), page=page(), name="Errors", body="…", now=now)
    assert not PublicIncident.objects.exists()


def test_an_incident_that_the_actor_may_not_see_does_not_exist_for_them(now: datetime) -> None:
    secret = incident(actor(), visibility=Incident.Visibility.PRIVATE, now=now)
    with pytest.raises(NotFound):
        publish_incident(
            actor=actor(), page=page(), incident=secret, name="Errors", body="…", now=now, confirm_private=True
        )


def test_a_private_incident_takes_a_confirmation_and_leaves_no_trace(now: datetime) -> None:
    ana = actor()
    secret = incident(ana, name="Breach of the vault", visibility=Incident.Visibility.PRIVATE, now=now)
    with pytest.raises(Conflict) as refusal:
        publish_incident(actor=ana, page=page(), incident=secret, name="Sign-in is off", body="…", now=now)
    assert refusal.value.code == "private_incident"
    published = publish_incident(
        actor=ana,
        page=page(slug="other"),
        incident=secret,
        name="Sign-in is off",
        body="…",
        now=now,
        confirm_private=True,
    )
    event = Event.objects.get(name="status_page.incident_published", subject_id=published.pk)
    assert "Breach" not in str(event.data)
    assert str(secret.pk) not in {str(value) for key, value in event.data.items() if key != "page"}


def test_components_of_another_page_are_refused(now: datetime) -> None:
    page("API")
    other = page("Shop", slug="other")
    foreign = Component.objects.get(name="API")
    with pytest.raises(Invalid, match="another page"):
        publish_incident(
            actor=actor(), page=other, name="Errors", body="…", components={foreign: "major_outage"}, now=now
        )


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("name", {"name": "  "}),
        ("name", {"name": "x" * 201}),
        ("body", {"body": "\n"}),
        ("status", {"status": "burning"}),
        ("impact", {"impact": "huge"}),
    ],
)
def test_nonsense_is_refused_and_nothing_is_kept(now: datetime, field: str, fields: dict[str, object]) -> None:
    with pytest.raises(Invalid) as refusal:
        publish_incident(actor=actor(), page=page(), now=now, **({"name": "Errors", "body": "…"} | fields))  # type: ignore[arg-type]
    assert refusal.value.field == field
    assert not PublicIncident.objects.exists()


def test_it_can_not_have_begun_in_the_future(now: datetime) -> None:
    later = now + timedelta(minutes=1)
    with pytest.raises(Invalid, match="future"):
        publish_incident(actor=actor(), page=page(), name="Errors", body="…", started_at=later, now=now)
