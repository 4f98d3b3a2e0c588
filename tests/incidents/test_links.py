"""Links of an incident: their kind guessed, their title asked of the page behind them, never from inside."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from accounts.actor import Actor
from events.actions import deliver_due
from events.errors import Invalid, NotFound
from incidents import links, membership
from incidents.models import Incident
from tests.factories import accounts, incidents


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://github.com/example/payments/pull/812", "pull_request"),
        ("https://gitlab.example.com/a/b/-/merge_requests/7", "pull_request"),
        ("https://github.com/example/payments/actions/runs/99", "deploy"),
        ("https://github.com/example/payments/issues/3", "ticket"),
        ("https://example.atlassian.net/browse/PAY-12", "ticket"),
        ("https://grafana.example.com/d/abc/payments", "dashboard"),
        ("https://docs.google.com/document/d/1", "document"),
        ("https://wiki.example.com/wiki/Runbook", "document"),
        ("https://example.com/", "other"),
    ],
)
def test_an_address_tells_what_stands_behind_it(url: str, kind: str) -> None:
    assert links.kind_of(url) == kind


@pytest.mark.parametrize(
    ("html", "title"),
    [
        ("<html><head><title> Pool\n size </title></head>", "Pool size"),
        (
            '<head><title>x</title><meta property="og:title" content="Raise the pool &amp; wait">',
            "Raise the pool & wait",
        ),
        ('<head><title>Kept</title><meta property="og:title" content="">', "Kept"),
        ("<body><svg><title>Not this</title></svg>", ""),
        ("", ""),
    ],
)
def test_a_page_tells_what_it_is_called(html: str, title: str) -> None:
    assert links.title_of(html) == title


class Page(BaseHTTPRequestHandler):
    """Answers with a page that has a name, with one that never ends, or with a picture."""

    def do_GET(self) -> None:
        body = b"<title>Runbook: pools</title>" if self.path == "/runbook" else b"x" * 300_000
        self.send_response(200)
        self.send_header("Content-Type", "image/png" if self.path == "/picture" else "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def actor(db: None) -> Actor:
    return accounts.actor(name="Ana Ferreira")


@pytest.fixture
def room(actor: Actor, now: datetime) -> Incident:
    return incidents.incident(actor, now=now)


def add(actor: Actor, room: Incident, url: str, now: datetime, **more: str) -> Any:
    link = links.add_link(actor=actor, incident=room, url=url, now=now, **more)
    deliver_due(now + timedelta(days=300))
    link.refresh_from_db()
    return link


def test_the_page_behind_a_link_names_it(actor: Actor, room: Incident, site: str, now: datetime, settings: Any) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    assert add(actor, room, f"{site}/runbook", now).title == "Runbook: pools"
    assert add(actor, room, f"{site}/endless", now).title == "", "more than 200 kB are not read"
    assert add(actor, room, f"{site}/picture", now).title == ""
    assert str(room.links.last()) == f"{site}/picture"


def test_nothing_inside_the_private_network_is_asked(actor: Actor, room: Incident, site: str, now: datetime) -> None:
    link = add(actor, room, f"{site}/runbook", now)
    assert (link.title, link.is_read) == ("", True)


def test_a_name_that_somebody_gave_stays_and_the_same_address_is_one_link(
    actor: Actor, room: Incident, site: str, now: datetime, settings: Any
) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    assert add(actor, room, f"{site}/runbook", now, title="How to").title == "How to"
    assert add(actor, room, f"{site}/runbook", now, title="What to do").title == "What to do"
    assert room.links.count() == 1
    assert room.timeline.filter(kind="link").count() == 1


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "ftp://example.com/x", "https://", "nonsense with spaces"])
def test_what_a_browser_could_not_open_is_refused(actor: Actor, room: Incident, now: datetime, url: str) -> None:
    with pytest.raises(Invalid) as refused:
        links.add_link(actor=actor, incident=room, url=url, now=now)
    assert refused.value.field == "url"


def test_a_link_is_taken_off_once(actor: Actor, room: Incident, now: datetime) -> None:
    link = links.add_link(actor=actor, incident=room, url="https://example.com", now=now, title="X")
    links.remove_link(actor=actor, link=link, now=now)
    links.remove_link(actor=actor, link=link, now=now)
    assert room.timeline.filter(kind="link").count() == 2
    membership.set_visibility(actor=actor, incident=room, visibility="private", now=now)
    with pytest.raises(NotFound):
        links.add_link(actor=accounts.actor(), incident=room, url="https://example.com", now=now)
