"""The rules of a path: conditions, turns, urgency, personal rules, what follows when nobody answers."""

from datetime import UTC, datetime, time, timedelta

import pytest

from accounts.models import Membership, Role, Team, User
from events.models import Event
from oncall.actions import acknowledge_escalation
from oncall.engine import tick
from oncall.models import Escalation, EscalationPolicy, OnCallProfile
from oncall.targets import _owners, resolves_service_owner
from tests.factories import oncall
from tests.factories.accounts import actor, team, user
from tests.oncall.ladders import MINUTE, NOON, Kind, ladder, ledger, paged, reachable, rule, rung, running, started

pytestmark = pytest.mark.django_db
Exhausted = EscalationPolicy.Exhausted
LowUrgency = EscalationPolicy.LowUrgency


def walk(escalation: Escalation, minutes: int, *, since: datetime = NOON) -> None:
    """Lets the engine do its round each minute."""
    for minute in range(minutes + 1):
        tick(since + minute * MINUTE)
    escalation.refresh_from_db()


# --- Conditions -------------------------------------------------------------------------------------------------------


def test_a_level_whose_condition_does_not_hold_is_passed_over_at_once() -> None:
    only_critical = {"fact": "severity", "operator": "is", "value": "critical"}
    policy = ladder(rung(reachable("Ana"), condition=only_critical), rung(reachable("Bob")))
    assert paged(running(policy, facts={"severity": "warning"})) == [(2, "Bob")]
    assert paged(running(policy, facts={"severity": "critical"})) == [(1, "Ana")]


def test_a_level_may_ask_for_urgency_weekday_hour_and_the_working_hours_of_a_schedule() -> None:
    schedule = oncall.schedule(reachable("Ana"), time_zone="Asia/Bangkok")
    in_hours = {"fact": f"working_hours.{schedule.slug}", "operator": "is", "value": True}
    policy = ladder(rung(schedule, condition=in_hours), rung(reachable("Bob")))
    monday_in_bangkok = datetime(2026, 3, 9, 3, tzinfo=UTC)
    assert paged(running(policy, monday_in_bangkok)) == [(1, "Ana")]
    assert paged(running(policy, monday_in_bangkok + timedelta(hours=8))) == [(2, "Bob")]
    tuesday_evening = {
        "all": [
            {"fact": "weekday", "operator": "is", "value": "tuesday"},
            {"fact": "hour", "operator": "greater", "value": 18},
            {"fact": "urgency", "operator": "is", "value": "high"},
        ]
    }
    policy = ladder(rung(schedule, condition=tuesday_evening), rung(reachable("Dan")))
    # The clock of the conditions is that of the first schedule: 19:00 in Bangkok.
    assert paged(running(policy, NOON)) == [(1, "Ana")]
    assert paged(running(policy, NOON, urgency="low")) == [(2, "Dan")]


# --- Turns ------------------------------------------------------------------------------------------------------------


def test_round_robin_pages_one_of_a_level_and_another_with_each_escalation() -> None:
    policy = ladder(rung(reachable("Ana"), reachable("Bob"), reachable("Dan"), is_round_robin=True))
    assert [paged(running(policy))[0][1] for _ in range(4)] == ["Ana", "Bob", "Dan", "Ana"]


def test_round_robin_moves_on_within_an_escalation_that_is_repeated() -> None:
    policy = ladder(rung(team(reachable("Ana"), reachable("Bob")), is_round_robin=True), repeats=2)
    escalation = running(policy)
    walk(escalation, 15)
    assert [name for _level, name in paged(escalation)] == ["Ana", "Bob", "Ana"]


def test_round_robin_leaves_out_whom_it_can_not_reach() -> None:
    policy = ladder(rung(reachable("Ana"), user(name="Eve"), reachable("Dan"), is_round_robin=True))
    assert [paged(running(policy))[0][1] for _ in range(3)] == ["Ana", "Dan", "Ana"]


# --- Targets ----------------------------------------------------------------------------------------------------------


def test_a_team_is_paged_with_everybody_in_it() -> None:
    assert paged(running(ladder(rung(team(reachable("Ana"), reachable("Bob")))))) == [(1, "Ana"), (1, "Bob")]


def test_the_owner_of_the_service_is_whoever_an_app_above_says() -> None:
    payments = team(reachable("Ana"), name="Payments")

    def owner(facts: dict[str, str]) -> Team | None:
        return payments if facts.get("service") == "payments-of-this-test" else None

    resolves_service_owner(owner)  # type: ignore[arg-type]  # facts are text here
    policy = ladder(rung({"kind": Kind.SERVICE_OWNER}), rung(reachable("Bob")))
    try:
        assert paged(running(policy, facts={"service": "payments-of-this-test"})) == [(1, "Ana")]
        lost = running(policy, facts={"service": "unknown"})
    finally:
        _owners.remove(owner)  # type: ignore[arg-type]
    assert paged(lost) == [(2, "Bob")]
    assert "it is not known who owns the service" in ledger(lost)[1]


