"""As a person would do it: from signing in to the postmortem with a mouse, and the way around with keys alone."""

import re
from collections.abc import Callable, Generator

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from tests.browser.conftest import PATIENCE, PHONE, READY_HEADING, arrive, tell_story, wait_until_up
from tests.journeys.harness import Sitrep, installed

pytestmark = [pytest.mark.browser, pytest.mark.journey]


@pytest.fixture(scope="module")
def sitrep(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sitrep]:
    with installed(tmp_path_factory.mktemp("hand")) as running:
        tell_story(running, "--passwords-only")
        # A postmortem's draft is started by a workflow, a page by the paging clock: both in workers.
        running.start("web", "worker-default", "worker-paging", "worker-workflows")
        wait_until_up(running)
        yield running


def test_from_declaring_to_the_postmortem(sitrep: Sitrep, people: Callable[..., Page]) -> None:
    ana = people(sitrep, "ana@example.com")
    expect(ana.locator(READY_HEADING)).to_have_text("All quiet")
    ana.locator(".topbar").get_by_role("link", name="Declare incident").click()

    # A mistake is named at its field, and nothing that was typed is lost.
    ana.get_by_label("What do you know?").fill("Cards are refused since 14:20.")
    ana.locator("main").get_by_role("button", name="Declare incident").click()
    expect(ana.locator(".field-error").first).to_contain_text("required")
    expect(ana.get_by_label("What do you know?")).to_have_value("Cards are refused since 14:20.")

    ana.get_by_label("What is wrong?").fill("Payments fail")
    ana.locator(".choice-card", has_text="SEV1").click()
    ana.get_by_label("Payments").check()
    ana.get_by_label("Incident commander").select_option(label="Ana Ferreira")
    ana.locator("main").get_by_role("button", name="Declare incident").click()
    expect(ana.locator(READY_HEADING)).to_have_text("Payments fail")
    expect(ana.locator("#incident-facts")).to_contain_text("Ana Ferreira")
    expect(ana.locator("#incident-side")).to_contain_text("Partial outage")

    ana.get_by_role("button", name="Post update").first.click()
    dialog = ana.locator("#update-dialog")
    dialog.get_by_label("What do we know?").fill("The pool is **full**. We raise it.")
    dialog.get_by_label("Status").select_option(label="Fixing")
    dialog.get_by_role("button", name="Post update").click()
    expect(ana.locator(".latest-update .prose strong")).to_have_text("full")
    expect(ana.locator("#incident-facts .phase")).to_have_text("Fixing")

    ana.locator("summary[aria-label='More']").click()
    ana.get_by_role("link", name="Publish on Example").click()
    ana.get_by_role("button", name="Publish", exact=True).click()
    ana.wait_for_url(re.compile(r"/statuspages/example/incidents/\w"))
    ana.goto("/status/example/")
    # The workflow for a SEV1 may have told the public by itself before.
    expect(ana.get_by_role("heading", name="Problems with Payments").first).to_be_visible()

    ana.goto("/incidents/1/")
    expect(ana.locator("#incident-facts")).to_contain_text("Public: Investigating")
    ana.get_by_role("button", name="Resolve").click()
    ana.locator("#confirm").get_by_role("button", name="Resolve").click()
    expect(ana.get_by_role("button", name="Reopen")).to_be_visible()

    # A SEV1 gets a draft by itself; its link comes to the open page.
    side = ana.locator("#incident-side .panel", has_text="Postmortem")
    expect(side).to_be_visible(timeout=15_000)
    side.get_by_role("link").click()
    expect(ana.locator(READY_HEADING)).to_have_text("Payments fail")
    expect(ana.locator("#timeline")).to_contain_text("Ana Ferreira")
    ana.get_by_role("link", name="Add action item").click()
    ana.get_by_label("What is to be done").fill("Alert on the pool")
    ana.get_by_label("Owner").select_option(label="Ana Ferreira")
    ana.locator("main button[type=submit]").first.click()
    expect(ana.locator("main")).to_contain_text("Alert on the pool")
    ana.goto("/")
    expect(ana.locator("main")).to_contain_text("Alert on the pool")


