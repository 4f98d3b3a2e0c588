"""Takes the pictures of README and docs from a running Sitrep with the demo organisation: `make screenshots`."""

import logging
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests import chromium, engines
from tests.browser.conftest import LAPTOP, PHONE, sign_in, tell_story
from tests.journeys.harness import Sitrep, installed

TARGET = Path(__file__).parent / "screenshots"
PICTURES = [
    # file, address, window, theme
    ("incident", "/incidents/{incident}/", LAPTOP, "light"),
    ("incident-dark", "/incidents/{incident}/", LAPTOP, "dark"),
    ("incident-phone", "/incidents/{incident}/", PHONE, "light"),
    ("incident-phone-dark", "/incidents/{incident}/", PHONE, "dark"),
    ("board", "/incidents/board/", LAPTOP, "light"),
    ("wall", "/incidents/wall/", LAPTOP, "dark"),
    ("home", "/", LAPTOP, "light"),
    ("alerts", "/alerts/?status=firing", LAPTOP, "light"),
    ("schedule", "/oncall/schedules/primary-on-call/", LAPTOP, "light"),
    # The fortnight in which Berlin's clocks go forward.
    ("clock-change", "/oncall/schedules/primary-on-call/?from=2027-03-22", LAPTOP, "light"),
    ("policy", "/oncall/policies/production-critical/", LAPTOP, "light"),
    ("simulator", "/oncall/simulator/?policy=production-critical", LAPTOP, "light"),
    ("postmortem", "/postmortems/{postmortem}/", LAPTOP, "light"),
    ("workflow-editor", "/workflows/call-in-the-vendor/edit/#steps-head", LAPTOP, "light"),
    ("workflow-run", "/workflows/runs/{workflow_run}/", LAPTOP, "light"),
    ("status-page", "/status/example/", LAPTOP, "light"),
]
# Whose window it is, where it is not Dan's.
SEEN_BY = {"home": "bob", "workflow-editor": "admin"}
# A page that waits for its answer; printed is the secret part of its link.
PAGE_SOMEBODY = """
from django.utils import timezone
from oncall.links import page_token
from oncall.models import Page
from tests.browser.story import fire
fire(timezone.now(), title="Checkout returns 502 for every order", severity="critical", service="checkout",
     dedup_key="checkout-502", description="No order has gone through since 03:12.")
page = Page.objects.filter(channel="email").latest("pk")
print("TOKEN", page_token(page.pk, page.user_id))
"""
# Three levels until somebody answers; in one transaction, so that no worker joins in. Printed is the escalation.
THREE_LEVELS = """
from datetime import timedelta
from django.db import transaction
from django.utils import timezone
from accounts.actor import Actor
from accounts.models import User
from oncall.actions import acknowledge_escalation, start_escalation
from oncall.engine import tick
from oncall.models import EscalationPolicy
from oncall.sending import send_due
now = timezone.now()
with transaction.atomic():
    escalation = start_escalation(
        actor=Actor.system("Payments monitor"), policy=EscalationPolicy.objects.get(slug="production-critical"),
        title="Card payments are declined in Europe", now=now - timedelta(minutes=20),
        facts={"service": "Payments", "severity": "critical"},
    )
    for minutes in (20, 15, 10):
        tick(now - timedelta(minutes=minutes))
        send_due(now - timedelta(minutes=minutes))
    ana = Actor.of_user(User.objects.get(email="ana@example.com"), via="web")
    acknowledge_escalation(actor=ana, escalation=escalation, now=now - timedelta(minutes=8))
print("ESCALATION", escalation.pk)
"""


def take(browser: Browser, sitrep: Sitrep, story: dict[str, str]) -> None:
    """Takes every picture."""
    for name, address, window, theme in PICTURES:
        context = browser.new_context(
            base_url=sitrep.url,
            viewport=window,
            reduced_motion="reduce",
            timezone_id="Europe/Berlin",
        )
        page = context.new_page()
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        if not address.startswith("/status/"):
            sign_in(page, sitrep, f"{SEEN_BY.get(name, 'dan')}@example.com")
        page.goto(address.format_map(story), wait_until="networkidle")
        page.evaluate("document.getElementById('toasts')?.replaceChildren()")
        page.screenshot(path=TARGET / f"{name}.png")
        context.close()
    context = browser.new_context(base_url=sitrep.url, viewport=LAPTOP, reduced_motion="reduce")
    page = context.new_page()
    sign_in(page, sitrep, "ana@example.com")
    page.goto(f"/oncall/escalations/{told(sitrep, THREE_LEVELS, 'ESCALATION')}/", wait_until="networkidle")
    page.screenshot(path=TARGET / "ledger.png", full_page=True)
    context.close()
    token = told(sitrep, PAGE_SOMEBODY, "TOKEN")
    page = browser.new_context(base_url=sitrep.url, viewport=PHONE, reduced_motion="reduce").new_page()
    page.goto(f"/p/{token}/", wait_until="networkidle")
    page.screenshot(path=TARGET / "acknowledge-phone.png")


def told(sitrep: Sitrep, script: str, word: str) -> str:
    """Runs a script beside the installation and returns what it printed after a word."""
    printed = sitrep.manage("shell", "-c", script)
    return next(line.split()[1] for line in printed.splitlines() if line.startswith(word))


def main() -> None:
    """Starts engines, an installation and Chromium, and stops them again."""
    program = chromium.find()
    if program is None:
        sys.exit(chromium.MISSING)
    TARGET.mkdir(exist_ok=True)
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    engines.start_engines()
    try:
        with tempfile.TemporaryDirectory() as directory, installed(Path(directory)) as sitrep:
            sitrep.start()
            sitrep.wait_until_ready()
            story = tell_story(sitrep)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=str(program), args=chromium.ARGUMENTS)
                take(browser, sitrep, story)
                browser.close()
    finally:
        engines.pytest_unconfigure()


if __name__ == "__main__":
    main()
