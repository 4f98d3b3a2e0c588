"""Times are corrected for a reason, in an order that makes sense; durations follow from them."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.actor import Actor
from events.errors import Conflict, Invalid
from events.models import Event
from incidents import actions
from incidents.durations import durations
from incidents.entries import write_entry
from incidents.models import Incident
from incidents.times import set_time
from tests.factories import incidents

MINUTE = timedelta(minutes=1)


@pytest.fixture
def resolved(responder: Actor, now: datetime) -> Incident:
    """Declared at `now`, mitigated after 20 minutes, resolved after 30."""
    incident = incidents.incident(responder, started_at=now - 10 * MINUTE, now=now)
    actions.mitigate_incident(actor=responder, incident=incident, now=now + 20 * MINUTE)
    return actions.resolve_incident(actor=responder, incident=incident, now=now + 30 * MINUTE)


def test_a_time_is_corrected_and_the_timeline_tells_from_what_to_what_and_why(
    responder: Actor, resolved: Incident, now: datetime
) -> None:
    changed = set_time(
        actor=responder, incident=resolved, which="started", value=now - 25 * MINUTE, reason="As logs say", now=now
    )
    assert changed.started_at == now - 25 * MINUTE
    entry = resolved.timeline.latest("sequence")
    assert entry.text == ("set when the impact began: 2026-03-14 09:01 UTC (was 2026-03-14 09:16 UTC): As logs say")
    assert entry.data["from"] == (now - 10 * MINUTE).isoformat()
    assert (entry.data["to"], entry.data["reason"]) == ((now - 25 * MINUTE).isoformat(), "As logs say")
    assert Event.objects.filter(name="incident.time_changed").count() == 1
    set_time(actor=responder, incident=resolved, which="started", value=now - 25 * MINUTE, reason="", now=now)
    assert Event.objects.filter(name="incident.time_changed").count() == 1


@pytest.mark.parametrize(
    "case",
    [
        ("started", 1, "The impact began after it was detected."),
        ("detected", 5, "It was detected after it was declared."),
        ("declared", 31, "It was declared after it was resolved."),
        ("mitigated", 31, "It was mitigated after it was resolved."),
        ("resolved", 19, "It was mitigated after it was resolved."),
        ("resolved", 61, "This can't be in the future."),
        ("acknowledged", -11, "The impact began after it was acknowledged."),
    ],
)
def test_the_broken_rule_is_named(
    responder: Actor, resolved: Incident, now: datetime, case: tuple[str, int, str]
) -> None:
    which, minutes, message = case
    at, later = now + minutes * MINUTE, now + 60 * MINUTE
    with pytest.raises(Invalid) as refused:
        set_time(actor=responder, incident=resolved, which=which, value=at, reason="x", now=later)
    assert refused.value.message == message
    assert refused.value.field == "value"


def test_a_reason_is_needed(responder: Actor, resolved: Incident, now: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        set_time(actor=responder, incident=resolved, which="started", value=None, reason=" ", now=now)
    assert refused.value.field == "reason"


def test_a_year_that_was_typed_wrong_is_refused_everywhere(responder: Actor, resolved: Incident, now: datetime) -> None:
    long_ago = datetime(26, 3, 14, tzinfo=UTC)
    with pytest.raises(Invalid) as refused:
        set_time(actor=responder, incident=resolved, which="started", value=long_ago, reason="Logs", now=now)
    assert (refused.value.field, refused.value.remedy) == ("value", "Look at the year.")
    with pytest.raises(Invalid) as refused:
        incidents.incident(responder, mode="retrospective", started_at=long_ago, now=now)
    assert refused.value.field == "started_at"
    with pytest.raises(Invalid) as refused:
        write_entry(actor=responder, incident=resolved, text="First errors", occurred_at=long_ago, now=now)
    assert refused.value.field == "occurred_at"


def test_what_the_status_says_comes_and_goes_with_it(
    responder: Actor, incident: Incident, resolved: Incident, now: datetime
) -> None:
    for which, of, value in [
        ("resolved", incident, now),
        ("closed", incident, now),
        ("resolved", resolved, None),
        ("mitigated", resolved, None),
        ("declared", resolved, None),
    ]:
        with pytest.raises(Conflict) as refused:
            set_time(actor=responder, incident=of, which=which, value=value, reason="x", now=now + 60 * MINUTE)
        assert refused.value.remedy


def test_saying_when_it_was_mitigated_mitigates_it(responder: Actor, incident: Incident, now: datetime) -> None:
    set_time(actor=responder, incident=incident, which="mitigated", value=now, reason="Forgotten", now=now + MINUTE)
    assert Event.objects.filter(name="incident.mitigated").exists()


def test_durations_leave_out_what_was_paused(now: datetime) -> None:
    times = {
        "started_at": now,
        "detected_at": now + 2 * MINUTE,
        "declared_at": now + 5 * MINUTE,
        "acknowledged_at": now + 6 * MINUTE,
        "mitigated_at": now + 35 * MINUTE,
        "resolved_at": now + 65 * MINUTE,
    }
    pauses = [(now + 30 * MINUTE, now + 45 * MINUTE)]
    assert durations(times, pauses=pauses, now=now + 90 * MINUTE).in_seconds() == {
        "to_detect": 120,
        "to_acknowledge": 60,
        "to_mitigate": 25 * 60,
        "to_resolve": 45 * 60,
        "impact": 30 * 60,
        "lasted": 45 * 60,
    }


def test_what_goes_on_lasts_until_now(now: datetime) -> None:
    found = durations({"declared_at": now}, pauses=[], now=now + 7 * MINUTE).in_seconds()
    assert found == dict.fromkeys(found, None) | {"lasted": 7 * 60}
