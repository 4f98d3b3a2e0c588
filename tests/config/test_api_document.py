"""The OpenAPI document: complete, without a warning, and readable in a browser."""

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
