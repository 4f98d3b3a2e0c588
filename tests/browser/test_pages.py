"""Every page, on a light laptop and a dark phone: accessible, quiet in the console, never wider than the screen."""

import re
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from playwright.sync_api import Browser, Page, Response, expect

from alerts.dialects import DIALECTS
from tests.browser.conftest import LAPTOP, PHONE, Watched, sign_in, tell_story, wait_until_up
from tests.journeys.harness import Sitrep, installed

pytestmark = [pytest.mark.browser, pytest.mark.journey]

# Each page by the name of its address, with what the address takes: a literal, or {what} the story made.
PAGES: dict[str, dict[str, str]] = {
    "home": {},
    "accounts:settings": {},
    "accounts:api-keys": {},
    "accounts:api-key-new": {},
    "accounts:people": {},
    "accounts:person-invite": {},
    "accounts:person": {"pk": "{person}"},
    "accounts:teams": {},
    "accounts:team-new": {},
    "accounts:team": {"slug": "payments"},
    "accounts:team-edit": {"slug": "payments"},
    "oncall:answer": {"token": "{waiting_token}"},
    "oncall:prove": {"token": "{proof_token}"},
    "oncall:now": {},
    "oncall:pages": {},
    "oncall:schedules": {},
    "oncall:schedule-new": {},
    "oncall:schedule": {"slug": "primary-on-call"},
    "oncall:schedule-edit": {"slug": "primary-on-call"},
    "oncall:override-add": {"slug": "primary-on-call"},
    "oncall:cover-new": {"slug": "primary-on-call"},
    "oncall:swap-new": {"slug": "primary-on-call"},
    "oncall:shadow-new": {"slug": "primary-on-call"},
    "oncall:calendars": {"slug": "search-on-call"},
    "oncall:feeds": {},
    "oncall:covers": {},
    "oncall:cover": {"pk": "{cover}"},
    "oncall:leave": {},
    "oncall:policies": {},
    "oncall:policy-new": {},
    "oncall:policy": {"slug": "production-critical"},
    "oncall:policy-edit": {"slug": "production-critical"},
    "oncall:escalations": {},
    "oncall:escalation": {"pk": "{escalation}"},
    "oncall:simulator": {},
    "oncall:paging-tests": {},
    "oncall:paging-test-new": {},
    "oncall:paging-test": {"pk": "{paging_test}"},
    "oncall:profile": {},
    "oncall:me": {},
    "oncall:handovers": {},
    "oncall:handover": {"pk": "{handover}"},
    "oncall:handover-note": {"slug": "primary-on-call"},
    "oncall:surveys": {},
    "oncall:survey-answer": {"pk": "{survey}"},
    "oncall:survey": {"token": "{survey_token}"},
    "oncall:statements": {},
    "oncall:rate-tables": {},
    "oncall:rate-table-new": {},
    "oncall:rate-table": {"pk": "{rate_table}"},
    "oncall:reports": {},
    "oncall:boards": {},
    "oncall:board-embed": {"token": "{board_token}"},
    "oncall:mails": {},
    "catalog:services": {},
    "catalog:service-new": {},
    "catalog:service": {"slug": "payments"},
    "catalog:service-edit": {"slug": "payments"},
    "catalog:functionalities": {},
    "catalog:functionality-new": {},
    "catalog:functionality-edit": {"slug": "payment"},
    "incidents:list": {},
    "incidents:board": {},
    "incidents:wall": {},
    "incidents:declare": {},
    "incidents:detail": {"number": "{incident}"},
    "incidents:brief": {"number": "{incident}"},
    "incidents:configured": {"slug": "severities"},
    "incidents:configured-new": {"slug": "announcements"},
    "incidents:configured-edit": {"slug": "qualifications", "pk": "1"},
    "alerts:list": {},
    "alerts:detail": {"pk": "{alert}"},
    "alerts:sources": {},
    "alerts:source-new": {},
    "alerts:source": {"slug": "demo"},
    "alerts:source-edit": {"slug": "demo"},
    "alerts:source-mapping": {"slug": "demo"},
    "alerts:raw-event": {"pk": "{raw_event}"},
    "alerts:outcomes": {},
    "alerts:changes": {},
    "alerts:change": {"pk": "{change}"},
    "alerts:heartbeats": {},
    "alerts:heartbeat-new": {},
    "alerts:heartbeat": {"pk": "{heartbeat}"},
    "alerts:heartbeat-edit": {"pk": "{heartbeat}"},
    "alerts:page": {},
    "alerts:noise": {},
    "alerts:windows": {},
    "alerts:window-new": {},
    "alerts:window": {"pk": "{window}"},
    "alerts:window-edit": {"pk": "{window}"},
    "alerts:routes": {},
    "alerts:route-new": {},
    "alerts:route-edit": {"pk": "{route}"},
    "postmortems:list": {},
    "postmortems:detail": {"pk": "{postmortem}"},
    "postmortems:edit": {"pk": "{postmortem}"},
    "postmortems:section": {"pk": "{postmortem}", "slug": "timeline"},
    "postmortems:action-item-new": {"number": "{incident}"},
    "postmortems:action-items": {},
    "postmortems:action-item": {"pk": "{action_item}"},
    "statuspage:list": {},
    "statuspage:new": {},
    "statuspage:detail": {"slug": "example"},
    "statuspage:settings": {"slug": "example"},
    "statuspage:component-new": {"slug": "example"},
    "statuspage:component": {"slug": "example", "component_id": "{component}"},
    "statuspage:publish": {"slug": "example"},
    "statuspage:incidents": {"slug": "example"},
    "statuspage:incident": {"slug": "example", "public_id": "{public_incident}"},
    "status:page": {"slug": "example"},
    "status:history": {"slug": "example"},
    "status:incident": {"slug": "example", "public_id": "{public_incident}"},
    "workflows:list": {},
    "workflows:new": {},
    "workflows:create": {},
    "workflows:import": {},
    "workflows:detail": {"slug": "call-in-the-vendor"},
    "workflows:edit": {"slug": "call-in-the-vendor"},
    "workflows:json": {"slug": "call-in-the-vendor"},
    "workflows:versions": {"slug": "call-in-the-vendor"},
    "workflows:version": {"slug": "call-in-the-vendor", "number": "2"},
    "workflows:runs": {},
    "workflows:run": {"pk": "{workflow_run}"},
    "deliveries": {},
    "styleguide": {},
    "account_logout": {},
    "account_email": {},
    "account_change_password": {},
    "mfa_index": {},
}
# Pages that the story leads to beside their plain addresses: full, private, filtered to nothing, answered, missing.
MORE = [
    "/incidents/{private}/",
    "/settings/incidents/checklist/",
    "/settings/incidents/announcements/",
    "/incidents/{crowded}/",
    "/incidents/?q=nothing-has-this-name",
    "/incidents/?severity=sev1&open=true",
    "/incidents/board/?by=severity",
    "/alerts/?status=resolved",
    "/settings/deliveries/?state=done",
    "/oncall/?at=2026-03-29T01:30",
    "/oncall/schedules/search-on-call/",
    "/oncall/schedules/search-on-call/edit/",
    "/oncall/schedules/search-on-call/?span=day&from=2026-10-25",
    "/oncall/schedules/search-on-call/?span=month&zone=mine",
    "/oncall/escalations/{ledger}/",
    "/oncall/simulator/?policy=production-critical&at=2026-03-29T01:30&later=60&urgency=low&facts=severity",
    "/p/{answered_token}/",
    "/p/forged/",
    "/no-such-page/",
]
# Both widths and both themes; colours are the same at both widths.
VIEWS = [(LAPTOP, "light"), (PHONE, "dark")]
CONTRAST: dict[str, Any] = {"runOnly": ["color-contrast"]}
EXCEPT_CONTRAST: dict[str, Any] = {"rules": {"color-contrast": {"enabled": False}}}
SIGNED_OUT = ["/account/login/", "/account/password/reset/", "/incidents/", "/status/no-such-page/"]
# Addresses that answer a form or a program, or that somebody else draws.
NOT_PAGES = {
    *("alerts:window-preview", "alerts:window-extend", "alerts:window-end", "alerts:window-cancel"),
    *("accounts:view-save", "accounts:view-remove"),
    *("alerts:bulk", "alerts:mark"),
    *("search", "frame", "metrics", "delivery-retry", "accounts:api-key-revoke"),
    *("oncall:schedule-remove", "oncall:override-remove", "oncall:policy-remove", "oncall:escalation-acknowledge"),
    *("oncall:statements-compute", "oncall:statements-approve", "oncall:statements-export", "oncall:board-remove"),
    *("oncall:rate-table-remove", "oncall:paging-test-check", "oncall:paging-tests-check", "oncall:push-renew"),
    *("oncall:schedule-preview", "oncall:schedule-new-preview", "oncall:swap-undo", "oncall:shadow-remove"),
    *("oncall:cover-accept", "oncall:cover-decline", "oncall:cover-withdraw", "oncall:leave-remove"),
    *("oncall:feed", "oncall:feed-open", "oncall:feed-rotate", "oncall:feed-close"),
    *("oncall:calendar-read", "oncall:calendar-remove"),
    *("oncall:escalation-decline", "oncall:escalation-escalate", "oncall:escalation-reassign"),
    *("oncall:escalation-help", "oncall:escalation-snooze", "oncall:escalation-again", "oncall:paging-test-remove"),
    *(
        "oncall:escalation-resolve",
        "oncall:policy-preview",
        "oncall:contact-method-add",
        "oncall:contact-method-switch",
    ),
    *("oncall:answer-act", "oncall:twilio-sms", "oncall:twilio-voice", "oncall:twilio-status", "oncall:service-worker"),
    *("oncall:manifest", "oncall:push-subscribe", "oncall:contact-method-code", "oncall:contact-method-verify"),
    *("oncall:contact-method-secret", "oncall:contact-method-row", "oncall:rules-save", "oncall:quiet-hours-save"),
    *("oncall:contact-method-remove", "oncall:contact-method-test", "oncall:mail", "catalog:service-remove"),
    *("incidents:settings", "incidents:announcement-preview", "incidents:grant-qualification"),
    *("incidents:revoke-qualification", "incidents:configured-order", "incidents:configured-archive"),
    *("incidents:configured-restore", "incidents:configured-remove", "incidents:configured-move"),
    *("incidents:unfollow-by-link", "incidents:update-starts", "incidents:correct-update", "incidents:update-form"),
    *("incidents:timer", "incidents:follow", "incidents:unfollow", "incidents:todo", "incidents:todo-assign"),
    *("incidents:todo-done", "incidents:todo-reopen", "incidents:todo-remove", "incidents:checklist-tick"),
    "incidents:checklist-untick",
    *("incidents:set", "incidents:csv", "incidents:dialogs"),
    *("incidents:write", "incidents:completions", "incidents:entry", "incidents:entry-mark", "incidents:entry-remove"),
    *("incidents:entry-restore", "incidents:entry-react", "incidents:file", "incidents:links", "incidents:link-remove"),
    "incidents:timeline-export",
    *("incidents:timeline", "incidents:note", "incidents:update", "incidents:edit", "incidents:status"),
    *("incidents:severity", "incidents:role", "incidents:service", "incidents:page", "incidents:add-member"),
    *("incidents:take-role", "incidents:leave-role", "incidents:fields", "incidents:page-service"),
    *("incidents:declare-by-type", "incidents:blast", "incidents:similar"),
    *("incidents:remove-member", "incidents:visibility", "incidents:mitigate", "incidents:resolve", "incidents:reopen"),
    *("incidents:accept", "incidents:decline", "incidents:cancel", "incidents:close", "incidents:merge"),
    *("incidents:unmerge", "incidents:stream", "incidents:pause", "incidents:resume", "incidents:type"),
    "incidents:time",
    *(f"alerts:receive-{dialect}" for dialect in DIALECTS),
    *("alerts:acknowledge", "alerts:resolve", "alerts:ping", "alerts:ping-incidentio", "alerts:opsgenie"),
    "alerts:alertmanager-api",
    *("alerts:heartbeat-switch", "alerts:heartbeat-rotate", "alerts:heartbeat-remove"),
    *("alerts:source-rotate", "alerts:source-test", "alerts:source-events", "alerts:source-days"),
    *("alerts:raw-event-retry", "alerts:raw-event-resolve", "alerts:raw-event-set-aside", "alerts:failed-retry"),
    *("alerts:route-remove", "alerts:route-move", "alerts:routes-order", "alerts:route-payload"),
    *("alerts:route-preview", "alerts:route-backtest", "alerts:source-mapping-preview"),
    *("postmortems:preview", "postmortems:status", "postmortems:refresh", "postmortems:start"),
    *("postmortems:action-item-status", "statuspage:component-status", "statuspage:component-remove"),
    *("workflows:workflow-hook", "workflows:export", "workflows:run-cancel", "workflows:run-again"),
    *("workflows:preview", "workflows:draft-try", "workflows:step-new", "workflows:step-form", "workflows:step-copy"),
    *("workflows:try", "workflows:switch", "workflows:move", "workflows:remove", "workflows:rotate"),
    *("workflows:start", "workflows:version-restore"),
    *("statuspage:preview", "status:atom", "status:rss", "status:summary", "api:schema", "api:docs"),
}
NOT_OURS = ("admin:", "account_", "mfa_", "api-root", "api:")


