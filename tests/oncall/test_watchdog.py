"""The watchdog pages from another host, with a copy of the roster, when Sitrep itself has stopped."""

import json
import threading
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.core.management import CommandError, call_command

from oncall.roster_copy import on_call_in
from oncall.watchdog import Watch, Watchdog, addresses_of, deliver
from tests.journeys.harness import Mailbox, free_port, text_of

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ROSTER = {
    "made_at": NOW.isoformat(),
    "until": (NOW + timedelta(days=7)).isoformat(),
    "shifts": [
        {
            "schedule": "Primary",
            "start": "2026-03-09T09:00:00+00:00",
            "end": "2026-03-16T09:00:00+00:00",
            "people": ["1"],
        },
        {
            "schedule": "Primary",
            "start": "2026-03-16T09:00:00+00:00",
            "end": "2026-03-17T12:00:00+00:00",
            "people": ["2"],
        },
        {
            "schedule": "Backup",
            "start": "2026-03-09T09:00:00+00:00",
            "end": "2026-03-17T12:00:00+00:00",
            "people": ["1"],
        },
    ],
    "people": {
        "1": {"name": "Ana", "emails": ["ana@example.com"], "phones": ["+491511234567"]},
        "2": {"name": "Bob", "emails": ["bob@example.com"], "phones": []},
    },
}


class Site(ThreadingHTTPServer):
    """A Sitrep that may be down, and the webhook that is told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.is_up = True
        self.told: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        if not self.server.is_up:
            self.answer(503, {"engine": "failed"})
        elif self.path == "/readyz":
            self.answer(200, {"engine": "ok"})
        elif self.headers["Authorization"] == "Bearer key":
            self.answer(200, ROSTER)
        else:
            self.answer(401, {})

    def do_POST(self) -> None:
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer(200, {})

    def answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def site() -> Generator[Site]:
    server = Site()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def mailbox() -> Generator[tuple[Mailbox, int]]:
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=free_port(), ready_timeout=30)
    server.start()
    yield box, server.port
    server.stop()


def watchdog(site: Site, path: Path, *notify: str, token: str = "key") -> Watchdog:
    said: list[str] = []
    watch = Watch(3, timedelta(minutes=10))
    return Watchdog(
        url=site.url, notify=notify or [f"{site.url}/hook"], watch=watch, roster_path=path, token=token, say=said.append
    )


def test_it_alarms_after_three_failures_in_a_row_again_after_a_while_and_says_when_it_is_over() -> None:
    watch = Watch(3, timedelta(minutes=10))
    seen = [watch.see(is_up, NOW) for is_up in (False, False, True, False, False, False, False)]
    assert seen == ["", "", "", "", "", "alarm", ""]
    assert watch.see(False, NOW + timedelta(minutes=9)) == ""
    assert watch.see(False, NOW + timedelta(minutes=10)) == "alarm"
    assert [watch.see(True, NOW), watch.see(True, NOW)] == ["recovered", ""]


def test_whoever_is_on_call_is_told_by_the_copy_of_the_roster_when_the_site_stops(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "roster.json"
    dog = watchdog(site, path)
    assert dog.turn(NOW) == ""
    assert path.stat().st_mode & 0o777 == 0o600
    site.is_up = False
    assert [dog.turn(NOW + number * SECOND) for number in range(3)] == ["", "", "alarm"]
    (told,) = site.told
    assert told["title"] == f"Sitrep does not page: {site.url}"
    assert [person["name"] for person in told["people"]] == ["Ana"]
    assert "On call: Ana." in told["detail"]
    assert "/readyz answered 503" in told["detail"]
    site.is_up = True
    assert dog.turn(NOW + timedelta(minutes=1)) == "recovered"
    assert site.told[1]["title"] == f"Sitrep is back: {site.url}"


def test_a_watchdog_that_starts_while_the_site_is_down_reads_the_copy_that_is_there(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "roster.json"
    watchdog(site, path).turn(NOW)
    site.is_up = False
    dog = watchdog(site, path)
    monday = datetime(2026, 3, 16, 10, tzinfo=UTC)
    assert [dog.turn(monday) for _ in range(3)][-1] == "alarm"
    assert {person["name"] for person in site.told[0]["people"]} == {"Ana", "Bob"}


def test_without_a_roster_and_with_an_old_one_it_says_so_and_tells_all_the_same(site: Site, tmp_path: Path) -> None:
    site.is_up = False
    dog = watchdog(site, tmp_path / "none.json")
    for _ in range(3):
        dog.turn(NOW)
    assert "There is no copy of the roster." in site.told[0]["detail"]
    # When even the copy has ended, everybody whom it knows is better than nobody.
    assert [person["name"] for person in on_call_in(ROSTER, NOW + timedelta(days=30))] == ["Ana", "Bob"]


def test_a_key_that_may_not_read_the_roster_is_said_and_nothing_else_suffers(site: Site, tmp_path: Path) -> None:
    dog = watchdog(site, tmp_path / "roster.json", token="wrong")
    said: list[str] = []
    dog.say = said.append
    assert dog.turn(NOW) == ""
    assert "The roster could not be fetched: HTTPStatusError" in said[0]


def test_people_are_mailed_by_smtp_and_one_place_that_fails_keeps_nobody_from_being_told(
    site: Site, tmp_path: Path, mailbox: tuple[Mailbox, int]
) -> None:
    box, port = mailbox
    mails = f"smtp://127.0.0.1:{port}/?from=watchdog@example.com&to=ops@example.com"
    dog = watchdog(site, tmp_path / "roster.json", f"http://127.0.0.1:{free_port()}/", mails)
    dog.turn(NOW)
    site.is_up = False
    for _ in range(3):
        dog.turn(NOW)
    (mail,) = box.mails
    assert mail["To"] == "ana@example.com, ops@example.com"
    assert mail["From"] == "watchdog@example.com"
    assert "On call: Ana." in text_of(mail)


def test_an_apprise_address_is_used_for_each_persons_number(site: Site) -> None:
    people = list(ROSTER["people"].values())  # type: ignore[attr-defined]
    assert addresses_of("twilio://sid:token@4930123456/{phone}", people) == [
        "twilio://sid:token@4930123456/491511234567"
    ]
    assert len(addresses_of("mailto://x?to={email}", people)) == 2
    assert addresses_of("ntfy://topic", people) == ["ntfy://topic"]
    deliver(f"json://127.0.0.1:{site.server_port}/apprise", people, "Sitrep does not page", "On call: Ana.")
    assert site.told[0]["title"] == "Sitrep does not page"


def test_looking_once_fails_when_the_site_is_not_ready(site: Site, tmp_path: Path) -> None:
    arguments = [
        "watchdog",
        "--url",
        site.url,
        "--notify",
        f"{site.url}/hook",
        "--roster",
        str(tmp_path / "r"),
        "--once",
    ]
    call_command(*arguments)
    site.is_up = False
    with pytest.raises(CommandError, match="503"):
        call_command(*arguments)
    assert site.told == []
