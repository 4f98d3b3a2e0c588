"""A workflow written by hand: steps added, filled in, moved by keys, removed and put back, tried and saved."""

from collections.abc import Callable, Generator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import arrive, tell_story, wait_until_up
from tests.journeys.harness import Sitrep, installed

pytestmark = [pytest.mark.browser, pytest.mark.journey]
FILE = """
name: From a file
trigger: {kind: person}
steps: [{kind: add_note, params: {text: Imported}}]
"""


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

    page.get_by_label("With what?").select_option(index=1)
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


def drag(page: Page, step: Locator, onto: Locator) -> None:
    """Drags a step by its handle to the upper edge of something, which may move away meanwhile."""
    step.locator("[data-drag-handle]").first.hover()
    page.mouse.down()
    for _move in range(3):
        box = onto.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 60, box["y"] + 5, steps=5)
    page.mouse.up()


def test_steps_are_dragged_past_each_other_into_a_branch_and_out_again(
    sitrep: Sitrep, people: Callable[..., Page]
) -> None:
    page = people(sitrep, "admin@example.com")
    page.goto("/workflows/new/edit/")
    add(page, "Wait")
    add(page, "if", nth=-1)
    for fold in page.locator("[data-step] > .step-fold > summary").all():
        fold.click()
    rows, within = (
        page.locator("form > section > .step-list > [data-step]"),
        page.locator("[data-block=then] > [data-step]"),
    )
    expect(rows).to_have_count(2)
    expect(rows.last.locator(".step-words").first).to_contain_text("If")
    drag(page, rows.last, rows.first)
    expect(rows.first.locator(".step-words").first).to_contain_text("If")
    drag(page, rows.last, page.locator("[data-block=then] + .steps-add"))
    expect(within).to_have_count(1)
    expect(page.locator("#in-words")).to_contain_text("1.1")
    drag(page, within.first, rows.first)
    expect(rows).to_have_count(2)
    expect(rows.first.locator(".step-words").first).to_contain_text("Wait")


def test_an_unknown_fact_is_told_at_its_field(sitrep: Sitrep, people: Callable[..., Page]) -> None:
    page = people(sitrep, "admin@example.com")
    page.goto("/workflows/new/edit/")
    add(page, "Add to the timeline")
    page.get_by_label("Text").fill("{{ incident.severty }}")
    expect(page.locator(".field-notices", has_text="Do you mean incident.severity?")).to_be_visible()
    page.get_by_label("Text").fill("{{ incident.severity }}")
    expect(page.locator(".field-notices", has_text="Do you mean")).to_have_count(0)


def test_a_file_is_imported_as_it_was_shown(sitrep: Sitrep, people: Callable[..., Page]) -> None:
    page = people(sitrep, "admin@example.com")
    page.goto("/workflows/import/")
    page.get_by_label("Or what stands in it").fill(FILE.replace("add_note", "make_coffee"))
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_role("main")).to_contain_text("No step is called 'make_coffee'")
    expect(page.get_by_role("button", name="Import as shown")).to_have_count(0)
    page.get_by_label("Or what stands in it").fill(FILE)
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_role("button", name="Import as shown").click()
    arrive(page, "**/workflows/")
    expect(page.get_by_role("main")).to_contain_text("From a file")