@pytest.fixture(scope="module")
def sitrep(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sitrep]:
    """An installation full of things; only its web server runs."""
    with installed(tmp_path_factory.mktemp("pages")) as running:
        # Without a mail server mail is kept, and has its page.
        del running.environment["EMAIL_URL"]
        running.start("web")
        yield running


@pytest.fixture(scope="module")
def story(sitrep: Sitrep) -> dict[str, str]:
    told = tell_story(sitrep, "--full")
    wait_until_up(sitrep)
    return told


@pytest.fixture(scope="module")
def admin(browser: Browser, sitrep: Sitrep, story: dict[str, str]) -> Watched:
    page = still_page(browser, sitrep)
    sign_in(page, sitrep, "admin@example.com")
    return Watched(page)


@pytest.fixture(scope="module")
def stranger(browser: Browser, sitrep: Sitrep, story: dict[str, str]) -> Watched:
    return Watched(still_page(browser, sitrep))


def still_page(browser: Browser, sitrep: Sitrep) -> Page:
    """A window in which nothing moves, so that colours are what they are."""
    return browser.new_context(base_url=sitrep.url, reduced_motion="reduce").new_page()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound(name: str, admin: Watched, story: dict[str, str]) -> None:
    address = reverse(name, kwargs={key: value.format_map(story) for key, value in PAGES[name].items()})
    answer = admin.page.goto(address)
    assert answer is not None
    assert answer.status == 200
    assert_is_sound(admin)


