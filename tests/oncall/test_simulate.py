"""A simulation says exactly what the engine does, second by second, and writes nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Role, User
from oncall.engine import tick
from oncall.models import Escalation, EscalationEntry, EscalationPolicy, OnCallProfile, Page
from oncall.simulation import Simulation, simulate
from tests.factories import oncall
from tests.factories.accounts import team, user
from tests.oncall.ladders import MINUTE, NOON, Kind, Rung, ladder, reachable, rule, rung, started

pytestmark = pytest.mark.django_db
Exhausted = EscalationPolicy.Exhausted
LowUrgency = EscalationPolicy.LowUrgency


def seconds(found: Simulation) -> list[tuple[int, int, str, str]]:
    return [(page.seconds, page.level, page.name, page.channel) for page in found.pages]


def test_it_names_each_person_their_channel_and_the_second() -> None:
    ana = reachable("Ana")
    mail, web = ana.contact_methods.get(), oncall.contact_method(ana, "web")
    rule(ana, 0, web)
    rule(ana, 2, mail)
    found = simulate(ladder(rung(ana), rung(reachable("Bob"), minutes=10)), NOON)
    assert seconds(found) == [(0, 1, "Ana", "web"), (120, 1, "Ana", "email"), (300, 2, "Bob", "email")]
    assert (found.outcome, found.ended_at) == ("exhausted", NOON + 15 * MINUTE)


def test_who_is_on_call_is_asked_at_the_second_of_the_level() -> None:
    schedule = oncall.schedule(reachable("Ana"), reachable("Bob"))
    # The handover is on Monday 2026-03-16 at 09:00, between the first and the second level.
    before = datetime(2026, 3, 16, 8, 57, tzinfo=UTC)
    assert [page.name for page in simulate(ladder(rung(schedule), rung(schedule)), before).pages] == ["Bob", "Ana"]


def test_it_says_what_is_skipped_told_and_awaited() -> None:
    chat = {"kind": Kind.CHAT, "name": "#payments", "address": "ntfy://127.0.0.1:1/payments"}
    empty = oncall.schedule()
    policy = ladder(rung(empty), rung(chat), rung(reachable("Ana"), user(name="Eve")))
    told = [(each.kind, each.level, each.text) for each in simulate(policy, NOON).happenings]
    assert told == [
        ("skipped", 1, f"nobody is on call on {empty}"),
        ("told", 2, "#payments"),
        ("missed", 3, "Eve has no usable contact method"),
        ("paged", 3, "Ana"),
        ("exhausted", 0, "Nobody answered: every level was tried"),
    ]


def test_what_is_repeated_for_ever_is_cut_off_and_said_to_go_on() -> None:
    reachable("Zoe", role=Role.ADMINISTRATOR)
    found = simulate(ladder(rung(reachable("Ana")), on_exhausted=Exhausted.ADMINISTRATORS), NOON)
    assert [name for _at, _level, name, _channel in seconds(found)] == ["Ana", "Zoe", "Zoe", "Zoe"]
    assert found.outcome == "goes_on"


def test_low_urgency_waits_and_keeps_quiet_hours() -> None:
    ana = reachable("Ana")
    OnCallProfile.objects.create(user=ana, quiet_from=time(12), quiet_until=time(13))
    policy = ladder(rung(oncall.schedule(ana)), low_urgency=LowUrgency.WORKING_HOURS)
    friday_evening = datetime(2026, 3, 13, 20, tzinfo=UTC)
    found = simulate(policy, friday_evening, urgency="low")
    assert [page.at for page in found.pages] == [datetime(2026, 3, 16, 9, tzinfo=UTC)]
    assert found.happenings[0].kind == "waits"
    assert [page.at for page in simulate(policy, NOON, urgency="low").pages] == [NOON + timedelta(hours=1)]


def test_nothing_is_written_and_the_turn_of_a_round_robin_stays() -> None:
    policy = ladder(rung(reachable("Ana"), reachable("Bob"), is_round_robin=True))
    assert [simulate(policy, NOON).pages[0].name for _ in range(2)] == ["Ana", "Ana"]
    assert not Escalation.objects.exists()
    policy.refresh_from_db()
    assert policy.turn == 0


def statements(people: Sequence[User]) -> int:
    policy = ladder(*(rung(oncall.schedule(person), person) for person in people), repeats=3)
    with CaptureQueriesContext(connection) as captured:
        assert len(simulate(policy, NOON).pages) == 4 * len(people)
    return len(captured)


def test_a_long_ladder_needs_as_many_queries_as_a_short_one() -> None:
    assert statements([reachable()]) == statements([reachable() for _ in range(12)]) <= 16


# --- The same as the engine -------------------------------------------------------------------------------------------

rungs = st.lists(
    st.fixed_dictionaries(
        {
            "who": st.lists(st.sampled_from(["ana", "bob", "eve", "schedule", "empty", "team", "chat"]), max_size=3),
            "minutes": st.sampled_from([0, 1, 5, 30]),
            "is_round_robin": st.booleans(),
            "condition": st.sampled_from(
                [
                    {},
                    {"fact": "severity", "operator": "is", "value": "critical"},
                    {"fact": "hour", "operator": "less", "value": 13},
                    {"fact": "working_hours.primary", "operator": "is", "value": True},
                ]
            ),
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    drawn=rungs,
    repeats=st.integers(0, 2),
    exhausted=st.sampled_from([Exhausted.STOP, Exhausted.MANAGERS, Exhausted.ADMINISTRATORS, Exhausted.POLICY]),
    auto_resolve=st.sampled_from([None, None, 1, 17, 90]),
    urgency=st.sampled_from(["high", "low"]),
    low=st.sampled_from(list(LowUrgency)),
    severity=st.sampled_from(["critical", "warning"]),
    # Three weeks with the change of Berlin's clocks in them.
    at=st.integers(0, 21 * 24 * 60).map(lambda minutes: datetime(2026, 3, 20, tzinfo=UTC) + minutes * MINUTE),
)
def test_the_engine_makes_exactly_the_simulated_pages(
    *,
    drawn: list[dict[str, object]],
    repeats: int,
    exhausted: str,
    auto_resolve: int | None,
    urgency: str,
    low: str,
    severity: str,
    at: datetime,
) -> None:
    policy = make_policy(drawn, repeats=repeats, on_exhausted=exhausted, auto_resolve_minutes=auto_resolve)
    policy.low_urgency = low
    policy.save()
    facts = {"severity": severity}
    found = simulate(policy, at, urgency=urgency, facts=facts)
    escalation = started(policy, at, urgency=urgency, facts=facts)
    end = max((page.at for page in found.pages), default=at)
    for _ in range(1000):
        escalation.refresh_from_db()
        if escalation.due_at is None or (found.outcome == "goes_on" and escalation.due_at > (found.ended_at or end)):
            break
        tick(escalation.due_at)
    made = [
        (page.due_at, page.level + 1, page.round + 1, page.step, page.user_id, page.contact_method_id)
        for page in Page.objects.filter(escalation=escalation)
        if escalation.outcome != "auto_resolved" or page.due_at < (escalation.ended_at or at)
    ]
    said = [(each.at, each.level, each.round, each.step, each.user_id, each.method_id) for each in found.pages]
    assert sorted(made, key=str) == sorted(said, key=str)
    skipped = EscalationEntry.objects.filter(escalation=escalation, kind="skipped").count()
    assert skipped == sum(each.kind in {"skipped", "missed"} for each in found.happenings)
    if found.outcome != "goes_on":
        assert (escalation.outcome, escalation.ended_at) == (found.outcome, found.ended_at)


def make_policy(drawn: list[dict[str, object]], **fields: object) -> EscalationPolicy:
    """Ana has rules and quiet hours, Bob two methods, Eve none; a schedule hands over in Berlin."""
    ana = reachable("Ana", time_zone="Europe/Berlin")
    bob = reachable("Bob", time_zone="Asia/Bangkok", role=Role.MANAGER)
    oncall.contact_method(bob, "web")
    web = oncall.contact_method(ana, "web")
    for minutes, method in ((0, web), (3, ana.contact_methods.get(kind="email")), (8, web)):
        rule(ana, minutes, method)
        rule(ana, minutes * 2, method, urgency="low")
    OnCallProfile.objects.create(user=ana, quiet_from=time(22), quiet_until=time(7), digest_at=time(2, 30))
    schedule = oncall.schedule(ana, bob, time_zone="Europe/Berlin")
    schedule.slug = f"primary-{schedule.pk}"
    schedule.save()
    eve = user(name="Eve", role=Role.ADMINISTRATOR)
    who: dict[str, object] = {
        "ana": ana,
        "bob": bob,
        "eve": eve,
        "schedule": schedule,
        "empty": oncall.schedule(),
        "team": team(bob, eve, ana),
        "chat": {"kind": Kind.CHAT, "name": "#payments", "address": "ntfy://127.0.0.1:1/payments"},
    }
    made: list[Rung] = []
    for level in drawn:
        targets = [who[name] for name in level.pop("who")]  # type: ignore[attr-defined]
        condition = level["condition"]
        assert isinstance(condition, dict)
        if condition.get("fact") == "working_hours.primary":
            level["condition"] = {**condition, "fact": f"working_hours.{schedule.slug}"}
        made.append(rung(*targets, **level))  # type: ignore[arg-type]
    if fields["on_exhausted"] == Exhausted.POLICY:
        fields["next_policy"] = ladder(rung(eve), rung(bob, minutes=7))
    return ladder(*made, team=who["team"], **fields)
