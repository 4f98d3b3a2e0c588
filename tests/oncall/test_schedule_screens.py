"""The screens of schedules: the editor and its preview, calendars, cover, swaps, leave, shadows, feeds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from oncall.forms.cover import SwapForm
from oncall.models import CalendarFeed, CoverRequest, ImportedCalendar, Leave, Override, Schedule, Shadow, Substitution
from tests.factories import oncall
from tests.factories.accounts import user
from tests.oncall.test_screens import rotation_row, schedule_form, signed_in, text

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def stretch(start: datetime, end: datetime) -> dict[str, Any]:
    return {
        "starts_on": f"{start:%Y-%m-%d}",
        "starts_time": f"{start:%H:%M}",
        "ends_on": f"{end:%Y-%m-%d}",
        "ends_time": f"{end:%H:%M}",
    }


def edited(schedule: Schedule, *people: User, **fields: Any) -> dict[str, Any]:
    """What the editor sends for a schedule of one rotation."""
    row = {"name": "Weekly", "starts_on": "2026-01-05", "members": [person.pk for person in people]}
    named = {"name": schedule.name, "slug": schedule.slug, "time_zone": "UTC"}
    return schedule_form(
        **named,
        **rotation_row(0, **row, rotation_id=schedule.rotations.latest("id").pk, **fields.pop("row", {})),
        **fields,
    )


def test_the_preview_shows_six_weeks_and_what_would_change_and_stores_nothing() -> None:
    client, _ = signed_in(Role.MANAGER)
    ana, bob = user(name="Ana Person"), user(name="Bob Person")
    schedule = oncall.schedule(ana)
    address = reverse("oncall:schedule-preview", args=[schedule.slug])
    html = client.post(address, edited(schedule, bob)).content.decode()
    assert "Bob Person instead of Ana Person" in html
    assert "rota-lane" in html
    html = client.post(address, edited(schedule, ana)).content.decode()
    assert "Nothing: the same people" in html
    html = client.post(address, edited(schedule, ana, row={"active_weekdays": ["0"]})).content.decode()
    assert "hours with nobody on call" in html
    assert "Fill in a name" in client.post(address, edited(schedule)).content.decode()
    wrong = edited(schedule, ana, row={"people_at_once": "2"})
    assert "1 people for 2 at once" in client.post(address, wrong).content.decode()
    assert [member.user for member in schedule.rotations.get().rotation_members.all()] == [ana]
    assert signed_in()[0].post(address, edited(schedule, bob)).status_code == 403


def test_a_new_schedule_is_previewed_before_it_is_there() -> None:
    client, _ = signed_in(Role.MANAGER)
    given = schedule_form(**{"rotations-0-members": [user(name="Ana Person").pk]})
    assert "Ana Person" in client.post(reverse("oncall:schedule-new-preview"), given).content.decode()
    assert not Schedule.objects.exists()


def test_what_leaves_new_gaps_is_asked_again_and_nothing_typed_is_lost() -> None:
    client, _ = signed_in(Role.MANAGER)
    ana = user()
    schedule = oncall.schedule(ana)
    address = reverse("oncall:schedule-edit", args=[schedule.slug])
    given = edited(schedule, ana, description="Keep these words", row={"active_weekdays": ["0", "1"]})
    answer = client.post(address, given)
    html = answer.content.decode()
    assert answer.status_code == 200
    for words in ("Nobody would be on call", 'name="confirm"', "Keep these words"):
        assert words in html, words
    assert client.post(address, {**given, "confirm": "on"}).status_code == 302
    assert schedule.rotations.get(effective_until=None).active_weekdays == [0, 1]


def test_what_leaves_one_fewer_than_wanted_is_shown_while_one_writes_and_asked_again() -> None:
    client, _ = signed_in(Role.MANAGER)
    ana, bob = user(name="Ana"), user(name="Bob")
    schedule = oncall.schedule(bob)
    begin = timezone.now() + timedelta(days=1)
    stands_in = {"user": ana, "replaces": bob, "starts_at": begin, "ends_at": begin + timedelta(hours=8)}
    Override.objects.create(schedule=schedule, **stands_in)
    given = edited(schedule, ana, bob, row={"people_at_once": "2"})
    words = "only Ana; who comes in for Bob is on call anyway"
    shown = client.post(reverse("oncall:schedule-preview", args=[schedule.slug]), given).content.decode()
    assert words in shown
    assert "with fewer than wanted" in shown
    asked = client.post(reverse("oncall:schedule-edit", args=[schedule.slug]), given).content.decode()
    for part in (words, 'name="confirm"'):
        assert part in asked, part
    confirmed = client.post(reverse("oncall:schedule-edit", args=[schedule.slug]), {**given, "confirm": "on"})
    assert confirmed.status_code == 302


def test_a_change_holds_from_the_date_that_is_chosen_in_the_schedules_zone() -> None:
    client, _ = signed_in(Role.MANAGER)
    ana, bob = user(), user()
    schedule = oncall.schedule(ana)
    address = reverse("oncall:schedule-edit", args=[schedule.slug])
    html = client.post(address, edited(schedule, bob, starts="date")).content.decode()
    assert "Choose the date." in html
    day = timezone.now().date() + timedelta(days=10)
    given = edited(schedule, bob, starts="date", on=f"{day}", at="09:00")
    assert client.post(address, given).status_code == 302
    assert schedule.rotations.latest("id").effective_from == datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    given = edited(schedule, ana, starts="always")
    assert client.post(address, given).status_code == 302
    assert schedule.rotations.count() == 2


def test_somebody_elses_change_is_not_overwritten() -> None:
    client, _ = signed_in(Role.MANAGER)
    ana = user()
    schedule = oncall.schedule(ana)
    address = reverse("oncall:schedule-edit", args=[schedule.slug])
    html = client.post(address, edited(schedule, ana, stamp="0123456789abcdef")).content.decode()
    assert "Somebody has changed this schedule meanwhile." in html


def test_several_handovers_and_every_choice_come_back_in_the_editor() -> None:
    client, _ = signed_in(Role.MANAGER)
    ana, bob = user(), user()
    row = {"handovers_weekday": ["0", "4", "2"], "handovers_time": ["09:00", "17:00", ""], "people_at_once": "2"}
    row |= {"active_from": "08:00", "active_until": "20:00", "ends_on": "2030-12-31", "active_weekdays": ["0", "4"]}
    given = schedule_form(**{"rotations-0-members": [ana.pk, bob.pk]}, **rotation_row(0, name="Weekly"))
    given |= rotation_row(0, name="Weekly", starts_on="2026-01-05", members=[ana.pk, bob.pk], **row)
    assert client.post(reverse("oncall:schedule-new"), given).status_code == 302
    rotation = Schedule.objects.get().rotations.get()
    assert rotation.handovers == [{"weekday": 0, "time": "09:00"}, {"weekday": 4, "time": "17:00"}]
    html = text(client, reverse("oncall:schedule-edit", args=["primary"]))
    for words in ('value="17:00"', 'value="20:00"', 'value="2030-12-31"'):
        assert words in html, words


def test_the_calendar_is_of_a_day_two_weeks_or_a_month() -> None:
    client, ana = signed_in(name="Ana Person")
    schedule = oncall.schedule(ana, time_zone="Europe/Berlin")
    address = reverse("oncall:schedule", args=[schedule.slug])
    day = text(client, address + "?span=day&from=2026-10-25")
    assert day.count("<strong>02</strong>") == 2
    assert "25 h" in day
    assert "31 Oct 2026" in text(client, address + "?span=month&from=2026-10-25")
    assert "7 Nov 2026" in text(client, address + "?from=2026-10-25")
    for odd in ("?span=year", "?from=0001-01-01", "?from=9999-12-31&span=month", "?span=day&from=x"):
        assert client.get(address + odd).status_code == 200, odd


def test_the_page_of_a_schedule_asks_as_much_of_the_database_with_more_on_it() -> None:
    client, viewer = signed_in()
    people = [user() for _ in range(4)]
    schedule = oncall.schedule(*people)
    now, counts = timezone.now(), []
    address = reverse("oncall:schedule", args=[schedule.slug])
    client.get(address)
    for _ in range(2):
        for person in people:
            times = {"starts_at": now + DAY, "ends_at": now + 2 * DAY}
            Override.objects.create(schedule=schedule, user=person, replaces=people[0], **times)
            Shadow.objects.create(schedule=schedule, user=viewer, follows=person, **times)
            Leave.objects.create(user=person, **times)
            CoverRequest.objects.create(schedule=schedule, user=person, created_at=now, **times)
            series = schedule.rotations.get().series
            Substitution.objects.create(schedule=schedule, series=series, anchor=now, going=person, coming=viewer)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_cover_is_asked_for_seen_and_taken() -> None:
    client, ana = signed_in(name="Ana Person")
    schedule, bob = oncall.schedule(ana), user(name="Bob Person")
    start = timezone.now().replace(hour=9, minute=0) + 3 * DAY
    address = reverse("oncall:cover-new", args=[schedule.slug])
    assert "Ask for cover" in text(client, address + "?starts_at=2026-01-01T00:00:00%2B00:00")
    given = {"user": ana.pk, "asked": [bob.pk, ""], "note": "Dentist", **stretch(start, start + DAY)}
    assert client.post(address, given).status_code == 302
    cover = CoverRequest.objects.get()
    others = Client()
    others.force_login(bob)
    for page in (reverse("home"), reverse("oncall:covers"), reverse("oncall:cover", args=[cover.pk])):
        html = others.get(page).content.decode()
        assert "Dentist" in html, page
        assert reverse("oncall:cover-accept", args=[cover.pk]) in html, page
    assert "asks for cover" in text(client, reverse("oncall:schedule", args=[schedule.slug]))
    others.post(reverse("oncall:cover-accept", args=[cover.pk]))
    assert Override.objects.get().replaces == ana
    html = text(client, reverse("oncall:cover", args=[cover.pk]))
    assert "Bob Person" in html
    assert reverse("oncall:cover-withdraw", args=[cover.pk]) not in html


def test_cover_is_declined_and_withdrawn() -> None:
    client, ana = signed_in()
    bob, _other = user(), user()
    now = timezone.now()
    request = oncall.schedule(ana).cover_requests.create(
        user=ana, created_at=now, starts_at=now + DAY, ends_at=now + 2 * DAY
    )
    others = Client()
    others.force_login(bob)
    assert others.post(reverse("oncall:cover-decline", args=[request.pk])).status_code == 302
    assert request.refusals.get().user == bob
    assert client.post(reverse("oncall:cover-withdraw", args=[request.pk])).status_code == 302
    request.refresh_from_db()
    assert request.status == "withdrawn"
    viewer, _ = signed_in(Role.VIEWER)
    assert viewer.get(reverse("oncall:cover-new", args=[request.schedule.slug])).status_code == 403


def test_two_turns_are_swapped_from_the_coming_ones_and_given_back() -> None:
    client, ana = signed_in(name="Ana Person")
    bob = user(name="Bob Person")
    schedule = oncall.schedule(ana, bob)
    address = reverse("oncall:swap-new", args=[schedule.slug])
    form = client.get(address).context["form"]
    mine, theirs = form.fields["given"].choices[1][0], form.fields["taken"].choices[1][0]
    assert mine.startswith(SwapForm.key(ana.pk, timezone.now())[: len(str(ana.pk)) + 1])
    assert client.post(address, {"given": mine, "taken": theirs, "reason": "Wedding"}).status_code == 302
    half = Substitution.objects.first()
    assert half is not None
    html = text(client, reverse("oncall:schedule", args=[schedule.slug]))
    assert "has Bob Person's turn" in html
    client.post(reverse("oncall:swap-undo", args=[schedule.slug, half.swap]))
    assert not Substitution.objects.exists()
    assert "Choose a turn" in client.post(address, {"given": "", "taken": theirs}).content.decode()


def test_leave_is_entered_shown_as_a_conflict_and_removed() -> None:
    client, ana = signed_in(name="Ana Person")
    schedule = oncall.schedule(ana)
    start = timezone.now() + DAY
    given = {"user": ana.pk, "reason": "Sea", **stretch(start, start + 2 * DAY)}
    assert client.post(reverse("oncall:leave"), given).status_code == 302
    leave = Leave.objects.get()
    assert "Sea" in text(client, reverse("oncall:leave"))
    assert "Ana Person is away" in text(client, reverse("oncall:schedule", args=[schedule.slug]))
    assert client.post(reverse("oncall:leave"), {**given, "user": user().pk}).status_code == 200
    client.post(reverse("oncall:leave-remove", args=[leave.pk]))
    assert not Leave.objects.exists()


def test_somebody_shadows_and_stops() -> None:
    client, bob = signed_in(name="Bob Person")
    schedule = oncall.schedule(user())
    start = timezone.now() + DAY
    address = reverse("oncall:shadow-new", args=[schedule.slug])
    assert client.get(address).status_code == 200
    assert client.post(address, {"user": bob.pk, "follows": "", **stretch(start, start + DAY)}).status_code == 302
    shadow = Shadow.objects.get()
    assert "shadows whoever is on call" in text(client, reverse("oncall:schedule", args=[schedule.slug]))
    client.post(reverse("oncall:shadow-remove", args=[schedule.slug, shadow.pk]))
    assert not Shadow.objects.exists()


def test_an_override_for_one_person_begins_with_what_the_bar_says() -> None:
    client, bob = signed_in(name="Bob Person")
    ana = user(name="Ana Person")
    schedule = oncall.schedule(ana)
    start = timezone.now().replace(minute=0) + DAY
    asked = f"?starts_at={start:%Y-%m-%dT%H:%M}Z&ends_at={start + DAY:%Y-%m-%dT%H:%M}Z&replaces={ana.pk}"
    address = reverse("oncall:override-add", args=[schedule.slug])
    assert f'<option value="{ana.pk}" selected>' in text(client, address + asked)
    given = {"user": bob.pk, "replaces": ana.pk, "reason": "", **stretch(start, start + DAY)}
    assert client.post(address, given).status_code == 302
    assert Override.objects.get().replaces == ana


def test_holidays_of_the_schedules_country_stand_over_their_days() -> None:
    client, _ = signed_in()
    schedule = oncall.schedule(user(), country="DE", time_zone="Europe/Berlin")
    address = reverse("oncall:schedule", args=[schedule.slug])
    for span in ("", "&span=month"):
        shown = text(client, f"{address}?from=2026-12-21{span}")
        assert shown.count('title="Christmas Day"') == 1
    abroad = reverse("oncall:schedule", args=[oncall.schedule(user()).slug])
    assert "Christmas Day" not in text(client, f"{abroad}?from=2026-12-21")


def test_what_opens_from_a_calendar_speaks_in_its_zone() -> None:
    client, bob = signed_in(Role.MANAGER, name="Bob Person")
    bob.time_zone = "Asia/Bangkok"
    bob.save()
    schedule = oncall.schedule(user(), user(), time_zone="Europe/Berlin")
    address = reverse("oncall:schedule", args=[schedule.slug])
    for query, shown, zone in (("", "schedule", "Europe/Berlin"), ("?zone=mine", "mine", "Asia/Bangkok")):
        assert f"/overrides/new/?zone={shown}" in text(client, address + query)
        for name in ("override-add", "cover-new", "shadow-new", "swap-new"):
            opened = reverse(f"oncall:{name}", args=[schedule.slug])
            assert zone in text(client, f"{opened}?zone={shown}"), name
    begin = datetime(2030, 7, 1, 9, tzinfo=UTC)
    given = {"user": bob.pk, "reason": "", **stretch(begin, begin + DAY)}
    client.post(reverse("oncall:override-add", args=[schedule.slug]) + "?zone=schedule", given)
    assert Override.objects.get().starts_at == begin - timedelta(hours=2)


def test_taking_an_override_away_that_leaves_a_gap_is_asked_again() -> None:
    client, bob = signed_in()
    schedule, now = oncall.schedule(), timezone.now()
    override = Override.objects.create(schedule=schedule, user=bob, starts_at=now + DAY, ends_at=now + 2 * DAY)
    address = reverse("oncall:override-remove", args=[schedule.slug, override.pk])
    answer = client.post(address)
    assert answer.status_code == 409
    assert "Remove the override" in answer.content.decode()
    assert Override.objects.exists()
    assert client.post(address, {"confirm": "yes"}).status_code == 302
    assert not Override.objects.exists()


def test_feeds_are_made_renewed_and_taken_away() -> None:
    client, ana = signed_in()
    schedule = oncall.schedule()
    client.post(reverse("oncall:feed-open"), {"schedule": schedule.slug})
    client.post(reverse("oncall:feed-open"), {"schedule": ""})
    feed = CalendarFeed.objects.get(schedule=schedule, user=ana)
    assert feed.token in text(client, reverse("oncall:feeds"))
    client.post(reverse("oncall:feed-rotate", args=[feed.pk]))
    assert feed.token not in text(client, reverse("oncall:feeds"))
    assert signed_in()[0].post(reverse("oncall:feed-close", args=[feed.pk])).status_code == 404
    client.post(reverse("oncall:feed-close", args=[feed.pk]))
    assert CalendarFeed.objects.get().schedule is None


def test_a_manager_lets_a_schedule_read_a_calendar() -> None:
    client, _ = signed_in(Role.MANAGER)
    schedule, now = oncall.schedule(), timezone.now()
    address = reverse("oncall:calendars", args=[schedule.slug])
    given = {"kind": "primary", "address": "https://example.com/secret/x.ics"}
    assert "begins with https" in client.post(address, {**given, "address": "nonsense"}).content.decode()
    assert client.post(address, given).status_code == 302
    calendar = ImportedCalendar.objects.get()
    calendar.error = "The server answered 404."
    calendar.save()
    calendar.shifts.create(uid="x", name="Somebody", starts_at=now, ends_at=now + DAY)
    html = text(client, address)
    for words in ("The server answered 404.", "Somebody"):
        assert words in html
    assert "secret" not in html.replace("Secret address", "")
    assert "The server answered 404." in text(client, reverse("oncall:schedule", args=[schedule.slug]))
    assert client.post(reverse("oncall:calendar-read", args=[schedule.slug, calendar.pk])).status_code == 302
    client.post(reverse("oncall:calendar-remove", args=[schedule.slug, calendar.pk]))
    assert not ImportedCalendar.objects.exists()
    assert signed_in()[0].get(address).status_code == 403


def test_the_form_asks_those_who_are_free_first_and_says_why_others_are_not() -> None:
    client, ana = signed_in(name="Ana Person")
    schedule, zoe, bob = oncall.schedule(ana), user(name="Zoe Person"), user(name="Bob Person")
    now = timezone.now()
    Leave.objects.create(user=bob, starts_at=now, ends_at=now + 30 * DAY)
    html = text(client, reverse("oncall:cover-new", args=[schedule.slug]))
    assert html.index("Zoe Person</option>") < html.index("Ana Person (on call then)")
    assert "Bob Person (away)" in html
    assert zoe.is_active


@pytest.mark.parametrize("page", ["oncall:covers", "oncall:leave", "oncall:feeds", "oncall:schedules"])
def test_the_lists_ask_as_much_of_the_database_for_ten_as_for_two(page: str) -> None:
    client, viewer = signed_in()
    client.get(reverse(page))
    counts, now = [], timezone.now()
    for more in (2, 8):
        for _ in range(more):
            ana = user()
            schedule, times = oncall.schedule(ana), {"starts_at": now, "ends_at": now + DAY}
            schedule.cover_requests.create(user=ana, created_at=now, **times).asked.set([viewer, user()])
            Leave.objects.create(user=ana, **times)
            schedule.feeds.create(user=viewer, token_hash=str(schedule.pk), token="x", created_at=now)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse(page)).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_whoever_may_cover_drags_over_days_of_their_real_length_and_viewers_do_not() -> None:
    client, ana = signed_in()
    schedule = oncall.schedule(ana, time_zone="Europe/Berlin")
    address = reverse("oncall:schedule", args=[schedule.slug]) + "?from=2026-03-28"
    page = text(client, address)
    # The clocks go forward on Sunday 29 March: that day has 23 hours.
    edges = "2026-03-27T23:00:00+00:00 2026-03-28T23:00:00+00:00 2026-03-29T22:00:00+00:00 2026-03-30T22:00:00+00:00"
    assert f'data-midnights="{edges} ' in page
    assert page.count("data-drag-to=") == 1
    client.force_login(user(role=Role.VIEWER))
    assert "data-drag-to=" not in text(client, address)
