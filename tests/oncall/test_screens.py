"""The screens of on-call: what they show, to whom, in how many queries, and what their forms do."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Role, User
from oncall.actions import acknowledge_escalation
from oncall.engine import tick
from oncall.models import ContactMethod, Escalation, EscalationPolicy, Override, Page, PageAttempt, Schedule
from oncall.sending import send_due
from tests.factories import oncall
from tests.factories.accounts import actor, user

pytestmark = pytest.mark.django_db
PLAIN_POLICY = {"name": "Critical", "repeats": "0", "on_exhausted": "stop", "low_urgency": "page"}


def signed_in(role: Role = Role.RESPONDER, **fields: Any) -> tuple[Client, User]:
    person = user(role=role, **fields)
    client = Client()
    client.force_login(person)
    return client, person


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def paging(person: User, **fields: Any) -> Escalation:
    """An escalation that is paging this person now."""
    if not person.contact_methods.exists():
        oncall.contact_method(person)
    escalation = oncall.escalation(oncall.level(person), now=timezone.now(), **fields)
    tick(timezone.now())
    return escalation


def test_on_call_now_shows_every_schedule_with_who_has_it(client: Client) -> None:
    client, ana = signed_in(name="Ana Person")
    oncall.schedule(ana)
    oncall.schedule()
    html = text(client, reverse("oncall:now"))
    assert "Ana Person" in html
    assert "Nobody" in html


def test_on_call_now_asks_as_much_of_the_database_for_ten_schedules_as_for_two() -> None:
    client, ana = signed_in()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            text(client, reverse("oncall:now"))
        return len(captured)

    for _ in range(2):
        oncall.schedule(ana, user())
    text(client, reverse("oncall:now"))
    few = queries()
    for _ in range(8):
        oncall.schedule(ana, user())
    assert queries() == few


def test_an_open_page_is_acknowledged_where_it_is_shown() -> None:
    client, ana = signed_in()
    escalation = paging(ana)
    for address in (reverse("oncall:now"), reverse("oncall:pages")):
        assert reverse("oncall:escalation-acknowledge", args=[escalation.pk]) in text(client, address)
    answer = client.post(
        reverse("oncall:escalation-acknowledge", args=[escalation.pk]), {"next": reverse("oncall:now")}
    )
    assert answer.headers["Location"] == reverse("oncall:now")
    escalation.refresh_from_db()
    assert escalation.acknowledged_by == ana


def test_the_way_back_never_leads_elsewhere() -> None:
    client, ana = signed_in()
    escalation = paging(ana)
    answer = client.post(
        reverse("oncall:escalation-acknowledge", args=[escalation.pk]), {"next": "https://example.com/"}
    )
    assert answer.headers["Location"] == reverse("oncall:escalation", args=[escalation.pk])


def test_an_escalation_shows_its_path_pages_attempts_and_ledger() -> None:
    client, ana = signed_in(name="Ana Person")
    escalation = paging(ana, facts={"service": "payments"})
    html = text(client, reverse("oncall:escalation", args=[escalation.pk]))
    for words in ("payments", "Level 1: paging Ana Person", "At once", "Acknowledge"):
        assert words in html


def test_a_page_that_was_no_longer_needed_is_told_calmly_and_not_as_a_failure() -> None:
    client, ana = signed_in()
    escalation = paging(ana)
    acknowledge_escalation(actor=actor(), escalation=escalation, now=timezone.now())
    # What a sender that was at work meanwhile leaves behind.
    escalation.pages.update(state=Page.State.PENDING)
    send_due(timezone.now())
    html = text(client, reverse("oncall:escalation", args=[escalation.pk]))
    assert "Not sent" in html
    assert "the escalation is acknowledged" in html
    assert "Failed" not in html
    shown = client.get("/api/v1/pages/", {"escalation": escalation.pk}).json()["results"]
    assert [each["outcome"] for page in shown for each in page["attempts"]] == ["not_sent"]
    assert PageAttempt.objects.get().get_outcome_display() == "Not sent"


def test_a_private_escalation_leaves_no_trace_for_others() -> None:
    client, _ = signed_in(Role.OWNER)
    escalation = paging(user(), is_private=True, title="Secret matter")
    assert "Secret matter" not in text(client, reverse("oncall:escalations"))
    for name in ("escalation", "escalation-acknowledge", "escalation-resolve"):
        call = client.get if name == "escalation" else client.post
        assert call(reverse(f"oncall:{name}", args=[escalation.pk])).status_code == 404


def test_the_list_of_escalations_is_filtered_searched_and_sorted() -> None:
    client, ana = signed_in()
    paging(ana, title="Search is slow")
    done = paging(ana, title="Payments are down")
    client.post(reverse("oncall:escalation-resolve", args=[done.pk]))
    html = text(client, reverse("oncall:escalations") + "?status=triggered&q=search&sort=title")
    assert "Search is slow" in html
    assert "Payments are down" not in html


def test_the_calendar_shows_bars_gaps_overrides_and_the_clock_change() -> None:
    client, ana = signed_in(name="Ana Person", time_zone="Asia/Bangkok")
    schedule = oncall.schedule(time_zone="Europe/Berlin", rotations=[oncall.rotation(ana, starts_on=date(2026, 3, 24))])
    Override.objects.create(
        schedule=schedule,
        user=user(name="Bob Person"),
        starts_at=datetime(2026, 3, 25, tzinfo=UTC),
        ends_at=datetime(2026, 3, 26, tzinfo=UTC),
    )
    address = reverse("oncall:schedule", args=[schedule.slug])
    html = text(client, address + "?from=2026-03-16")
    for words in ("23 h", "Ana Person", "Bob Person", "Nobody on call for", "override-stripes"):
        assert words in html, words
    # A bar at the edge leads to its whole shift, not to what is shown of it.
    assert "Thu 26 Mar 01:00 to " in html
    assert "Nobody on call for" not in text(client, address + "?from=2026-03-30")
    assert "Asia/Bangkok" in text(client, address + "?from=2026-03-16&zone=mine")
    assert client.get(address + "?from=nonsense").status_code == 200
    assert client.get(address + "?from=2026-02-31").status_code == 200


def rotation_row(number: int, **fields: Any) -> dict[str, Any]:
    row = {
        "name": "",
        "handovers_weekday": ["0"],
        "handovers_time": ["09:00"],
        "period": "weeks",
        "interval": "1",
        "people_at_once": "1",
        "starts_on": "",
        "layer": "1",
        **fields,
    }
    return {f"rotations-{number}-{name}": value for name, value in row.items()}


def schedule_form(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Primary",
        "slug": "",
        "time_zone": "Europe/Berlin",
        "team": "",
        "description": "",
        "working_days": ["0", "1", "2", "3", "4"],
        "working_from": "09:00",
        "working_until": "17:00",
        "rotations-TOTAL_FORMS": "2",
        "rotations-INITIAL_FORMS": "1",
        **rotation_row(0, name="Weekly", starts_on="2026-01-05"),
        **rotation_row(1),
        **fields,
    }


def test_a_manager_makes_a_schedule_with_people_in_order_and_the_spare_row_stays_empty() -> None:
    client, _ = signed_in(Role.MANAGER)
    ana, bob = user(), user()
    given = schedule_form(**{"rotations-0-members": [bob.pk, ana.pk, ""]})
    answer = client.post(reverse("oncall:schedule-new"), given)
    assert answer.status_code == 302, answer.content.decode()
    rotation = Schedule.objects.get(slug="primary").rotations.get()
    assert [member.user for member in rotation.rotation_members.all()] == [bob, ana]


def test_changing_a_schedule_keeps_adds_and_ends_rotations() -> None:
    client, _ = signed_in(Role.MANAGER)
    ana = user()
    schedule = oncall.schedule(ana)
    kept = schedule.rotations.get()
    given = schedule_form(
        name=schedule.name,
        slug=schedule.slug,
        time_zone="UTC",
        **{
            "rotations-0-rotation_id": kept.pk,
            "rotations-0-members": [ana.pk],
            "rotations-1-name": "Nights",
            "rotations-1-members": [ana.pk],
            "rotations-1-starts_on": "2026-01-05",
        },
    )
    address = reverse("oncall:schedule-edit", args=[schedule.slug])
    assert client.post(address, given).status_code == 302
    assert list(schedule.rotations.order_by("id").values_list("name", flat=True)) == ["Weekly", "Nights"]
    assert schedule.rotations.filter(pk=kept.pk).exists()
    given |= {"rotations-INITIAL_FORMS": "2", "rotations-0-DELETE": "on"}
    given["rotations-1-rotation_id"] = schedule.rotations.get(name="Nights").pk
    assert client.post(address, given).status_code == 302
    assert schedule.rotations.get(effective_until=None).name == "Nights"
    assert schedule.rotations.get(name="Weekly").effective_until is not None


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost() -> None:
    client, _ = signed_in(Role.MANAGER)
    taken = oncall.schedule()
    given = schedule_form(name=taken.name, description="Keep these words", **{"rotations-0-members": [user().pk]})
    html = client.post(reverse("oncall:schedule-new"), given).content.decode()
    assert "is taken" in html
    assert "Keep these words" in html
    html = client.post(reverse("oncall:schedule-new"), schedule_form(slug="new", **given_members())).content.decode()
    assert "taken by Sitrep itself" in html


def given_members() -> dict[str, Any]:
    return {"rotations-0-members": [user().pk]}


def test_only_managers_reach_the_forms() -> None:
    client, ana = signed_in()
    schedule, policy = oncall.schedule(ana), oncall.policy(oncall.level(ana))
    for address in (
        reverse("oncall:schedule-new"),
        reverse("oncall:schedule-edit", args=[schedule.slug]),
        reverse("oncall:policy-new"),
        reverse("oncall:policy-edit", args=[policy.slug]),
    ):
        assert client.get(address).status_code == 403
        assert client.post(address, {}).status_code == 403
        assert address not in text(client, reverse("oncall:schedule", args=[schedule.slug]))


def test_covering_takes_wall_clock_times_of_ones_own_zone_and_can_be_taken_back() -> None:
    client, bob = signed_in(time_zone="Asia/Bangkok")
    schedule = oncall.schedule(user())
    day = timezone.now().date() + timedelta(days=3)
    given = {
        "user": bob.pk,
        "starts_on": day,
        "starts_time": "09:00",
        "ends_on": day,
        "ends_time": "18:00",
        "reason": "A wedding",
    }
    address = reverse("oncall:override-add", args=[schedule.slug])
    assert client.get(address + "?starts_at=2026-01-01T00:00:00%2B00:00&ends_at=nonsense").status_code == 200
    assert client.post(address, given).status_code == 302
    override = Override.objects.get()
    assert override.starts_at == datetime.combine(day, time(2), tzinfo=UTC)
    assert "A wedding" in text(client, reverse("oncall:schedule", args=[schedule.slug]))
    client.post(reverse("oncall:override-remove", args=[schedule.slug, override.pk]))
    assert not Override.objects.exists()


def test_an_override_that_ends_before_it_begins_is_told_at_the_field() -> None:
    client, bob = signed_in()
    given = {"user": bob.pk, "starts_on": "2026-12-02", "starts_time": "09:00", "ends_on": "2026-12-01"}
    address = reverse("oncall:override-add", args=[oncall.schedule().slug])
    html = client.post(address, {**given, "ends_time": "09:00"}).content.decode()
    assert "The end must come after the start." in html


def test_the_ladder_says_in_words_who_each_level_reaches_now() -> None:
    client, ana = signed_in(name="Ana Person")
    oncall.contact_method(ana)
    empty = oncall.schedule()
    policy = oncall.policy(oncall.level(ana), oncall.level(empty), oncall.level(user(name="Eve")), repeats=2)
    html = text(client, reverse("oncall:policy", args=[policy.slug]))
    for words in ("At once", "5 min", "10 min", "Ana Person", "nobody is on call", "no usable contact method"):
        assert words in html, words
    assert "Then 2 times more from the top." in html


def test_a_manager_makes_a_policy_in_the_order_that_the_positions_say() -> None:
    client, _ = signed_in(Role.MANAGER)
    ana, schedule = user(), oncall.schedule(user())
    given = {
        "name": "Critical",
        "slug": "",
        "team": "",
        "description": "",
        "repeats": "1",
        "on_exhausted": "stop",
        "low_urgency": "page",
        "levels-TOTAL_FORMS": "3",
        "levels-INITIAL_FORMS": "0",
        "levels-0-timeout_minutes": "10",
        "levels-0-targets": [f"user:{ana.pk}"],
        "levels-0-answers_needed": "1",
        "levels-0-ORDER": "2",
        "levels-1-timeout_minutes": "5",
        "levels-1-targets": [f"schedule:{schedule.pk}", f"user:{ana.pk}"],
        "levels-1-answers_needed": "1",
        "levels-1-ORDER": "1",
        "levels-2-timeout_minutes": "5",
        "levels-2-targets": [""],
        "levels-2-answers_needed": "1",
        "levels-2-ORDER": "",
    }
    answer = client.post(reverse("oncall:policy-new"), given)
    assert answer.status_code == 302, answer.content.decode()
    levels = list(EscalationPolicy.objects.get(slug="critical").levels.order_by("position"))
    assert [level.timeout_minutes for level in levels] == [5, 10]
    assert [str(target) for target in levels[0].targets.all()] == [schedule.name, ana.name]


def test_a_level_without_a_position_stays_where_it_stands() -> None:
    client, _ = signed_in(Role.MANAGER)
    ana = user()
    given = {**PLAIN_POLICY, "levels-TOTAL_FORMS": "3", "levels-INITIAL_FORMS": "0"}
    for index, (minutes, position) in enumerate([("1", ""), ("2", "2"), ("3", "")]):
        given[f"levels-{index}-timeout_minutes"] = minutes
        given[f"levels-{index}-targets"] = f"user:{ana.pk}"
        given[f"levels-{index}-answers_needed"] = "1"
        given[f"levels-{index}-ORDER"] = position
    client.post(reverse("oncall:policy-new"), given)
    levels = EscalationPolicy.objects.get().levels.order_by("position")
    assert [level.timeout_minutes for level in levels] == [1, 2, 3]


def test_a_policy_without_levels_is_told_what_it_needs() -> None:
    client, _ = signed_in(Role.MANAGER)
    given = {**PLAIN_POLICY, "levels-TOTAL_FORMS": "1", "levels-INITIAL_FORMS": "0"}
    given |= {
        "levels-0-timeout_minutes": "5",
        "levels-0-answers_needed": "1",
        "levels-0-targets": "",
        "levels-0-DELETE": "on",
    }
    assert "needs at least one level" in client.post(reverse("oncall:policy-new"), given).content.decode()


def test_a_person_changes_their_profile_and_how_they_are_reached() -> None:
    client, ana = signed_in()
    profile = reverse("oncall:profile")
    assert "You can't be paged" in text(client, profile)
    given = {"name": "Ana Two", "time_zone": "Asia/Bangkok", "locale": "en"}
    assert client.post(profile, given).headers["Location"] == profile
    ana.refresh_from_db()
    assert (ana.name, ana.time_zone) == ("Ana Two", "Asia/Bangkok")
    client.post(reverse("oncall:contact-method-add"), {"kind": "email", "address": "ana@example.com"})
    ContactMethod.objects.update(verified_at=timezone.now())
    method = ana.contact_methods.get()
    html = client.post(reverse("oncall:contact-method-test", args=[method.pk]), follow=True).content.decode()
    assert "Look whether it arrived." in html
    client.post(reverse("oncall:contact-method-switch", args=[method.pk]), {"enabled": "no"})
    method.refresh_from_db()
    assert not method.is_usable
    client.post(reverse("oncall:contact-method-remove", args=[method.pk]))
    assert not ContactMethod.objects.exists()


def test_a_wrong_address_is_told_at_the_field() -> None:
    client, _ = signed_in()
    given = {"kind": "webhook", "address": "not an address"}
    html = client.post(reverse("oncall:contact-method-add"), given).content.decode()
    assert "A webhook needs an address." in html
    assert 'value="not an address"' in html


def test_the_contact_methods_of_others_are_not_there() -> None:
    client, _ = signed_in(Role.OWNER)
    method = oncall.contact_method(user())
    for verb in ("test", "switch", "remove"):
        assert client.post(reverse(f"oncall:contact-method-{verb}", args=[method.pk])).status_code == 404


def test_kept_mail_is_for_administrators_where_there_is_no_mail_server(settings: Settings, tmp_path: Any) -> None:
    settings.VAR_DIR, settings.MAIL_IS_KEPT = tmp_path, True
    settings.EMAIL_BACKEND = "oncall.mailbox.KeptMailBackend"
    client, owner = signed_in(Role.OWNER)
    oncall.contact_method(owner)
    client.post(reverse("oncall:contact-method-test", args=[owner.contact_methods.get().pk]))
    html = text(client, reverse("oncall:mails"))
    assert "This is a test page" in html
    name = next((tmp_path / "mail").glob("*.eml")).name
    assert "Nothing is wrong" in text(client, reverse("oncall:mail", args=[name]))
    assert client.get(reverse("oncall:mail", args=["absent.eml"])).status_code == 404
    responder, _ = signed_in(Role.MANAGER)
    assert responder.get(reverse("oncall:mails")).status_code == 403
    settings.MAIL_IS_KEPT = False
    assert client.get(reverse("oncall:mails")).status_code == 404


def test_nothing_but_the_answer_page_is_open_without_signing_in(client: Client) -> None:
    for name in ("now", "pages", "schedules", "policies", "escalations", "profile", "mails"):
        answer = client.get(reverse(f"oncall:{name}"))
        assert answer.status_code == 302
        assert "/login/" in answer.headers["Location"]


def test_the_mail_of_somebody_elses_private_page_is_closed_to_administrators(
    settings: Settings, tmp_path: Any, now: datetime
) -> None:
    settings.EMAIL_BACKEND = "oncall.mailbox.KeptMailBackend"
    settings.VAR_DIR, settings.MAIL_IS_KEPT = tmp_path, True
    client, admin = signed_in(Role.OWNER)
    bob = user()
    oncall.contact_method(bob)
    oncall.contact_method(admin)
    oncall.escalation(oncall.level(bob, admin), title="Zebra breach", is_private=True, now=now)
    tick(now)
    send_due(now)
    assert text(client, reverse("oncall:mails")).count("Zebra breach") == 1
    answers = [
        client.get(reverse("oncall:mail", args=[path.name])).status_code for path in (tmp_path / "mail").glob("*.eml")
    ]
    assert sorted(answers) == [200, 404]