def test_keys_lead_everywhere(sitrep: Sitrep, people: Callable[..., Page]) -> None:
    bob = people(sitrep, "bob@example.com")
    bob.keyboard.press("?")
    expect(bob.locator("#keys")).to_be_visible()
    bob.keyboard.press("Escape")
    expect(bob.locator("#keys")).to_be_hidden()

    bob.keyboard.press("c")
    arrive(bob, "**/incidents/declare/")
    bob.get_by_label("What is wrong?").fill("Disk is filling up")
    # A letter that is typed into a field is only a letter.
    bob.get_by_label("What is wrong?").press("c")
    expect(bob.get_by_label("What is wrong?")).to_have_value("Disk is filling upc")
    bob.get_by_label("What is wrong?").press("Backspace")
    bob.get_by_label("What is wrong?").press("Enter")
    expect(bob.locator(READY_HEADING)).to_have_text("Disk is filling up")

    press_chord(bob, "g", "i", leads_to="**/incidents/")
    bob.keyboard.press("/")
    expect(bob.get_by_label("Search this list")).to_be_focused()
    bob.keyboard.type("disk is")
    bob.keyboard.press("Enter")
    arrive(bob, "**/incidents/?q=disk+is")
    bob.keyboard.press("j")
    bob.keyboard.press("Enter")
    expect(bob.locator(READY_HEADING)).to_have_text("Disk is filling up")

    bob.goto("/alerts/")
    bob.keyboard.press("ControlOrMeta+k")
    expect(bob.get_by_role("combobox")).to_be_focused()
    bob.keyboard.type("filling")
    expect(bob.get_by_role("option", name="Disk is filling up")).to_be_visible()
    bob.keyboard.press("Enter")
    expect(bob.locator(READY_HEADING)).to_have_text("Disk is filling up")


def press_chord(page: Page, *keys: str, leads_to: str) -> None:
    """Presses keys one after the other; again if the machine was too slow for them to count as one chord."""
    for _ in range(5):
        for key in keys:
            page.keyboard.press(key)
        try:
            page.wait_for_url(leads_to, timeout=PATIENCE / 5)
            break
        except TimeoutError:
            continue
    arrive(page, leads_to)


def test_a_draft_survives_leaving_the_page(sitrep: Sitrep, people: Callable[..., Page]) -> None:
    bob = people(sitrep, "bob@example.com")
    bob.goto("/incidents/declare/")
    bob.get_by_label("What is wrong?").fill("A draft")
    bob.get_by_label("What is wrong?").press("Enter")
    expect(bob.locator(READY_HEADING)).to_have_text("A draft")
    bob.get_by_label("Message, or / for a command").fill("Not sent yet")
    bob.goto("/")
    bob.go_back()
    expect(bob.get_by_label("Message, or / for a command")).to_have_value("Not sent yet")


def test_a_page_is_acknowledged_with_a_thumb(sitrep: Sitrep, people: Callable[..., Page]) -> None:
    ana = people(sitrep, "ana@example.com", viewport=PHONE)
    ana.goto("/incidents/declare/")
    ana.get_by_label("What is wrong?").fill("Wake somebody")
    ana.locator(".choice-card", has_text="SEV2").click()
    ana.locator("main").get_by_role("button", name="Declare incident").click()
    expect(ana.locator(READY_HEADING)).to_have_text("Wake somebody")
    ana.locator("summary[aria-label='More']").click()
    ana.get_by_role("button", name="Page…").click()
    dialog = ana.locator("#page-dialog")
    dialog.get_by_label("Escalation policy").select_option(label="Production critical")
    dialog.get_by_role("button", name="Page", exact=False).last.click()
    expect(ana.locator("#incident-side")).to_contain_text("Production critical")
    ana.reload()
    acknowledge = ana.get_by_role("button", name="Acknowledge")
    box = acknowledge.bounding_box()
    assert box is not None
    assert box["height"] >= 36
    acknowledge.click()
    expect(ana.locator("#incident-side")).to_contain_text("acknowledged by Ana Ferreira")


def test_what_happens_elsewhere_shows_on_an_open_page(sitrep: Sitrep, people: Callable[..., Page]) -> None:
    admin, ana = people(sitrep, "admin@example.com"), people(sitrep, "ana@example.com")
    admin.goto("/services/")
    other = admin.context.new_page()
    other.goto("/")
    for page in (admin, other):
        page.evaluate("window.neverReloaded = true")
    ana.goto("/incidents/declare/")
    ana.get_by_label("What is wrong?").fill("The roof is on fire")
    ana.get_by_label("What is wrong?").press("Enter")
    expect(ana.locator(READY_HEADING)).to_have_text("The roof is on fire")
    expect(other.locator("main")).to_contain_text("The roof is on fire")

    ana.get_by_role("button", name="Page…").click()
    ana.locator("#page-dialog").get_by_role("button", name="Page", exact=True).click()
    # The owner of a fresh installation is on call: the news reaches whatever they look at.
    expect(admin.locator("#banners")).to_contain_text("You are being paged")
    expect(admin).to_have_title(re.compile(r"^\(\d+\) Services"))
    expect(other.locator("main")).to_contain_text("You are being paged")
    for page in (admin, other):
        assert page.evaluate("window.neverReloaded") is True
