"""Many rows at once: ids that nobody else gets, and values as the ORM would store them."""

from datetime import datetime, timedelta

import pytest
from django.db import DataError
from pytest_django import DjangoAssertNumQueries

from accounts.models import Team
from alerts.models import RawEvent
from events.rows import next_ids, updating, write
from tests.factories import alerts

pytestmark = pytest.mark.django_db


def test_ids_are_ascending_and_never_given_twice() -> None:
    first, second = next_ids(Team, 3), next_ids(Team, 2)
    made = Team.objects.create(name="Payments", slug="payments")
    assert first + second == sorted({*first, *second})
    assert made.pk > second[-1]
    assert next_ids(Team, 0) == []


def test_each_row_gets_its_own_values_and_no_other_field_changes(now: datetime) -> None:
    source = alerts.source()
    rows = [RawEvent.objects.create(source=source, received_at=now, due_at=now, body=b"{}") for _ in range(3)]
    for number, row in enumerate(rows):
        row.outcomes = [{"outcome": "paged", "alert": number}]
        row.error, row.processed_at = f"it's {{number}} “{number}”", now + timedelta(seconds=number) if number else None
        row.content_type = "not asked for"
    write(*updating(rows, ["outcomes", "error", "processed_at"]))
    for row in rows:
        stored = RawEvent.objects.get(pk=row.pk)
        assert (stored.outcomes, stored.error, stored.processed_at) == (row.outcomes, row.error, row.processed_at)
        assert stored.content_type == ""


def test_what_is_too_long_is_refused_and_not_cut(now: datetime) -> None:
    team = Team.objects.create(name="Payments", slug="payments")
    team.name = "x" * 1000
    with pytest.raises(DataError):
        write(*updating([team], ["name"]))


def test_one_statement_however_many(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    teams = [Team.objects.create(name=f"Team {number}", slug=f"team-{number}") for number in range(20)]
    with django_assert_num_queries(1):
        write(*updating(teams, ["name", "slug"]))
    write(*updating([], ["name"]))
