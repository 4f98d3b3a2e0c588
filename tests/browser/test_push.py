"""A notification in a real browser: it shows the page, and its button acknowledges without opening anything."""

import json
from collections.abc import Generator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, tell_story, wait_until_up
from tests.journeys.harness import Sitrep, installed, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.journey]

PRESS = """async (action) => {
  const [notification] = await self.registration.getNotifications();
  self.dispatchEvent(new NotificationEvent("notificationclick", { notification, action }));
}"""
SHOWN = """async () => {
  const registration = await navigator.serviceWorker.ready;
  const words = ({ title, body, actions }) => ({ title, body, buttons: actions.map((action) => action.title) });
  return (await registration.getNotifications()).map(words);
}"""


@pytest.fixture(scope="module")
def sitrep(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sitrep]:
    """An installation full of things; only its web server runs."""
    with installed(tmp_path_factory.mktemp("push")) as running:
        running.start("web")
        yield running


@pytest.fixture(scope="module")
def story(sitrep: Sitrep) -> dict[str, str]:
    told = tell_story(sitrep, "--full")
    wait_until_up(sitrep)
    return told


def shown(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(SHOWN)
    return found


def test_a_notifications_button_acknowledges(browser: Browser, sitrep: Sitrep, story: dict[str, str]) -> None:
    context = browser.new_context(viewport=PHONE)
    context.grant_permissions(["notifications"], origin=sitrep.url)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    registrations: list[dict[str, Any]] = []
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda event: registrations.extend(event["registrations"]))
    devtools.send("ServiceWorker.enable")
    address = f"{sitrep.url}/p/{story['waiting_token']}/"
    page.goto(address)
    page.evaluate("navigator.serviceWorker.register('/service-worker.js').then(() => navigator.serviceWorker.ready)")
    # An event of the browser is heard while something is asked of it.
    wait_for(lambda: bool(page.title() and registrations), "the service worker is registered")
    message = {
        "purpose": "page",
        "title": "Payment API returning 500 errors",
        "body": "SEV1, payments",
        "link": address,
        "links": {"acknowledge": f"{sitrep.url}/p/{story['acknowledge_token']}/"},
        "tag": "page-1-1",
        "words": {"acknowledge": "Acknowledge", "escalate": "Escalate"},
    }
    push = {"origin": sitrep.url, "registrationId": registrations[-1]["registrationId"], "data": json.dumps(message)}
    devtools.send("ServiceWorker.deliverPushMessage", push)
    wait_for(lambda: bool(shown(page)), "the notification is shown")
    assert shown(page) == [
        {"title": message["title"], "body": "SEV1, payments", "buttons": ["Acknowledge", "Escalate"]}
    ]
    context.service_workers[0].evaluate(PRESS, "acknowledge")
    wait_for(lambda: any("Acknowledged: " in each["body"] for each in shown(page)), "the notification says so")
    page.goto(address)
    expect(page.get_by_text("You have it")).to_be_visible()
    context.close()
