"""Schedules and policies by hand: previews follow what is written, rows move, a drag across a calendar covers."""

from collections.abc import Callable, Generator
from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, READY_HEADING, arrive, tell_story, wait_until_up
from tests.journeys.harness import Sitrep, installed

pytestmark = [pytest.mark.browser, pytest.mark.journey]


@pytest.fixture(scope="module")
def sitrep(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sitrep]:
    with installed(tmp_path_factory.mktemp("editor")) as running:
        tell_story(running, "--passwords-only")
        running.start("web")
        wait_until_up(running)
        yield running


def test_the_preview_follows_what_is_written_and_gaps_are_confirmed(
    sitrep: Sitrep, people: Callable[..., Page]
) -> None:
    ana = people(sitrep, "ana@example.com")
    ana.goto("/oncall/schedules/primary-on-call/edit/")
    arrive(ana, "/oncall/schedules/primary-on-call/edit/")
    preview, rotation = ana.locator("#preview"), ana.locator(".rotation-row").first
    expect(preview).to_contain_text("Nothing: the same people are on call")

    rotation.get_by_label("Choice 1").select_option(label="Dan Novak")
    expect(preview).to_contain_text("Dan Novak instead of")

    rotation.get_by_label("Unit").select_option(label="Days")
    expect(rotation.get_by_label("Weekday of handover 1")).to_be_hidden()
    rotation.get_by_label("Unit").select_option(label="Weeks")
    expect(rotation.get_by_label("Weekday of handover 1")).to_be_visible()
    rotation.get_by_role("button", name="One more a week").click()
    rotation.get_by_label("Weekday of handover 2").select_option(label="Friday")
    rotation.get_by_label("Time of handover 2").fill("17:00")

    expect(ana.locator("[data-change-date]")).to_be_hidden()
    ana.get_by_label("From a date on").check()
    expect(ana.locator("[data-change-date]")).to_be_visible()
    ana.get_by_label("From now on").check()

    rotation.get_by_text("Layer, hours and days of duty, end").click()
    rotation.locator("[name$=-active_from]").fill("06:00")
    rotation.locator("[name$=-active_until]").fill("22:00")
    expect(preview).to_contain_text("hours with nobody on call")

    ana.get_by_role("button", name="Save").click()
    expect(ana.locator(".form-errors")).to_contain_text("Nobody would be on call")
    ana.get_by_label("Save it although too few would be on call then").check()
    ana.get_by_role("button", name="Save").click()
    expect(ana.locator(READY_HEADING)).to_have_text("Primary on call")
    expect(ana.get_by_text("handover Monday 09:00, Friday 17:00")).to_be_visible()
    expect(ana.get_by_text("only 06:00 to 22:00")).to_be_visible()


def test_levels_of_a_policy_are_moved_and_saved_in_the_order_on_the_page(
    sitrep: Sitrep, people: Callable[..., Page]
) -> None:
    ana = people(sitrep, "ana@example.com")
    ana.goto("/oncall/policies/production-critical/edit/")
    arrive(ana, "/oncall/policies/production-critical/edit/")
    levels = ana.locator(".level-row")
    expect(levels).to_have_count(3)
    expect(levels.first.get_by_label("Position")).to_be_hidden()
    expect(levels.first.get_by_role("button", name="Earlier")).to_be_hidden()
    expect(levels.last.get_by_role("button", name="Later")).to_be_hidden()
    levels.nth(1).get_by_role("button", name="Earlier").click()
    expect(ana.locator("#preview")).to_contain_text("Level 1")
    ana.get_by_role("button", name="Add a level").click()
    expect(levels).to_have_count(4)
    levels.last.get_by_label("Choice 1").select_option(label="Dan Novak")
    levels.last.get_by_role("button", name="Earlier").click()
    ana.get_by_role("button", name="Save").click()
    arrive(ana, "/oncall/policies/production-critical/")
    rungs = ana.locator(".ladder .rung-targets")
    expect(rungs).to_contain_text(["Secondary on call", "Primary on call", "Dan Novak", "Ana Ferreira"])


def test_on_a_phone_a_calendar_begins_at_now_with_the_words_of_what_began_before(
    sitrep: Sitrep, people: Callable[..., Page]
) -> None:
    bob = people(sitrep, "bob@example.com", viewport=PHONE)
    bob.goto("/oncall/schedules/primary-on-call/")
    now, names = bob.locator("svg.rota-final .now-line"), bob.locator(".rota-corner")
    expect(now).to_be_in_viewport()
    left = (names.bounding_box() or {"x": 0, "width": 0})["width"]
    words = bob.locator("svg.rota-final > svg > :is(a, g) > text")
    places = [box["x"] for box in (each.bounding_box() for each in words.all()) if box is not None]
    assert any(left <= place < PHONE["width"] for place in places), places


