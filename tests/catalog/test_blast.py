"""The blast radius: what needs a broken service, what it needs, what users can't do."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role
from catalog.blast import blast_radius
from catalog.models import Service, ServiceDependency
from tests.factories import accounts, catalog

pytestmark = pytest.mark.django_db


def needs(service: Service, needed: Service) -> None:
    ServiceDependency.objects.create(service=service, needs=needed)


def shop() -> dict[str, Service]:
    """database ← payments ← checkout ← web, and payments needs queue."""
    made = {
        name: catalog.service(name=name, slug=name) for name in ("database", "queue", "payments", "checkout", "web")
    }
    needs(made["payments"], made["database"])
    needs(made["payments"], made["queue"])
    needs(made["checkout"], made["payments"])
    needs(made["web"], made["checkout"])
    return made


def test_both_directions_are_told_with_their_depth() -> None:
    radius = blast_radius([shop()["payments"]])
    assert [(reached.service.name, reached.depth) for reached in radius.hit] == [("checkout", 1), ("web", 2)]
    assert [(reached.service.name, reached.depth) for reached in radius.needed] == [("database", 1), ("queue", 1)]


def test_of_several_broken_services_the_nearest_counts() -> None:
    made = shop()
    radius = blast_radius([made["database"], made["checkout"]])
    assert [(reached.service.name, reached.depth) for reached in radius.hit] == [("payments", 1), ("web", 1)]


def test_what_users_cannot_do_counts_what_is_hit() -> None:
    made = shop()
    paying, searching = catalog.functionality(name="Pay"), catalog.functionality(name="Search")
    made["web"].functionalities.add(paying)
    made["queue"].functionalities.add(searching)
    assert blast_radius([made["payments"]]).functionalities == [paying]


def test_a_circle_is_walked_once() -> None:
    made = shop()
    needs(made["database"], made["web"])
    radius = blast_radius([made["payments"]])
    assert [reached.service.name for reached in radius.hit] == ["checkout", "web", "database"]


def test_a_large_graph_costs_no_more_statements(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    made = shop()
    with django_assert_num_queries(2):
        blast_radius(list(made.values()))
    assert not blast_radius([])


def test_it_stands_on_the_page_and_in_the_api(client: Client) -> None:
    shop()
    client.force_login(accounts.user(role=Role.VIEWER))
    assert "web" in client.get("/services/database/").text
    answer = client.get("/api/v1/services/database/radius/").json()
    assert [(row["service"], row["depth"]) for row in answer["hit"]] == [("payments", 1), ("checkout", 2), ("web", 3)]
    assert answer["needed"] == answer["functionalities"] == []
