"""When a clock starts a workflow, and that each time starts it once."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from tests.factories.workflows import running, step
from workflows.clock import BadClock, next_time
from workflows.models import WorkflowRun
from workflows.times import start_due


@pytest.mark.parametrize(
    ("cron", "zone", "after", "due"),
    [
        ("0 9 * * 1", "UTC", "2026-03-14T09:00", "2026-03-16T09:00"),
        ("0 9 * * 1", "Asia/Bangkok", "2026-03-14T09:00", "2026-03-16T02:00"),
        ("0 9 * * *", "Europe/Berlin", "2026-03-28T09:00", "2026-03-29T07:00"),
        # The night in which 02:30 does not come: right after the hour that is skipped.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00"),
        # The night in which it comes twice: once.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),
    ],
)
def test_a_line_is_due_by_the_clock_on_the_wall(cron: str, zone: str, after: str, due: str) -> None:
    found = next_time(cron, zone, datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found is not None
    assert found.astimezone(UTC).isoformat(timespec="minutes") == f"{due}+00:00"


@pytest.mark.parametrize(("cron", "zone"), [("9 * *", "UTC"), ("0 25 * * *", "UTC"), ("0 9 * * *", "Mars/Base")])
def test_what_is_no_clock_says_so(cron: str, zone: str) -> None:
    with pytest.raises(BadClock):
        next_time(cron, zone, timezone.now())


@pytest.mark.django_db
def test_each_time_starts_it_once_and_only_the_last_that_was_missed(now: datetime) -> None:
    made = running(step("wait", minutes=1), trigger={"kind": "time", "cron": "*/10 * * * *"}, now=now)
    assert made.next_at == datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
    assert start_due(datetime(2026, 3, 14, 9, 29, tzinfo=UTC)) == 0
    later = datetime(2026, 3, 14, 10, 5, tzinfo=UTC)
    assert (start_due(later), start_due(later)) == (1, 0)
    assert WorkflowRun.objects.get(workflow=made).trigger == "time"
    made.refresh_from_db()
    assert made.next_at == datetime(2026, 3, 14, 10, 10, tzinfo=UTC)