@pytest.mark.parametrize("address", MORE)
def test_a_page_under_strain_is_sound(address: str, admin: Watched, story: dict[str, str]) -> None:
    answer = admin.page.goto(address.format_map(story))
    assert_is_sound(admin, forgive=is_missing(answer))


@pytest.mark.parametrize("address", SIGNED_OUT)
def test_a_page_for_whoever_is_not_signed_in_is_sound(address: str, stranger: Watched) -> None:
    answer = stranger.page.goto(address)
    assert_is_sound(stranger, forgive=is_missing(answer))


def is_missing(answer: Response | None) -> str:
    """What the console says of its own accord when the page itself is an error page."""
    assert answer is not None
    assert answer.status < 500
    return f"status of {answer.status}" if answer.status >= 400 else "nothing"


def assert_is_sound(watched: Watched, *, forgive: str = "nothing") -> None:
    """Looks at the page that is open, on a light laptop and on a dark phone."""
    page = watched.page
    found = []
    for width, theme in VIEWS:
        page.set_viewport_size(width)
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        # Contrast takes longer than all other rules together: the frame of each page is asked for it on one of them.
        framed = "html" if page.url.endswith("/oncall/") else "main"
        lines = [*violations(page, EXCEPT_CONTRAST, "html"), *violations(page, CONTRAST, framed)]
        found += [f"{width['width']} {theme}: {line}" for line in lines]
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if too_wide > 0:
            found.append(f"{width['width']}: {too_wide} px wider than the screen")
    found += [line for line in watched.complaints() if forgive not in line]
    assert not found, "\n".join(found)


