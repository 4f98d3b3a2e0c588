"""What can't be read is counted where its owner sees it, and never in the way of what can."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from alerts.dialects import DIALECTS, address_of, spoken_at
from alerts.models import AlertSource, RawEvent, Rejection
from alerts.receive import Post, accept, posted
from alerts.rejections import MOST_KINDS, OTHERS
from tests.factories import alerts

pytestmark = pytest.mark.django_db


def a_post(source: AlertSource, body: Any, headers: dict[str, str] | None = None) -> Post:
    spoken = spoken_at(address_of(DIALECTS[source.dialect], source.token, source.pk))
    assert spoken is not None
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json; charset=utf-8", **(headers or {})}
    return posted(spoken, headers=headers, query={}, body=sent, request_id=str(uuid4()))


def test_what_is_malformed_is_counted_with_the_newest_as_sample(now: datetime) -> None:
    source = alerts.source()
    accept([a_post(source, {"severity": "first"})], now)
    later = now + timedelta(minutes=3)
    accept([a_post(source, {"severity": "second"}), a_post(source, {"severity": source.token})], later)
    rejection = Rejection.objects.get()
    assert (rejection.reason, rejection.message, rejection.field_name) == ("invalid", "A title is needed.", "title")
    assert (rejection.count, rejection.first_at, rejection.last_at) == (3, now, later)
    assert rejection.content_type == "application/json"
    assert json.loads(bytes(rejection.sample)) == {"severity": "<token>"}
    assert not RawEvent.objects.exists()


def test_what_is_too_large_and_what_is_not_signed_are_counted_too(now: datetime, settings: Settings) -> None:
    signed = alerts.source(dialect="sentry", signing_secret="s3cret")
    accept([a_post(signed, {"data": {}})], now)
    settings.MAX_EVENT_BYTES = 10
    accept([a_post(signed, b"x" * 20)], now)
    assert sorted(Rejection.objects.values_list("reason", flat=True)) == ["bad_signature", "too_large"]


def test_a_body_that_is_too_large_is_counted_wherever_its_token_is(now: datetime, settings: Settings) -> None:
    source = alerts.source(dialect="incidentio")
    settings.MAX_EVENT_BYTES = 10
    [reply] = accept([a_post(source, b"x" * 20, {"authorization": f"Bearer {source.token}"})], now)
    assert (reply.status, Rejection.objects.get().reason) == (413, "too_large")


def test_an_unknown_token_is_nobodys_to_count(now: datetime) -> None:
    source = alerts.source()
    source.token = "unknown"
    accept([a_post(source, {"title": "x"})], now)
    assert not Rejection.objects.exists()


def test_counting_costs_what_is_accepted_nothing(
    now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    source, other = alerts.source(), alerts.source()
    posts = [a_post(source, {"title": "x"}), a_post(source, b"{"), a_post(other, b"{"), a_post(other, b"[]")]
    with django_assert_num_queries(3):
        answers = accept(posts, now)
    assert [answer.status for answer in answers] == [202, 400, 400, 400]
    assert Rejection.objects.count() == 3


def test_a_sender_that_is_wrong_in_ever_new_ways_fills_no_table(now: datetime) -> None:
    source = alerts.source()
    for start in range(0, MOST_KINDS + 40, 10):
        accept([a_post(source, {"title": "x", "status": f"odd {start + n}"}) for n in range(10)], now)
    assert Rejection.objects.count() == MOST_KINDS + 1
    assert Rejection.objects.get(message=OTHERS).count == 40


def test_what_no_text_can_hold_is_counted_all_the_same(now: datetime) -> None:
    source = alerts.source()
    [reply] = accept([a_post(source, b'{"title": "x", "status": "\\u0000\\ud800' + b"y" * 400 + b'"}')], now)
    assert reply.status == 400
    assert len(Rejection.objects.get().message) == 300
