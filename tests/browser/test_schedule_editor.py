"""The schedule editor by hand: the preview follows what is written, and a choice shows the fields that it needs."""

from collections.abc import Callable, Generator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import READY_HEADING, arrive, tell_story, wait_until_up
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
    ana.get_by_label("Save it although nobody would be on call then").check()
    ana.get_by_role("button", name="Save").click()
    expect(ana.locator(READY_HEADING)).to_have_text("Primary on call")
    expect(ana.get_by_text("handover Monday 09:00, Friday 17:00")).to_be_visible()
    expect(ana.get_by_text("only 06:00 to 22:00")).to_be_visible()


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
