"""Routes by hand: dragged, moved by keys and by buttons, tried with a payload, and held back by a paging test."""

import json
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.browser.conftest import tell_story, wait_until_up
from tests.journeys.harness import Sitrep, installed

pytestmark = [pytest.mark.browser, pytest.mark.journey]
CRITICAL, ERRORS, REST = "Critical: page and declare", "Errors: page", "Everything else: record only"
PROMISE = {
    "name": "Critical alerts of payments page",
    "payload": {"source": "demo", "body": {"title": "Down", "severity": "critical", "service": "payments"}},
    "at": "Sunday 03:00 UTC",
    "expect": [{"pages": "whoever is on call on primary-on-call", "within": "1 hour"}],
}


@pytest.fixture(scope="module")
def sitrep(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sitrep]:
    with installed(tmp_path_factory.mktemp("routes")) as running:
        tell_story(running, "--passwords-only")
        running.start("web")
        wait_until_up(running)
        yield running


def test_routes_are_ordered_tried_and_held_back(sitrep: Sitrep, people: Callable[..., Page], tmp_path: Path) -> None:
    page = people(sitrep, "admin@example.com")
    page.goto("/alerts/routes/")
    rows = page.locator("[data-row]")

    def stands(*names: str) -> None:
        """The rows are in this order, and the server has been told."""
        expect(page.locator("[data-row] strong")).to_have_text(list(names))
        expect(page.locator(".rung-mark")).to_have_text(["1", "2", "3"])

    def done(act: Callable[[], None], *names: str, status: int = 204) -> None:
        with page.expect_response("**/alerts/routes/order/") as told:
            act()
        assert told.value.status == status
        stands(*names)

    handle = page.locator("[data-drag-handle]").first
    done(lambda: handle.drag_to(rows.nth(2).locator(".route-taken")), ERRORS, REST, CRITICAL)
    page.reload()
    stands(ERRORS, REST, CRITICAL)
    rows.nth(2).focus()
    done(lambda: page.keyboard.press("Alt+ArrowUp"), ERRORS, CRITICAL, REST)
    expect(rows.nth(1)).to_be_focused()
    done(lambda: page.get_by_role("button", name="Move up").nth(1).click(), CRITICAL, ERRORS, REST)

    page.get_by_label("Source").select_option(label="Demo source")
    expect(page.locator("#preview")).to_contain_text("It would page")
    page.evaluate(AXE_SCRIPT)
    assert page.evaluate("axe.run().then((found) => found.violations.map((each) => each.id))") == []
    page.get_by_label("Payload").fill("[{")
    expect(page.locator("#preview")).to_contain_text("The body is not JSON")

    promises = tmp_path / "paging-tests.yaml"
    promises.write_text(json.dumps({"paging_tests": [PROMISE]}))
    sitrep.manage("test_paging", str(promises), "--store")
    rows.nth(2).focus()
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.get_by_role("alert")).to_contain_text("This breaks a paging test")
    page.get_by_label("Do it all the same, because").fill("For a drill")
    page.get_by_role("button", name="Move it all the same").click()
    stands(REST, CRITICAL, ERRORS)
