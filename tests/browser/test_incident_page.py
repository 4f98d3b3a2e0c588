"""The page of an incident in a browser: values edited in place by two at once, presence, keys, the board."""

from collections.abc import Callable, Generator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, tell_story, wait_until_up
from tests.browser.test_two_browsers import choose, declared, watch
from tests.journeys.harness import Sitrep, installed

pytestmark = [pytest.mark.browser, pytest.mark.journey]


@pytest.fixture(scope="module")
def sitrep(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sitrep]:
    with installed(tmp_path_factory.mktemp("room")) as running:
        tell_story(running, "--passwords-only")
        running.start("web")
        wait_until_up(running)
        yield running


@pytest.fixture
def ana(sitrep: Sitrep, people: Callable[..., Page]) -> Page:
    return people(sitrep, "ana@example.com")


@pytest.fixture
def bob(sitrep: Sitrep, people: Callable[..., Page]) -> Page:
    return people(sitrep, "bob@example.com")


def test_two_who_edit_one_value_lose_nothing(ana: Page, bob: Page) -> None:
    number = declared(ana, "Search is slow")
    watch(ana, number)
    watch(bob, number)
    expect(ana.locator("#presence")).to_contain_text("Bob Okafor")

    ana.keyboard.press("e")
    ana.locator("h1 input").fill("Search is slow in Europe")
    bob.locator("h1 inline-edit").click()
    bob.locator("h1 input").fill("Search is very slow")
    bob.locator("h1 input").press("Enter")
    expect(ana.locator("h1 .inline-news")).to_contain_text("Search is very slow")
    expect(ana.locator("h1 input")).to_have_value("Search is slow in Europe")
    expect(ana.locator("h1 input")).to_be_focused()

    ana.locator("h1 input").press("Enter")
    refusal = ana.locator("h1 .inline-refusal")
    expect(refusal).to_contain_text("Bob Okafor changed this meanwhile: it is “Search is very slow” now.")
    expect(ana.locator("h1 input")).to_have_value("Search is slow in Europe")
    expect(bob.locator("h1")).to_have_text("Search is very slow")
    refusal.get_by_role("button", name="Use mine").click()
    for page in (ana, bob):
        expect(page.locator("h1")).to_have_text("Search is slow in Europe")


def test_a_change_shows_at_once_and_is_undone_from_its_toast(ana: Page, bob: Page) -> None:
    number = declared(ana, "Mail is late")
    watch(ana, number)
    watch(bob, number)
    choose(ana, "severity", "SEV1")
    expect(bob.locator("#incident-facts .severity")).to_have_text("SEV1")
    toast = ana.locator("#toasts .notice", has_text="Severity is SEV1.")
    toast.get_by_role("button", name="Undo").click()
    for page in (ana, bob):
        expect(page.locator("#incident-facts .severity")).to_have_text("SEV2")


def test_a_refused_change_comes_back_with_its_reason_and_what_was_typed(ana: Page) -> None:
    watch(ana, declared(ana, "Sign-in fails"))
    edit = ana.locator("inline-edit[field=users_affected]")
    edit.click()
    edit.locator("input").fill("a lot of them")
    edit.locator("input").press("Enter")
    expect(edit.get_by_role("alert")).to_contain_text("must be an integer")
    expect(edit.locator("input")).to_have_value("a lot of them")
    edit.locator("input").fill("1500")
    edit.locator("input").press("Enter")
    expect(edit).to_have_text("~1,500 users")


def test_others_see_who_writes(ana: Page, bob: Page) -> None:
    number = declared(ana, "The queue grows")
    watch(ana, number)
    watch(bob, number)
    bob.keyboard.press("m")
    bob.keyboard.type("Two more")
    expect(ana.locator("#typing")).to_have_text("Bob Okafor is writing a message…")
    bob.keyboard.press("Enter")
    expect(ana.locator("#timeline")).to_contain_text("Two more")
    expect(ana.locator("#typing")).to_be_hidden()


def test_a_command_in_the_room_changes_the_severity_for_both(ana: Page, bob: Page) -> None:
    number = declared(ana, "Prices are wrong")
    watch(ana, number)
    watch(bob, number)
    box = ana.locator("#message")
    box.fill("/severity sev1")
    box.press("Escape")
    box.press("Enter")
    for page in (ana, bob):
        expect(page.locator("#incident-facts .severity")).to_have_text("SEV1")


def test_all_that_matters_is_in_sight_on_a_laptop_and_within_reach_on_a_phone(
    ana: Page, sitrep: Sitrep, people: Callable[..., Page]
) -> None:
    number = declared(ana, "All of it")
    watch(ana, number)
    assert ana.evaluate("document.documentElement.scrollHeight <= innerHeight"), "the page does not scroll"
    for seen in ("h1", "#incident-facts .severity", "#incident-facts duration-clock", "#timeline", "#message"):
        expect(ana.locator(seen)).to_be_in_viewport()
    phone = people(sitrep, "ana@example.com", viewport=PHONE)
    watch(phone, number)
    for seen in ("h1", "#message", ".dock-actions .btn >> nth=-1"):
        expect(phone.locator(seen)).to_be_in_viewport()
    expect(phone.locator("#side-people")).to_be_hidden()
    phone.get_by_role("button", name="Details").click()
    expect(phone.locator("#side-people")).to_be_visible()


def test_a_card_moves_by_keyboard_and_comes_back_by_undo(ana: Page) -> None:
    number = declared(ana, "On the board")
    ana.goto("/incidents/board/?by=severity")
    expect(ana.locator("html[data-ready]")).to_be_attached()
    card = ana.locator(f"#card-{number}")
    expect(ana.locator("[data-column=sev2]").locator(f"#card-{number}")).to_be_visible()
    card.locator("a").focus()
    ana.keyboard.press("Alt+ArrowLeft")
    expect(ana.locator("[data-column=sev1]").locator(f"#card-{number}")).to_be_visible()
    ana.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(ana.locator("[data-column=sev2]").locator(f"#card-{number}")).to_be_visible()


def test_a_form_that_is_refused_says_why_at_the_field_and_keeps_what_was_typed(ana: Page) -> None:
    watch(ana, declared(ana, "Push is late"))
    ana.keyboard.press("u")
    dialog = ana.locator("#update-dialog")
    dialog.locator("[name=text]").fill("We look into it.")
    past = dialog.locator("[name=next_update_at]")
    past.fill("2026-01-01T10:00")
    dialog.get_by_role("button", name="Post update").click()
    expect(dialog.get_by_role("alert")).to_contain_text("at least a minute ahead")
    expect(past).to_be_focused()
    expect(past).to_have_attribute("aria-invalid", "true")
    expect(ana.locator("#toasts .notice-error")).to_have_count(0)
    past.fill("")
    dialog.get_by_role("button", name="Post update").click()
    expect(dialog).to_be_hidden()
    expect(ana.get_by_role("main")).to_contain_text("We look into it.")
