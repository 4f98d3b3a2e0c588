"""Paging tests: promises about paging as data, run from files, stored, and kept by every save."""

from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Role, User
from events.errors import Conflict, Invalid, NotAllowed
from events.models import Event
from oncall.models import ContactMethod, EscalationPolicy, PagingTest, Schedule
from oncall.paging_tests import (
    Unknown,
    _subjects,
    remove_paging_test,
    run_stored,
    run_test,
    save_paging_test,
    subject,
)
from oncall.promises import Promise, moment_of, promise_of
from oncall.rotations import RotationDraft
from oncall.scheduling import save_schedule
from oncall.simulation import Simulation, simulate
from tests.factories import oncall
from tests.factories.accounts import actor, api_key, user
from tests.oncall.ladders import NOON, ladder, reachable, rule, rung

pytestmark = pytest.mark.django_db
SUNDAY = "Sunday 03:00 Europe/Berlin"


def spec(*expect: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A test of the policy `payments-critical` on a Sunday night."""
    return {"name": "Nights", "policy": "payments-critical", "at": SUNDAY, "expect": list(expect), **fields}


def payments(*rungs: Any, **fields: Any) -> EscalationPolicy:
    return ladder(*rungs, name="Payments, critical", slug="payments-critical", **fields)


def by_voice_after(minutes: int) -> User:
    ana = reachable("Ana", email="ana@example.com")
    rule(ana, 0, ana.contact_methods.get())
    rule(ana, minutes, oncall.contact_method(ana, "voice", address="+491511234567"))
    return ana


def broken(given: dict[str, Any]) -> list[str]:
    return list(run_test(given, NOON).broken)


# --- What they say ----------------------------------------------------------------------------------------------------


def test_a_promise_holds_when_the_person_is_paged_in_time_by_that_channel() -> None:
    payments(rung(by_voice_after(3), minutes=10))
    for who in ("ana@example.com", "Ana"):
        assert broken(spec({"pages": who, "within": "5 minutes", "by": "voice"})) == []


@pytest.mark.parametrize(
    ("expectation", "why"),
    [
        ({"pages": "Ana", "within": "2 min", "by": "voice"}, "paged by email after 0:00, by voice after 3:00"),
        ({"pages": "Ana", "by": "sms"}, "expected that Ana is paged by sms, but Ana is paged by email after 0:00"),
        ({"pages": "Bob"}, "expected that Bob is paged, but Bob is not paged (Ana would be)"),
        ({"does_not_page": "Ana"}, "expected that Ana is not paged, but Ana is paged"),
        ({"pages": "Nora"}, "nobody is called Nora"),
        ({"pages": "whoever is on call on nothing"}, "there is no schedule nothing"),
    ],
)
def test_a_broken_promise_says_what_happens_instead(expectation: dict[str, Any], why: str) -> None:
    reachable("Bob")
    payments(rung(by_voice_after(3), minutes=10))
    (line,) = broken(spec(expectation))
    assert why in line


def test_whoever_is_on_call_means_the_person_at_that_instant() -> None:
    schedule = oncall.schedule(reachable("Ana"), reachable("Bob"), time_zone="Europe/Berlin")
    payments(rung(schedule))
    assert broken(spec({"pages": f"whoever is on call on {schedule.slug}", "within": "1 minute"})) == []
    # Monday 09:00 is the handover: on this Sunday Bob is on call.
    assert broken(spec({"pages": "Bob"}, {"does_not_page": "Ana"})) == []


def test_facts_and_urgency_reach_the_conditions() -> None:
    critical = {"fact": "severity", "operator": "is", "value": "critical"}
    payments(rung(reachable("Ana"), condition=critical), rung(reachable("Bob")))
    assert broken(spec({"pages": "Ana"}, facts={"severity": "critical"})) == []
    assert broken(spec({"does_not_page": "Ana"}, facts={"severity": "warning"})) == []


def test_a_policy_that_is_not_there_breaks_the_test() -> None:
    assert broken(spec({"pages": "Ana"})) == ["there is no escalation policy payments-critical"]


def test_an_app_above_registers_subjects_of_its_own() -> None:
    policy = payments(rung(reachable("Ana")))

    @subject("service_of_this_test")
    def of_service(promise: Promise, at: datetime) -> Simulation:
        if promise.value != "checkout":
            raise Unknown(f"there is no service {promise.value}")
        return simulate(policy, at)

    try:
        given = {"name": "x", "service_of_this_test": "checkout", "at": SUNDAY, "expect": [{"pages": "Ana"}]}
        assert broken(given) == []
        assert broken({**given, "service_of_this_test": "search"}) == ["there is no service search"]
    finally:
        del _subjects["service_of_this_test"]


@pytest.mark.parametrize("channel", ContactMethod.Kind.values)
def test_a_promise_may_name_every_way_to_reach_a_person(channel: str) -> None:
    promise = promise_of(spec({"pages": "Ana", "by": channel}), {"policy"})
    assert promise.expect[0].by == channel


@pytest.mark.parametrize(
    ("at", "instant"),
    [
        ("Sunday 03:00 Europe/Berlin", datetime(2026, 3, 15, 2, tzinfo=UTC)),
        ("tuesday 12:00", datetime(2026, 3, 10, 12, tzinfo=UTC)),
        ("Tuesday 11:59 UTC", datetime(2026, 3, 17, 11, 59, tzinfo=UTC)),
        # 02:30 does not exist on the day on which clocks go forward: 03:30 is meant.
        ("2026-03-29 02:30 Europe/Berlin", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-03-29T02:30:00+02:00", datetime(2026, 3, 29, 0, 30, tzinfo=UTC)),
    ],
)
def test_an_instant_is_the_next_such_weekday_or_a_date(at: str, instant: datetime) -> None:
    assert moment_of(promise_of(spec({"pages": "Ana"}, at=at), {"policy"}), NOON) == instant


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": ""}, "needs a name"),
        ({"policy": ""}, "exactly one of payload, policy, service"),
        ({"polices": "x"}, "polices is not known"),
        ({"at": "at night"}, "is no instant"),
        ({"at": "Sunday 03:00 Mars/Olympus"}, "is no instant"),
        ({"urgency": "medium"}, "is not an urgency"),
        ({"facts": ["severity"]}, "facts are names with values"),
        ({"expect": []}, "expects nothing"),
        ({"expect": [{"page": "Ana"}]}, "whom it `pages`"),
        ({"expect": [{"pages": "Ana", "in": "5 min"}]}, "in is not known"),
        ({"expect": [{"pages": "Ana", "within": "soon"}]}, "not a length of time"),
        ({"expect": [{"does_not_page": "Ana", "by": "voise"}]}, "nobody can be paged by 'voise'"),
    ],
)
def test_a_test_that_does_not_follow_the_format_is_refused_by_its_name(change: dict[str, Any], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        run_test({**spec({"pages": "Ana"}), **change}, NOON)


# --- Files ------------------------------------------------------------------------------------------------------------

FILE = """
paging_tests:
  - name: Payments at night
    policy: payments-critical
    at: Sunday 03:00 Europe/Berlin
    expect:
      - {pages: ana@example.com, within: 5 minutes, by: voice}
      - {does_not_page: bob@example.com}
  - name: A fixed instant
    policy: payments-critical
    at: 2026-03-29T02:30:00+02:00
    urgency: low
    expect:
      - pages: ana@example.com
"""


def run_command(path: Path, *arguments: str) -> str:
    output = StringIO()
    call_command("test_paging", str(path), "--now", NOON.isoformat(), *arguments, stdout=output)
    return output.getvalue()


def test_the_command_is_quiet_about_what_holds_and_fails_with_a_line_for_what_does_not(tmp_path: Path) -> None:
    path = tmp_path / "paging-tests.yaml"
    path.write_text(FILE)
    reachable("Bob", email="bob@example.com")
    payments(rung(by_voice_after(3), minutes=10))
    assert run_command(path).splitlines() == [
        "ok      Payments at night (2026-03-15 02:00 UTC)",
        "ok      A fixed instant (2026-03-29 00:30 UTC)",
        "All 2 paging tests hold.",
    ]
    path.write_text(FILE.replace("by: voice", "by: sms"))
    output = StringIO()
    with pytest.raises(CommandError, match="1 of 2 paging tests are broken"):
        call_command("test_paging", str(path), now=NOON, stdout=output)
    assert output.getvalue().startswith(
        "BROKEN  Payments at night (2026-03-15 02:00 UTC): expected that ana@example.com is paged by sms "
        "within 5 minutes, but Ana is paged by email after 0:00"
    )


@pytest.mark.parametrize("text", ["", "a: [", "paging_tests: []", FILE + FILE.replace("paging_tests:", "")])
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "paging-tests.yaml"
    path.write_text(text)
    with pytest.raises(CommandError):
        run_command(path)


def test_a_file_is_stored_and_stored_again_in_the_place_of_the_same_names(tmp_path: Path) -> None:
    path = tmp_path / "paging-tests.yaml"
    path.write_text(FILE)
    payments(rung(by_voice_after(3), minutes=10))
    reachable("Bob", email="bob@example.com")
    for _ in range(2):
        run_command(path, "--store")
    assert list(PagingTest.objects.values_list("name", flat=True)) == ["A fixed instant", "Payments at night"]
    assert [outcome.holds for outcome in run_stored(NOON)] == [True, True]


# --- Stored tests -----------------------------------------------------------------------------------------------------


def stored(name: str = "Nights", **fields: Any) -> PagingTest:
    given = fields.pop("spec", spec({"pages": "Ana"}))
    return save_paging_test(actor=actor(Role.MANAGER), name=name, spec=given, now=NOON, **fields)


def test_only_managers_store_and_remove_tests() -> None:
    with pytest.raises(NotAllowed):
        save_paging_test(actor=actor(), name="Nights", spec=spec({"pages": "Ana"}), now=NOON)
    test = stored()
    with pytest.raises(NotAllowed):
        remove_paging_test(actor=actor(), test=test)
    remove_paging_test(actor=actor(Role.MANAGER), test=test)
    assert not PagingTest.objects.exists()
    published = Event.objects.filter(name__startswith="paging_test.").order_by("id")
    assert list(published.values_list("name", flat=True)) == ["paging_test.created", "paging_test.removed"]


def test_a_name_is_taken_once() -> None:
    stored()
    with pytest.raises(Conflict):
        stored("nights")


def hand_over_to(schedule: Schedule, *members: User, **fields: Any) -> Schedule:
    """Saves the schedule with other people."""
    draft = RotationDraft(members=members, name="Weekly", handovers=[(0, time(9))], starts_on=date(2026, 1, 5))
    return save_schedule(
        actor=actor(Role.MANAGER),
        schedule=schedule,
        name=schedule.name,
        slug=schedule.slug,
        time_zone=schedule.time_zone,
        rotations=[draft],
        now=NOON,
        **fields,
    )


def test_a_save_that_breaks_a_test_is_refused_and_changes_nothing() -> None:
    ana, bob = reachable("Ana"), reachable("Bob")
    schedule = oncall.schedule(ana)
    payments(rung(schedule))
    stored()
    with pytest.raises(Conflict, match="This breaks a paging test: “Nights”: expected that Ana is paged") as refused:
        hand_over_to(schedule, bob)
    assert (refused.value.code, refused.value.field) == ("breaks_paging_tests", "override_reason")


def test_a_save_that_breaks_a_test_is_let_through_with_a_reason_that_is_recorded() -> None:
    ana, bob = reachable("Ana"), reachable("Bob")
    schedule = oncall.schedule(ana)
    payments(rung(schedule))
    test = stored()
    hand_over_to(schedule, bob, override_reason="Ana is on leave for a year")
    event = Event.objects.get(name="paging_test.overridden")
    assert (event.subject_id, event.data["reason"]) == (test.pk, "Ana is on leave for a year")
    # What is broken already holds up no later save.
    hand_over_to(schedule, bob, user(name="Kim"), confirm=True)


def test_a_test_that_is_switched_off_or_does_not_touch_it_holds_up_nobody() -> None:
    ana, bob = reachable("Ana"), reachable("Bob")
    schedule = oncall.schedule(ana)
    payments(rung(ana))
    stored()
    stored("Off", spec=spec({"pages": f"whoever is on call on {schedule.slug}"}), is_active=False)
    hand_over_to(schedule, bob)


def test_a_stored_test_that_nobody_understands_any_more_is_broken_and_no_error() -> None:
    PagingTest.objects.create(name="Old", spec={"machine": "x"})
    (outcome,) = run_stored(NOON)
    assert not outcome.holds


def test_a_change_that_begins_later_breaks_the_test_of_that_time() -> None:
    ana, bob = reachable("Ana"), reachable("Bob")
    schedule = oncall.schedule(ana)
    payments(rung(schedule))
    stored(spec=spec({"pages": "Ana"}, at="2026-04-12 03:00"))
    hand_over_to(schedule, bob, effective_from=NOON + timedelta(days=60))
    with pytest.raises(Conflict):
        hand_over_to(schedule, bob, effective_from=NOON + timedelta(days=30))


def test_saving_a_policy_keeps_its_tests_too_and_a_form_asks_for_a_reason(client: Client) -> None:
    policy = payments(rung(reachable("Ana")), rung(reachable("Bob")))
    stored()
    client.force_login(user(role=Role.MANAGER))
    bob = User.objects.get(name="Bob")
    given = {
        "name": policy.name,
        "slug": policy.slug,
        "repeats": 0,
        "on_exhausted": "stop",
        "low_urgency": "page",
        "levels-TOTAL_FORMS": 1,
        "levels-INITIAL_FORMS": 0,
        "levels-0-timeout_minutes": 5,
        "levels-0-answers_needed": 1,
        "levels-0-targets": [f"user:{bob.pk}"],
    }
    page = client.post(f"/oncall/policies/{policy.slug}/edit/", given)
    assert page.status_code == 200
    assert "This breaks a paging test: “Nights”" in page.content.decode()
    assert policy.levels.count() == 2
    page = client.post(f"/oncall/policies/{policy.slug}/edit/", {**given, "override_reason": "Ana has left"})
    assert page.status_code == 302, page.content.decode()
    assert policy.levels.count() == 1
    assert Event.objects.get(name="paging_test.overridden").data["reason"] == "Ana has left"


def test_the_api_takes_the_reason_too(client: Client) -> None:
    policy = payments(rung(reachable("Ana")))
    bob = reachable("Bob")
    stored()
    key = {"Authorization": f"Bearer {api_key(user(role=Role.MANAGER))}"}
    address, body = (
        f"/api/v1/escalation-policies/{policy.slug}/",
        {"levels": [{"timeout_minutes": 5, "targets": [{"kind": "user", "user": bob.pk}]}]},
    )
    refused = client.patch(address, body, "application/json", headers=key)
    assert (refused.status_code, refused.json()["error"].get("code")) == (409, "breaks_paging_tests"), refused.json()
    body["override_reason"] = "Ana has left"  # type: ignore[assignment]
    assert client.patch(address, body, "application/json", headers=key).status_code == 200