def violations(page: Page, options: dict[str, Any], within: str) -> Iterator[str]:
    """What axe finds within the element, or in all of a page that has none, a line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    # Axe would fetch the style sheets again, into an inline style that the policy refuses.
    asked = [within, {"preload": False, "resultTypes": ["violations"], **options}]
    run = "([within, options]) => axe.run(document.querySelector(within) ?? document, options)"
    found = page.evaluate(f"{run}.then((result) => result.violations)", asked)
    for violation in found:
        for node in violation["nodes"]:
            yield f"{violation['id']}: {violation['help']}: {node['html'][:200]} {node['failureSummary'][:300]}"


@pytest.mark.parametrize(
    "opener", ["Post update", "Page…", "Assign…", "Change…", "Resolve", "More", "Search", "Your menu"]
)
def test_what_opens_on_the_incident_page_is_sound(opener: str, admin: Watched, story: dict[str, str]) -> None:
    admin.page.set_viewport_size(LAPTOP)
    admin.page.goto("/incidents/{incident}/".format_map(story))
    admin.page.locator(
        f"summary[aria-label='{opener}'], summary:has-text('{opener}'), button:has-text('{opener}'):visible"
    ).first.click()
    assert_is_sound(admin)


def test_the_editor_of_an_incident_is_fetched_without_a_complaint(admin: Watched, story: dict[str, str]) -> None:
    admin.page.set_viewport_size(LAPTOP)
    admin.page.goto("/incidents/{incident}/".format_map(story))
    admin.page.locator("summary[aria-label='More']").click()
    with admin.page.expect_response("**/edit/"):
        admin.page.get_by_role("button", name="Edit name, summary, reach").click()
    expect(admin.page.locator("#edit-dialog").get_by_label("Users affected")).to_have_value("15000")
    assert_is_sound(admin)


def test_every_address_is_known_here() -> None:
    """A page that is added must be looked at too."""
    names = set(named(get_resolver()))
    unknown = {name for name in names - NOT_PAGES - PAGES.keys() if not name.startswith(NOT_OURS)}
    assert unknown == set()


def named(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from named(pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)
        elif isinstance(pattern, URLPattern) and pattern.name and not str(pattern.pattern).startswith("^"):
            yield namespace + pattern.name


def test_the_public_page_works_without_a_script_and_weighs_less_than_50_kb(
    browser: Browser, sitrep: Sitrep, story: dict[str, str]
) -> None:
    page = browser.new_context(base_url=sitrep.url, java_script_enabled=False).new_page()
    answers: list[Response] = []

    def keep(answer: Response) -> None:
        answers.append(answer)

    page.on("response", keep)
    page.goto("/status/example/", wait_until="networkidle")
    expect(page.get_by_role("heading", name="Payments fail for some customers")).to_be_visible()
    expect(page.get_by_text("We know the cause and are adding capacity.")).to_be_visible()
    assert sum(len(answer.body()) for answer in answers) < 50_000
    page.get_by_role("link", name="history").first.click()
    page.wait_for_url("**/status/example/history/**")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_viewer_sees_no_button_that_would_be_refused(browser: Browser, sitrep: Sitrep, story: dict[str, str]) -> None:
    page = browser.new_context(base_url=sitrep.url, viewport=LAPTOP).new_page()
    sign_in(page, sitrep, "vera@example.com")
    for address in ("/", "/incidents/{incident}/", "/alerts/{alert}/", "/postmortems/{postmortem}/", "/alerts/routes/"):
        page.goto(address.format_map(story))
        offered = page.locator("main form[method=post] button:visible, .btn-primary:visible, main [data-opens]:visible")
        assert offered.all_text_contents() == [], address
        assert page.get_by_role("link", name=re.compile("^Declare")).count() == 0
    page.goto("/incidents/{private}/".format_map(story))
    assert page.get_by_role("heading", level=1).text_content() != ""
    assert "ระบบ" not in page.content()
