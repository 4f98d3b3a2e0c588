"""The OpenAPI document: complete, without a warning, and readable in a browser."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import Role
from tests.factories import accounts


def test_the_document_is_valid_and_nothing_in_it_is_guessed() -> None:
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out, stderr=StringIO())
    assert "/api/v1/incidents/" in out.getvalue()


@pytest.mark.parametrize("address", ["/api/schema/", "/api/docs/"])
def test_people_who_are_signed_in_can_read_it(db: None, address: str) -> None:
    client = Client()
    assert client.get(address).status_code in {302, 401, 403}
    client.force_login(accounts.user(role=Role.VIEWER))
    assert client.get(address).status_code == 200


def test_every_address_of_the_api_belongs_to_version_1() -> None:
    out = StringIO()
    call_command("spectacular", "--format", "openapi-json", stdout=out, stderr=StringIO())
    assert '"/api/v1/' in out.getvalue()
    assert '"/api/v2/' not in out.getvalue()


def test_every_operation_tells_the_errors_that_it_answers() -> None:
    out = StringIO()
    call_command("spectacular", "--format", "openapi-json", stdout=out, stderr=StringIO())
    for address, operations in json.loads(out.getvalue())["paths"].items():
        for method, operation in operations.items():
            told = set(operation["responses"])
            assert {"401", "403"} <= told, (method, address)
            assert method == "get" or {"400", "409"} <= told, (method, address)
            assert "{" not in address or "404" in told, (method, address)


@pytest.mark.django_db
def test_what_does_not_exist_below_the_api_is_told_as_json() -> None:
    client = Client(raise_request_exception=False)
    client.force_login(accounts.user())
    answer = client.get("/api/v1/nothing/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
