"""Events that come late, twice or in any order; and keys that begin and end all the time."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from alerts.ingest import process_raw_events
from alerts.later import look_at_held
from alerts.models import Alert, AlertGroup, AlertSource, EarlyEnd, RawEvent
from oncall.models import Escalation
from tests.factories import accounts, alerts, oncall

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def store(source: AlertSource, *events: dict[str, Any], at: datetime = NOW) -> None:
    """Stores events as the door does, one body each."""
    for event in events:
        body = json.dumps({"title": "Disk full", "dedup_key": "disk", **event}).encode()
        RawEvent.objects.create(source=source, received_at=at, due_at=at, body=body)


def send(source: AlertSource, status: str, minute: int, at: datetime = NOW, **event: Any) -> str:
    """Sends one event that its sender dates to that minute of the hour before, and says what became of it."""
    told_at = (NOW - timedelta(hours=1) + minute * MINUTE).isoformat()
    name = "started_at" if status == "firing" else "ended_at"
    store(source, {"status": status, name: told_at, **event}, at=at)
    process_raw_events(at)
    return str(RawEvent.objects.latest("id").outcomes[0]["outcome"])


# --- Late -------------------------------------------------------------------------------------------------------------


def test_what_ended_before_it_is_told_of_never_fires() -> None:
    source = alerts.source()
    assert send(source, "resolved", 5) == "nothing_open"
    assert send(source, "firing", 1) == "late"
    assert not Alert.objects.exists()
    assert send(source, "firing", 6) == "recorded"


def test_an_older_end_ends_no_newer_alert() -> None:
    source = alerts.source()
    send(source, "firing", 3)
    assert send(source, "resolved", 2) == "late"
    assert Alert.objects.firing().exists()
    assert send(source, "resolved", 4) == "resolved"
    assert send(source, "firing", 3) == "late"


def test_an_end_is_compared_with_the_newest_of_the_repeats() -> None:
    source = alerts.source()
    send(source, "firing", 1)
    assert send(source, "firing", 5) == "deduplicated"
    assert send(source, "resolved", 4) == "late"
    assert Alert.objects.firing().exists()


def test_senders_that_date_nothing_are_believed_in_the_order_in_which_they_come() -> None:
    source = alerts.source()
    store(source, {"status": "resolved"}, {}, {"status": "resolved"}, {})
    process_raw_events(NOW)
    assert not EarlyEnd.objects.exists()
    assert Alert.objects.firing().count() == 1


# --- Flapping ---------------------------------------------------------------------------------------------------------


def test_a_key_that_flaps_stays_open_until_it_is_quiet() -> None:
    user = accounts.user()
    oncall.contact_method(user)
    alerts.route(paging="policy", escalation_policy=oncall.policy(oncall.level(user)))
    source = alerts.source()
    at = NOW
    for _ in range(4):
        store(source, {}, at=at)
        store(source, {"status": "resolved"}, at=at)
        process_raw_events(at)
        at += MINUTE
    told = []
    for _ in range(10):
        store(source, {}, {"status": "resolved"}, at=at)
        process_raw_events(at)
        told += [raw.outcomes[0]["outcome"] for raw in RawEvent.objects.order_by("-id")[:2]]
        at += MINUTE
    assert set(told) == {"changed", "deduplicated", "paged"}
    alert = Alert.objects.firing().get()
    assert (alert.held, alert.count, alert.entries.filter(kind="flapping").count()) == ("flapping", 10, 1)
    assert Escalation.objects.count() == 5
    assert look_at_held(at + 8 * MINUTE) == 0
    assert look_at_held(at + 9 * MINUTE) == 1
    alert.refresh_from_db()
    assert alert.status == Alert.Status.RESOLVED
    assert not Escalation.objects.open().exists()


def test_what_flaps_and_fires_again_counts_as_firing() -> None:
    source = alerts.source()
    for _ in range(5):
        store(source, {}, {"status": "resolved"})
    store(source, {})
    process_raw_events(NOW)
    assert look_at_held(NOW + timedelta(days=1)) == 0
    assert (Alert.objects.firing().get().held, Alert.objects.firing().get().due_at) == ("", None)


# --- Any order --------------------------------------------------------------------------------------------------------

# Each key fires and ends in turn, at times of its own; any of it may come twice.
Sent = tuple[str, int]


@st.composite
def sendings(draw: st.DrawFn) -> list[Sent]:
    """What was sent, each once or twice, in any order."""
    events = [(key, time) for key in "ab" for time in range(draw(st.integers(0, 5)))]
    twice = draw(st.lists(st.sampled_from(events), max_size=4)) if events else []
    return draw(st.permutations([*events, *twice]))


class TestAnyOrder(HypothesisTestCase):
    """Any interleaving and doubling of the same events ends in the same state."""

    @settings(max_examples=25, deadline=None)
    @given(sendings(), st.booleans())
    def test_the_newest_event_of_a_key_decides(self, sent: Sequence[Sent], together: bool) -> None:
        source = alerts.source()
        for key, time in sent:
            self.store(source, key, time)
            if not together:
                process_raw_events(NOW)
        process_raw_events(NOW)
        newest = {key: max(time for name, time in sent if name == key) for key, _time in sent}
        # Even times are beginnings, odd ones ends.
        firing = set(Alert.objects.firing().filter(source=source).values_list("dedup_key", flat=True))
        assert firing == {key for key, time in newest.items() if time % 2 == 0}
        outcomes = [raw.outcomes for raw in RawEvent.objects.filter(source=source)]
        assert [len(told) for told in outcomes] == [1] * len(sent), "each event has one outcome"

    @settings(max_examples=12, deadline=None)
    @given(st.permutations([(key, cluster) for key in "123" for cluster in ("eu", "us")] * 2))
    def test_groups_hold_the_same_alerts_in_whatever_order_they_come(self, sent: Sequence[tuple[str, str]]) -> None:
        user = accounts.user()
        oncall.contact_method(user)
        policy = oncall.policy(oncall.level(user))
        source = alerts.source()
        only = {"fact": "source", "operator": "is", "value": source.slug}
        route = alerts.route(only, paging="policy", escalation_policy=policy, group_by=["labels.cluster"])
        store(source, *({"dedup_key": f"{cluster}-{key}", "labels": {"cluster": cluster}} for key, cluster in sent[:6]))
        process_raw_events(NOW)
        store(source, *({"dedup_key": f"{cluster}-{key}", "labels": {"cluster": cluster}} for key, cluster in sent[6:]))
        process_raw_events(NOW)
        groups = {
            group.values["labels.cluster"]: set(group.alerts.values_list("dedup_key", flat=True))
            for group in AlertGroup.objects.filter(route=route)
        }
        assert groups == {cluster: {f"{cluster}-{key}" for key in "123"} for cluster in ("eu", "us")}
        assert Escalation.objects.filter(policy=policy).count() == 2

    def store(self, source: AlertSource, key: str, time: int) -> None:
        at = (NOW - timedelta(hours=1) + time * MINUTE).isoformat()
        status = {"started_at": at} if time % 2 == 0 else {"status": "resolved", "ended_at": at}
        store(source, {"dedup_key": key, **status})
