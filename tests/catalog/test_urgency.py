"""How loudly a service's trouble knocks."""

from datetime import UTC, datetime

import pytest

from accounts.models import Team
from catalog.models import Service
from catalog.owners import owner_of_service
from catalog.priorities import is_loud
from catalog.urgency import urgency_of
from tests.factories import catalog, oncall
from tests.factories.accounts import user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
NIGHT = datetime(2026, 3, 10, 3, tzinfo=UTC)
SUNDAY = datetime(2026, 3, 8, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("setting", "is_severe", "urgency"),
    [
        (Service.Urgency.HIGH, False, "high"),
        (Service.Urgency.LOW, True, "low"),
        (Service.Urgency.SEVERITY, True, "high"),
        (Service.Urgency.SEVERITY, False, "low"),
    ],
)
def test_a_service_says_how_loudly_it_knocks(setting: str, is_severe: bool, urgency: str) -> None:
    assert urgency_of(catalog.service(urgency=setting), is_severe=is_severe, now=NOON) == urgency


@pytest.mark.parametrize(("now", "urgency"), [(NOON, "high"), (NIGHT, "low"), (SUNDAY, "low")])
def test_by_the_hour_it_is_urgent_while_its_schedule_works(now: datetime, urgency: str) -> None:
    policy = oncall.policy(oncall.level(oncall.schedule(user())))
    service = catalog.service(urgency=Service.Urgency.HOURS, escalation_policy=policy)
    assert urgency_of(service, is_severe=True, now=now) == urgency


def test_without_a_service_or_a_schedule_everything_is_urgent() -> None:
    assert urgency_of(None, is_severe=False, now=NIGHT) == "high"
    assert urgency_of(catalog.service(urgency=Service.Urgency.HOURS), is_severe=False, now=NIGHT) == "high"


def test_a_severity_that_is_not_told_is_loud() -> None:
    assert [is_loud(word) for word in ("", "Critical", "error", "warning", "info")] == [True, True, True, False, False]


def test_the_owner_of_a_service_is_found_by_its_slug_or_name() -> None:
    team = Team.objects.create(name="Payments", slug="payments-team")
    service = catalog.service(team=team)
    assert owner_of_service({"service": service.slug}) == team
    assert owner_of_service({"service": service.name.upper()}) == team
    assert owner_of_service({"service": "something else"}) is None
    assert owner_of_service({}) is None