def test_a_level_that_only_tells_a_chat_waits_but_asks_nobody() -> None:
    chat = {"kind": Kind.CHAT, "name": "#payments", "address": "ntfy://127.0.0.1:1/payments"}
    escalation = running(ladder(rung(chat), rung(reachable("Ana"))))
    assert paged(escalation) == []
    assert ledger(escalation)[1] == "Level 1: telling #payments"
    assert escalation.due_at == NOON + 5 * MINUTE
    assert Event.objects.filter(name="escalation.told", subject_id=escalation.pk).exists()
    walk(escalation, 5)
    assert paged(escalation) == [(2, "Ana")]


# --- What happens in the end ------------------------------------------------------------------------------------------


def test_when_nobody_answers_the_next_policy_goes_on_and_each_level_is_frozen_from_the_start() -> None:
    last = ladder(rung(reachable("Dan")), name="Last resort")
    policy = ladder(rung(reachable("Ana")), repeats=1, on_exhausted=Exhausted.POLICY, next_policy=last)
    escalation = running(policy)
    walk(escalation, 20)
    assert paged(escalation) == [(1, "Ana"), (1, "Ana"), (2, "Dan")]
    assert escalation.status == Escalation.Status.EXHAUSTED


def test_policies_that_follow_each_other_in_a_circle_end_after_one_turn() -> None:
    first, second = ladder(rung(reachable("Ana"))), ladder(rung(reachable("Bob")))
    for policy, following in ((first, second), (second, first)):
        policy.on_exhausted, policy.next_policy = Exhausted.POLICY, following
        policy.save()
    escalation = running(first)
    walk(escalation, 20)
    assert paged(escalation) == [(1, "Ana"), (2, "Bob")]


def test_the_managers_of_the_policys_team_are_paged_when_nobody_answers() -> None:
    boss = reachable("Mia")
    payments = team(reachable("Ana"))
    Membership.objects.create(team=payments, user=boss, role=Membership.TeamRole.MANAGER)
    escalation = running(ladder(rung(reachable("Bob")), team=payments, on_exhausted=Exhausted.MANAGERS))
    walk(escalation, 30)
    assert paged(escalation) == [(1, "Bob"), (2, "Mia")]
    assert escalation.status == Escalation.Status.EXHAUSTED


def test_without_managers_of_the_team_everybody_with_the_role_is_paged() -> None:
    reachable("Mia", role=Role.MANAGER)
    escalation = running(ladder(rung(reachable("Bob")), team=team(), on_exhausted=Exhausted.MANAGERS))
    walk(escalation, 5)
    assert paged(escalation) == [(1, "Bob"), (2, "Mia")]


def test_the_administrators_are_paged_until_somebody_answers() -> None:
    admin = reachable("Zoe", role=Role.ADMINISTRATOR)
    escalation = running(ladder(rung(reachable("Ana")), on_exhausted=Exhausted.ADMINISTRATORS))
    walk(escalation, 45)
    assert paged(escalation) == [(1, "Ana"), (2, "Zoe"), (2, "Zoe"), (2, "Zoe"), (2, "Zoe"), (2, "Zoe")]
    assert escalation.status == Escalation.Status.TRIGGERED
    acknowledge_escalation(actor=actor(), escalation=escalation, now=NOON + 46 * MINUTE)
    walk(escalation, 60)
    assert escalation.pages.filter(user=admin).values("round").distinct().count() == 5


def test_an_escalation_ends_by_itself_after_the_time_that_its_policy_sets() -> None:
    escalation = running(ladder(rung(reachable("Ana")), repeats=20, auto_resolve_minutes=12))
    walk(escalation, 12)
    assert (escalation.status, escalation.outcome) == ("resolved", "auto_resolved")
    assert escalation.ended_at == NOON + 12 * MINUTE


# --- Silence after an acknowledgement ---------------------------------------------------------------------------------


def test_acknowledged_and_silent_it_pages_the_same_level_again() -> None:
    policy = ladder(rung(reachable("Ana")), rung(reachable("Bob")), acknowledgement_timeout_minutes=10)
    escalation = running(policy)
    walk(escalation, 5)
    acknowledge_escalation(actor=actor(), escalation=escalation, now=NOON + 6 * MINUTE)
    walk(escalation, 15)
    assert paged(escalation) == [(1, "Ana"), (2, "Bob")]
    walk(escalation, 16)
    assert paged(escalation) == [(1, "Ana"), (2, "Bob"), (2, "Bob")]
    assert "Paging again: nothing followed the acknowledgement" in ledger(escalation)


