"""The door: what is stored, what is refused, and with which words."""

import json
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from alerts.dialects import DIALECTS, DialectError, spoken_at
from alerts.dialects.format import Request
from alerts.ingest import process_raw_events
from alerts.models import Alert, AlertSource, RawEvent
from alerts.receive import Post, accept, posted
from tests.factories import alerts

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> AlertSource:
    return alerts.source()


def post(address: str, body: Any) -> Any:
    text = body if isinstance(body, (bytes, str)) else json.dumps(body)
    return Client(enforce_csrf_checks=True).post(address, text, content_type="application/json")


def test_an_event_is_stored_as_it_came_and_answered_202(source: AlertSource) -> None:
    body = '{"title": "Disk full",   "severity": "critical"}'
    response = post(f"/in/{source.token}", body)
    raw = RawEvent.objects.get()
    assert response.status_code == 202
    assert response.json() == {"status": "accepted", "id": raw.pk, "events": 1}
    assert bytes(raw.body).decode() == body
    assert (raw.source, raw.state) == (source, RawEvent.State.PENDING)


def test_only_the_hash_of_a_token_can_be_read_in_the_database(source: AlertSource) -> None:
    [(token, token_hash)] = AlertSource.objects.extra(select={"raw": "token::text"}).values_list("raw", "token_hash")
    assert source.token not in token
    assert source.token not in token_hash


@pytest.mark.parametrize(
    ("body", "status", "code"), [(b"{", 400, "invalid"), (b'{"severity": "critical"}', 400, "invalid")]
)
def test_nonsense_is_refused_with_what_to_mend(source: AlertSource, body: bytes, status: int, code: str) -> None:
    response = post(f"/in/{source.token}", body)
    assert response.status_code == status
    error = response.json()["error"]
    assert error["code"] == code
    assert error["message"]
    assert not RawEvent.objects.exists()


def test_an_unknown_token_is_refused_without_saying_more(source: AlertSource) -> None:
    response = post("/in/not-a-token", {"title": "x"})
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "unknown_token"


def test_a_source_that_is_switched_off_accepts_nothing(source: AlertSource) -> None:
    AlertSource.objects.update(is_enabled=False)
    assert post(f"/in/{source.token}", {"title": "x"}).status_code == 401


def test_a_source_speaks_one_dialect(source: AlertSource) -> None:
    response = post(f"/alertmanager/{source.token}", {"alerts": []})
    assert response.status_code == 400
    assert "Generic JSON" in response.json()["error"]["remedy"]


def test_a_body_over_the_limit_is_refused(source: AlertSource, settings: Settings) -> None:
    settings.MAX_EVENT_BYTES = 100
    response = post(f"/in/{source.token}", {"title": "x" * 200})
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")


def test_get_is_not_allowed(source: AlertSource) -> None:
    assert Client().get(f"/in/{source.token}").status_code == 405


def test_accepting_costs_three_statements(source: AlertSource, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):
        post(f"/in/{source.token}", {"title": "x"})


def a_post(source: AlertSource, headers: dict[str, str] | None = None) -> Post:
    spoken = spoken_at(f"in/{source.token}")
    assert spoken is not None
    return posted(spoken, headers=headers or {}, query={}, body=b'{"title": "x"}', request_id=str(uuid4()))


@pytest.mark.django_db(transaction=True)
def test_one_that_cannot_be_stored_does_not_take_those_with_it_that_came_together(source: AlertSource) -> None:
    fine = a_post(source)
    odd = a_post(source, {"user-agent": "a\x00b"})
    answers = accept([fine, odd, fine], timezone.now())
    assert [answer.status for answer in answers] == [202, 503, 202]
    assert answers[1].content["error"]["remedy"] == "Send it again."
    assert RawEvent.objects.count() == 2


def test_many_are_stored_by_as_many_statements_as_one(
    source: AlertSource, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    posts = [a_post(source) for _ in range(50)]
    with django_assert_num_queries(3):
        answers = accept(posts, timezone.now())
    ids = [answer.content["id"] for answer in answers]
    assert ids == sorted(set(ids))


def test_characters_that_no_text_can_hold_are_marked_and_the_alert_fires(source: AlertSource, now: datetime) -> None:
    body = (
        r'{"title": "disk \u0000 full \ud800!", "dedup_key": "k\u0000",'
        r' "rack\udc00": {"a": ["\u0000"]}, "pair": "\ud83d\ude00"}'
    )
    assert post(f"/in/{source.token}", body).status_code == 202
    process_raw_events(now.replace(year=2100))
    alert = Alert.objects.get()
    assert (alert.title, alert.dedup_key) == ("disk \ufffd full \ufffd!", "k\ufffd")
    assert alert.attributes == {"rack\ufffd": {"a": ["\ufffd"]}, "pair": "😀"}


@pytest.mark.parametrize("dialect", [name for name, dialect in DIALECTS.items() if dialect.addresses])
@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_sent_gets_an_answer_of_its_own(dialect: str, data: st.DataObject) -> None:
    """No body of JSON, however odd, is a mistake of ours or takes those with it that come together."""
    json_values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["firing", "resolved"]),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
        max_leaves=5,
    )
    sample = DIALECTS[dialect].sample
    changed = {name: data.draw(st.one_of(st.just(value), json_values), label=name) for name, value in sample.items()}
    with suppress(DialectError):
        DIALECTS[dialect].parse(Request(DIALECTS[dialect].addresses[0], json.dumps(changed).encode(), id="an id"))
