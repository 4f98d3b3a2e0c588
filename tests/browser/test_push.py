"""A notification in a real browser: it shows the page, and its button acknowledges without opening anything."""

import json
from collections.abc import Generator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, sign_in, tell_story, wait_until_up
from tests.journeys.harness import Sitrep, installed, wait_for
from tests.oncall.servers import PushService

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

RENEW = """([old, fresh]) => {
  const subscription = { endpoint: fresh.endpoint, toJSON: () => fresh };
  return renew({ oldSubscription: old && { endpoint: old }, newSubscription: subscription });
}"""
SUBSCRIBE = """(subscription) => fetch("/settings/contact-methods/push/", {
  method: "POST",
  headers: { "Content-Type": "application/json", ...JSON.parse(document.body.getAttribute("hx-headers")) },
  body: JSON.stringify({ subscription, label: "A telephone" }),
}).then((response) => response.status)"""
LOSE = """() => self.dispatchEvent(new ExtendableEvent("pushsubscriptionchange"))"""


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


def test_a_browser_whose_subscription_was_replaced_tells_it_by_itself(
    browser: Browser, sitrep: Sitrep, story: dict[str, str]
) -> None:
    context = browser.new_context(base_url=sitrep.url)
    context.grant_permissions(["notifications"], origin=sitrep.url)
    page = context.new_page()
    sign_in(page, sitrep, "ana@example.com")
    page.goto("/settings/profile/")
    page.evaluate("navigator.serviceWorker.register('/service-worker.js').then(() => navigator.serviceWorker.ready)")
    wait_for(lambda: bool(page.title() and context.service_workers), "the service worker runs")
    worker = context.service_workers[0]
    with PushService().running() as service:
        old = service.subscription
        assert page.evaluate(SUBSCRIBE, old) == 201
        fresh = {**old, "endpoint": old["endpoint"].replace("one-browser", "renewed")}
        assert worker.evaluate(RENEW, [old["endpoint"], fresh]) is True
        # It remembers the newest endpoint: the browser may not say which one it has replaced.
        newest = {**old, "endpoint": old["endpoint"].replace("one-browser", "newest")}
        assert worker.evaluate(RENEW, [None, newest]) is True
        assert worker.evaluate(RENEW, [old["endpoint"], {**old, "endpoint": old["endpoint"] + "x"}]) is False
    page.reload()
    expect(page.get_by_text("A telephone")).to_have_count(1)
    # Headless there is no push service to subscribe with: the owner is asked.
    worker.evaluate(LOSE)
    wait_for(lambda: bool(shown(page)), "the notification is shown")
    assert shown(page)[0]["title"] == "Sitrep can no longer page you here"
    context.close()
