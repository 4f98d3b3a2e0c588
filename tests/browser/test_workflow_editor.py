"""A workflow written by hand: steps added, filled in, moved by keys, removed and put back, tried and saved."""

from collections.abc import Callable, Generator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.browser.conftest import arrive, tell_story, wait_until_up
from tests.journeys.harness import Sitrep, installed

pytestmark = [pytest.mark.browser, pytest.mark.journey]


@pytest.fixture(scope="module")
def sitrep(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sitrep]:
    with installed(tmp_path_factory.mktemp("workflows")) as running:
        tell_story(running)
        running.start("web")
        wait_until_up(running)
        yield running


def add(page: Page, label: str, *, nth: int = 0) -> None:
    """Adds a step by the keyboard; the `nth` button of the page is that of the block."""
    page.get_by_role("button", name="Add a step").nth(nth).click()
    page.keyboard.type(label)
    with page.expect_response("**/workflows/parts/steps/"):
        page.keyboard.press("Enter")


def test_a_workflow_is_written_tried_and_saved_by_hand(sitrep: Sitrep, people: Callable[..., Page]) -> None:
    page = people(sitrep, "admin@example.com")
    page.goto("/workflows/new/edit/")
    page.get_by_label("Name", exact=True).first.fill("Tell the office")
    words = page.locator("#in-words")

    add(page, "Add to the timeline")
    page.get_by_label("Text").type("Look at {{ refer")
    expect(page.get_by_role("option", name="incident.reference")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Text")).to_have_value("Look at {{ incident.reference }}")
    add(page, "Wait")
    page.locator("[name$='-p-minutes']").fill("5")
    expect(words).to_contain_text("Wait 5 minutes")

    rows = page.locator(".step-list > [data-step]")
    rows.nth(1).locator("summary").first.focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(rows.first.locator(".step-words").first).to_contain_text("Wait")
    page.get_by_role("button", name="Remove").first.click()
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Put it back").click()
    expect(rows).to_have_count(2)

    page.get_by_label("For which incident?").select_option(index=1)
    page.get_by_role("button", name="Try").click()
    expect(page.locator("#trial")).to_contain_text("It would")
    expect(page.locator("#trial")).to_contain_text("Look at INC-")
    page.evaluate(AXE_SCRIPT)
    assert page.evaluate("axe.run().then((found) => found.violations.map((each) => each.id))") == []

    page.get_by_role("button", name="Save", exact=True).click()
    arrive(page, "**/workflows/tell-the-office/")
    expect(page.get_by_role("main")).to_contain_text("version 1")
    page.goto("/workflows/tell-the-office/edit/")
    expect(rows.first.locator(".step-words").first).to_contain_text("Wait 5 minutes")
