"""Chromium, and pages that report what a browser complains about."""

import json
import subprocess
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    StorageState,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests import chromium
from tests.browser.story import PASSWORD
from tests.journeys.harness import ROOT, Sitrep, wait_for, web

LAPTOP = ViewportSize(width=1366, height=768)
PHONE = ViewportSize(width=390, height=844)
# A heading is there before the scripts are; keys and dialogs work once they have started.
READY = "html[data-ready]"
READY_HEADING = f"{READY} h1"
# Milliseconds until what does not show counts as broken: long enough for a small machine with other work.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)

# A violation of the content security policy is an event; it is kept in the page for the test to read.
WATCH_POLICY = """
window.policyViolations = [];
addEventListener("securitypolicyviolation", (event) =>
  policyViolations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile ?? ""}:${event.lineNumber}`)
);
"""


@dataclass
class Watched:
    """A page and everything that went wrong in it."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(WATCH_POLICY)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", self._on_error)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(f"{message.text} ({message.location.get('url')})")

    def _on_error(self, error: Error) -> None:
        self.errors.append(str(error))

    def complaints(self) -> list[str]:
        """What the console and the policy complained about since the last time, and forgets it."""
        found = self.errors + list(self.page.evaluate("window.policyViolations ?? []"))
        self.errors = []
        return found


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """One Chromium for the tests of a file."""
    program = chromium.find()
    assert program is not None, chromium.MISSING
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(program), args=chromium.ARGUMENTS)
        yield running
        running.close()


def wait_until_up(sitrep: Sitrep) -> None:
    """Returns when the web server answers; the workers may not run at all."""

    def is_up() -> bool:
        try:
            return web.get(f"{sitrep.url}/healthz").is_success
        except httpx.HTTPError:
            return False

    wait_for(is_up, "the web server answers")


def tell_story(sitrep: Sitrep, *options: str) -> dict[str, str]:
    """Fills the installation and returns the addresses of what was made."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.browser.story", *options],
        cwd=ROOT,
        env=sitrep.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr[-3000:]
    addresses: dict[str, str] = json.loads(told.stdout.splitlines()[-1])
    return addresses


def arrive(page: Page, address: str) -> None:
    """Returns when a click or a key has led to an address (a glob) and the page's scripts have started."""
    page.wait_for_url(address)
    expect(page.locator(READY)).to_be_attached()


def sign_in(page: Page, sitrep: Sitrep, email: str) -> None:
    """Signs in by the form, as a person does."""
    page.goto(f"{sitrep.url}/account/login/")
    page.locator("[name=login]").fill(email)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    arrive(page, f"{sitrep.url}/")


@pytest.fixture(scope="module")
def sessions() -> dict[tuple[str, str], StorageState]:
    """What a browser keeps of those who have signed in, by address and person."""
    return {}


@pytest.fixture
def people(browser: Browser, sessions: dict[tuple[str, str], StorageState]) -> Generator[Callable[..., Page]]:
    """Opens a window of somebody's own: `people(sitrep, "ana@example.com")`; only the first signs in by the form."""
    contexts: list[BrowserContext] = []

    def open_window(sitrep: Sitrep, email: str, **options: Any) -> Page:
        # What moves is drawn sixty times a second, without a graphics card by the cores that all else needs.
        given = {"viewport": LAPTOP, "reduced_motion": "reduce", **options}
        known = sessions.get((sitrep.url, email))
        context = browser.new_context(base_url=sitrep.url, storage_state=known, **given)
        contexts.append(context)
        page = context.new_page()
        if known:
            page.goto("/")
            arrive(page, f"{sitrep.url}/")
        else:
            sign_in(page, sitrep, email)
            sessions[sitrep.url, email] = context.storage_state()
        return page

    yield open_window
    for context in contexts:
        context.close()
