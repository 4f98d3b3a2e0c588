"""What the public reads: complete, quick, small, and without a session."""

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from incidents.models import Incident
from statuspage.actions import publish_update
from tests.factories.accounts import actor, user
from tests.factories.incidents import incident
from tests.factories.statuspage import page, public_incident

pytestmark = pytest.mark.django_db
LIMIT = 50_000


@pytest.fixture
def today() -> datetime:
    from django.utils import timezone

    return timezone.now()


def read(path: str = "/status/example/") -> str:
    response = Client().get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def test_a_quiet_page_says_that_all_is_well() -> None:
    page("API", "Checkout")
    text = read()
    assert "All systems are operational." in text
    assert text.count('class="bars"') == 2
    assert "No incidents" in text


def test_the_sentence_at_the_top_tells_the_truth_worst_first(today: datetime) -> None:
    example = page("API", "Checkout", "Search")
    api, checkout, _search = example.components.all()
    public_incident(example, components={api: "degraded_performance", checkout: "major_outage"}, now=today)
    assert "Major outage: Checkout; degraded performance: API." in read()


def test_an_open_incident_is_there_with_its_updates_newest_first(today: datetime) -> None:
    published = public_incident(page("API"), name="Errors on checkout", body="We are **looking**.", now=today)
    publish_update(actor=actor(), public_incident=published, status="identified", body="A full disk.", now=today)
    text = read()
    assert "Errors on checkout" in text
    assert "We are <strong>looking</strong>." in text
    assert text.index("A full disk.") < text.index("looking")


def test_what_people_write_can_not_break_the_page(today: datetime) -> None:
    public_incident(page("API"), name="<script>alert(1)</script>", body="<img src=x onerror=alert(1)>", now=today)
    text = read()
    assert "<script" not in text
    assert "<img" not in text


def test_every_incident_has_a_permalink_and_a_place_in_the_history(today: datetime) -> None:
    example = page("API")
    published = public_incident(example, name="Errors on checkout", now=today - timedelta(days=200))
    publish_update(actor=actor(), public_incident=published, status="resolved", body="Fixed.", now=today)
    assert "Fixed." in read(f"/status/example/incidents/{published.public_id}/")
    assert "Errors on checkout" in read("/status/example/history/")
    assert "Errors on checkout" not in read()


def test_an_incident_of_another_page_is_not_found(today: datetime) -> None:
    published = public_incident(page("API"), now=today)
    page(slug="other")
    assert Client().get(f"/status/other/incidents/{published.public_id}/").status_code == 404
    assert Client().get("/status/nowhere/").status_code == 404


def test_times_are_those_of_the_pages_zone() -> None:
    page(time_zone="Asia/Bangkok")
    assert "Times are in Asia/Bangkok." in read()


def test_no_session_is_opened_and_caches_may_keep_it_for_a_moment(today: datetime) -> None:
    public_incident(page("API"), now=today)
    response = Client().get("/status/example/")
    assert not response.cookies
    assert "Cookie" not in response.headers.get("Vary", "")
    assert response["Cache-Control"].startswith("public, max-age=15")
    again = Client().get("/status/example/", headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304


def test_somebody_who_is_signed_in_costs_no_query_more(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    page("API")
    client = Client()
    client.force_login(user())
    with django_assert_num_queries(4):
        client.get("/status/example/")


def test_it_is_the_same_for_somebody_who_is_signed_in() -> None:
    page("API")
    client = Client()
    client.force_login(user(time_zone="Asia/Tokyo"))
    assert client.get("/status/example/").content == Client().get("/status/example/").content


def test_it_needs_no_script_and_one_small_style_sheet() -> None:
    page("API")
    text = read()
    assert "<script" not in text
    assert text.count('rel="stylesheet"') == 1
    assert " style=" not in text


def fill(today: datetime) -> None:
    """Twenty components, a bad quarter, seven long open incidents."""
    example = page(*(f"Component {number}" for number in range(20)), description="What we run. " * 20)
    components = list(example.components.all())
    for day in range(88, 2, -2):
        began = today - timedelta(days=day)
        affected = {components[day % 20]: "partial_outage", components[day % 7]: "degraded_performance"}
        past = public_incident(example, name=f"Trouble number {day}", components=affected, now=began)
        publish_update(
            actor=actor(),
            public_incident=past,
            status="resolved",
            body="Fixed. " * 20,
            now=began + timedelta(minutes=50),
        )
    for number in range(3):
        current = public_incident(
            example, name="Errors " * 25, body="x " * 600, components={components[number]: "major_outage"}, now=today
        )
        for _ in range(7):
            publish_update(actor=actor(), public_incident=current, body="We go on. " * 40, now=today)


def test_a_full_page_weighs_less_than_50_kb_with_its_style_sheet(today: datetime) -> None:
    fill(today)
    style = (settings.BASE_DIR / "static/css/public.css").stat().st_size
    icon = (settings.BASE_DIR / "static/favicon.svg").stat().st_size
    assert len(read().encode()) + style + icon < LIMIT


def test_a_full_page_takes_as_few_queries_as_a_quiet_one(
    today: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fill(today)
    with django_assert_num_queries(6):
        read()
    with django_assert_num_queries(4):
        read("/status/example/history.atom")


def test_a_private_incident_leaves_no_trace(today: datetime) -> None:
    ana = actor()
    secret = incident(ana, name="Breach of the vault", visibility=Incident.Visibility.PRIVATE, now=today)
    example = page("API")
    public_incident(example, actor=ana, incident=secret, name="Sign-in is off", confirm_private=True, now=today)
    for path in ["", "history/", "history.atom", "history.rss", "api/v2/summary.json", "api/v2/incidents.json"]:
        text = read(f"/status/example/{path}")
        assert "Sign-in is off" in text
        assert "Breach" not in text
        assert secret.reference not in text