def test_acknowledged_after_it_was_exhausted_and_silent_it_pages_the_last_level_again() -> None:
    policy = ladder(rung(reachable("Ana")), rung(reachable("Bob")), acknowledgement_timeout_minutes=10)
    escalation = running(policy)
    walk(escalation, 10)
    assert escalation.status == Escalation.Status.EXHAUSTED
    acknowledge_escalation(actor=actor(), escalation=escalation, now=NOON + 20 * MINUTE)
    walk(escalation, 30)
    assert paged(escalation) == [(1, "Ana"), (2, "Bob"), (2, "Bob")]
    assert escalation.status == Escalation.Status.TRIGGERED


# --- Urgency and personal rules ---------------------------------------------------------------------------------------


def due_times(escalation: Escalation) -> list[tuple[str, datetime]]:
    return list(escalation.pages.order_by("due_at", "step").values_list("channel", "due_at"))


def test_a_person_is_paged_by_their_rules_each_step_at_its_time() -> None:
    ana = reachable()
    web = oncall.contact_method(ana, "web")
    mail = ana.contact_methods.get(kind="email")
    rule(ana, 0, web)
    rule(ana, 2, mail)
    rule(ana, 5, web)
    escalation = running(ladder(rung(ana, minutes=10)))
    expected = [("web", NOON), ("email", NOON + 2 * MINUTE), ("web", NOON + 5 * MINUTE)]
    assert due_times(escalation) == expected


def test_a_rule_through_a_method_that_broke_is_left_out_and_without_any_all_methods_are_used() -> None:
    ana = reachable()
    web = oncall.contact_method(ana, "web")
    rule(ana, 0, web)
    web.broken_reason = "gone"
    web.save()
    assert due_times(running(ladder(rung(ana)))) == [("email", NOON)]


def test_the_rules_of_the_urgency_count() -> None:
    ana = reachable()
    rule(ana, 0, ana.contact_methods.get(), urgency="high")
    rule(ana, 30, ana.contact_methods.get(), urgency="low")
    assert due_times(running(ladder(rung(ana)), urgency="low")) == [("email", NOON + 30 * MINUTE)]


@pytest.mark.parametrize(
    ("quiet", "due"),
    [
        ((time(9), time(14)), NOON + timedelta(hours=1)),
        ((time(23), time(7)), NOON),
        ((time(13), time(7)), NOON + timedelta(hours=18)),
    ],
)
def test_low_urgency_keeps_quiet_hours_in_the_persons_own_zone(quiet: tuple[time, time], due: datetime) -> None:
    ana = reachable(time_zone="Europe/Berlin")
    OnCallProfile.objects.create(user=ana, quiet_from=quiet[0], quiet_until=quiet[1])
    policy = ladder(rung(ana))
    assert due_times(running(policy, urgency="low")) == [("email", due)]
    assert due_times(running(policy)) == [("email", NOON)]


def test_low_urgency_waits_for_the_working_hours_of_the_schedule_where_the_policy_says_so() -> None:
    schedule = oncall.schedule(reachable("Ana"), time_zone="Europe/Berlin")
    policy = ladder(rung(schedule), low_urgency=LowUrgency.WORKING_HOURS)
    friday_evening = datetime(2026, 3, 13, 20, tzinfo=UTC)
    assert started(policy, friday_evening, urgency="low").due_at == datetime(2026, 3, 16, 8, tzinfo=UTC)
    assert started(policy, friday_evening).due_at == friday_evening
    assert started(policy, NOON, urgency="low").due_at == NOON


def test_low_urgency_in_a_digest_waits_for_each_persons_time_of_day() -> None:
    ana, bob = reachable(time_zone="Europe/Berlin"), reachable("Bob", time_zone="Asia/Bangkok")
    OnCallProfile.objects.create(user=bob, digest_at=time(20))
    escalation = running(ladder(rung(ana, bob), low_urgency=LowUrgency.DIGEST), urgency="low")
    tomorrow_at_nine = datetime(2026, 3, 11, 8, tzinfo=UTC)
    assert due_times(escalation) == [("email", datetime(2026, 3, 10, 13, tzinfo=UTC)), ("email", tomorrow_at_nine)]


# --- A path that can't be walked --------------------------------------------------------------------------------------


def test_one_escalation_that_can_not_be_walked_holds_up_nobody_else() -> None:
    good, bad = started(ladder(rung(reachable("Ana")))), started(ladder(rung(reachable("Bob"))))
    Escalation.objects.filter(pk=bad.pk).update(path={**bad.path, "zone": "No/Such_Zone"})
    assert tick(NOON) == 2
    assert (paged(good), paged(bad)) == ([(1, "Ana")], [])
    assert "could not be walked" in ledger(bad)[1]
    assert Event.objects.filter(name="escalation.stuck", subject_id=bad.pk).exists()
    bad.refresh_from_db()
    assert (bad.status, bad.due_at) == ("triggered", NOON + MINUTE)


def test_a_person_whose_zone_is_unknown_is_paged_all_the_same() -> None:
    ana = reachable()
    User.objects.filter(pk=ana.pk).update(time_zone="Mars/Olympus")
    assert paged(running(ladder(rung(ana)), urgency="low")) == [(1, "Ana")]
