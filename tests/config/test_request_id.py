"""Every answer names its request."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_every_answer_carries_the_id_of_its_request() -> None:
    first, second = (Client().get("/account/login/").headers["X-Request-ID"] for _ in range(2))
    assert first
    assert second
    assert first != second


def test_an_error_page_shows_the_id_to_quote() -> None:
    client = Client()
    response = client.get("/status/nowhere/")
    assert response.status_code == 404
    assert response.headers["X-Request-ID"] in response.content.decode()