def test_a_bar_leads_to_putting_somebody_else_on_call(sitrep: Sitrep, people: Callable[..., Page]) -> None:
    bob = people(sitrep, "bob@example.com")
    bob.goto("/oncall/schedules/secondary-on-call/")
    arrive(bob, "/oncall/schedules/secondary-on-call/")
    bar = bob.locator(".rota-final a").last
    name = (bar.get_attribute("aria-label") or "").partition(":")[0]
    bar.click()
    expect(bob.locator(READY_HEADING)).to_have_text("Put somebody on call")
    chosen = bob.get_by_label("Instead of").evaluate("(menu) => menu.selectedOptions[0].textContent")
    assert chosen in {name, "everybody who is on call then"}
    bob.get_by_role("link", name="Ask for cover").click()
    expect(bob.locator(READY_HEADING)).to_have_text("Ask for cover")
    assert "starts_at=" in bob.url


def at(lane: Locator, days: float) -> tuple[float, float]:
    """The place on the screen that many days from the left of a calendar of two weeks."""
    box = lane.bounding_box()
    assert box is not None
    return box["x"] + box["width"] * days / 14, box["y"] + box["height"] / 2


def coming_week() -> tuple[date, str]:
    """A Monday that is still to come, and the address of the calendar that begins with it, in the viewer's zone."""
    today = timezone.localdate()
    monday = today + timedelta(days=14 - today.weekday())
    return monday, f"/oncall/schedules/primary-on-call/?from={monday}&zone=mine"


def expect_asked(page: Page, start: str, end: str) -> None:
    expect(page.locator(READY_HEADING)).to_have_text("Put somebody on call")
    fields = ("starts_on", "starts_time", "ends_on", "ends_time")
    found = [page.locator(f"[name={name}]").input_value() for name in fields]
    assert [" ".join(found[:2]), " ".join(found[2:])] == [start, end]


def test_dragging_across_the_last_row_asks_for_that_stretch(sitrep: Sitrep, people: Callable[..., Page]) -> None:
    bob = people(sitrep, "bob@example.com")
    monday, address = coming_week()
    bob.goto(address)
    lane = bob.locator("svg.rota-final")
    expect(bob.locator("[data-drag-hint]")).to_be_visible()
    lane.scroll_into_view_if_needed()
    bob.mouse.move(*at(lane, 4.75))
    bob.mouse.down()
    bob.mouse.move(*at(lane, 3), steps=4)
    bob.mouse.move(*at(lane, 2.5), steps=4)
    expect(lane.locator(".drag-mark")).to_be_attached()
    expect(bob.locator("[data-drag-hint]")).to_contain_text("18:00 (54 h)")
    bob.mouse.up()
    expect_asked(bob, f"{monday + timedelta(days=2)} 12:00", f"{monday + timedelta(days=4)} 18:00")


def test_escape_lets_go_and_what_is_over_is_not_asked_for(sitrep: Sitrep, people: Callable[..., Page]) -> None:
    bob = people(sitrep, "bob@example.com")
    _monday, address = coming_week()
    for shown, days in ((address, 5), ("/oncall/schedules/primary-on-call/?from=2026-01-05", 5)):
        bob.goto(shown)
        lane = bob.locator("svg.rota-final")
        lane.scroll_into_view_if_needed()
        bob.mouse.move(*at(lane, days))
        bob.mouse.down()
        bob.mouse.move(*at(lane, days + 1), steps=4)
        expect(lane.locator(".drag-mark")).to_be_attached()
        if shown == address:
            bob.keyboard.press("Escape")
            expect(lane.locator(".drag-mark")).not_to_be_attached()
            expect(bob.locator("[data-drag-hint]")).to_contain_text("Drag across the last row")
        else:
            expect(bob.locator("[data-drag-hint]")).to_have_text("This is over")
        bob.mouse.up()
        bob.wait_for_timeout(200)
        assert bob.url.endswith(shown)


def test_a_finger_that_holds_drags_and_one_that_moves_scrolls(sitrep: Sitrep, people: Callable[..., Page]) -> None:
    bob = people(sitrep, "bob@example.com", viewport=PHONE, has_touch=True)
    monday, address = coming_week()
    bob.goto(address)
    lane = bob.locator("svg.rota-final")
    lane.scroll_into_view_if_needed()
    touch = bob.context.new_cdp_session(bob)

    def finger(kind: str, *place: float) -> None:
        points = [{"x": place[0], "y": place[1]}] if place else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def move(begin: tuple[float, float], end: tuple[float, float]) -> None:
        for step in range(1, 9):
            finger("touchMove", begin[0] + (end[0] - begin[0]) * step / 8, begin[1])

    # The names stand over the left of what is scrolled.
    scroll = bob.locator(".rota-scroll")
    scroll.evaluate("(place) => place.scrollTo(0, 0)")
    early, late = at(lane, 2), at(lane, 4)
    finger("touchStart", *late)
    move(late, early)
    finger("touchEnd")
    assert bob.url.endswith(address)
    assert scroll.evaluate("(place) => place.scrollLeft") > 0

    # Without what is left of the swing.
    bob.goto(address)
    lane.scroll_into_view_if_needed()
    scroll.evaluate("(place) => place.scrollTo(0, 0)")
    early, late = at(lane, 2), at(lane, 4)
    finger("touchStart", *early)
    expect(lane.locator(".drag-mark")).to_be_attached()
    move(early, late)
    finger("touchEnd")
    expect_asked(bob, f"{monday + timedelta(days=2)} 00:00", f"{monday + timedelta(days=4)} 00:00")
