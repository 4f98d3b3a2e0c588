"""Pages through the services that Apprise knows: only those on the network, never past the operator's walls."""

import json
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from events.outbound import AddressRefused
from oncall.channels.apprise import masked, parse, send
from oncall.models import ContactMethod
from tests.oncall.messages import message
from tests.oncall.servers import Quiet, served


class Ntfy(ThreadingHTTPServer):
    """A server of ntfy: topics are posted to its root as JSON, behind a password."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Takes)
        self.status = 200
        self.received: list[dict[str, Any]] = []

    @property
    def address(self) -> str:
        return f"ntfy://ana:secret-word@127.0.0.1:{self.server_port}/pages"


class Takes(Quiet):
    server: Ntfy

    def do_POST(self) -> None:  # noqa: N802  (http.server calls it by this name)
        body = json.loads(self.body())
        if not (self.headers["Authorization"] or "").startswith("Basic "):
            return self.reply(401, b"{}")
        self.server.received.append(body)
        return self.reply(self.server.status, b'{"error": "no"}' if self.server.status >= 400 else b"{}")


@pytest.fixture
def ntfy(settings: Settings) -> Iterator[Ntfy]:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    server = Ntfy()
    with served(server):
        yield server


def method(address: str) -> ContactMethod:
    return ContactMethod(kind=ContactMethod.Kind.APPRISE, address="shown", secret=address)


def test_the_service_gets_the_page_with_its_link(ntfy: Ntfy) -> None:
    result = send(method(ntfy.address), message())
    assert (result.outcome, result.provider) == ("accepted", "ntfy")
    [received] = ntfy.received
    assert received["topic"] == "pages"
    assert received["title"] == "Payment API returning 500 errors"
    assert "http://localhost/p/token/" in received["message"]


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, "accepted"), (401, "refused"), (404, "refused"), (500, "failed"), (429, "failed")]
)
def test_what_the_service_answers_decides(ntfy: Ntfy, status: int, outcome: str) -> None:
    ntfy.status = status
    assert send(method(ntfy.address), message()).outcome == outcome


def test_a_redirect_leads_nowhere(ntfy: Ntfy) -> None:
    ntfy.status = 302
    assert send(method(ntfy.address + "?redirect=yes"), message()).outcome == "failed"
    assert parse(ntfy.address + "?redirect=yes").redirects is False
    assert len(ntfy.received) == 1


def test_what_is_shown_holds_no_secret(ntfy: Ntfy) -> None:
    shown = masked(ntfy.address)
    assert shown.startswith("ntfy://")
    assert "secret-word" not in shown
    assert "123456789:abcdefg" not in masked("tgram://123456789:abcdefg_hijklmnop/12315544/")


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "syslog://",
        "dbus://",
        "gnome://",
        "mailto://user:password@example.com",
        "mqtt://127.0.0.1/topic",
        "json://127.0.0.1/",
        "xml://127.0.0.1/",
        "form://127.0.0.1/",
        "https://example.com/hook",
        "vapid://someone@example.com",
        "smpp://user:password@127.0.0.1/1/2",
        "nonsense",
        "",
        "tgram://",
    ],
)
def test_what_is_no_service_on_the_network_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        parse(address)
    assert send(method(address), message()).outcome == "refused"


@pytest.mark.parametrize(
    "address",
    [
        "ntfy://127.0.0.1/topic",
        "ntfys://[::1]/topic",
        "gotify://localhost/AbCdEfGhIjKlMnO",
        "mmost://10.0.0.1/3ccdd113474722377935511fc85d3dd4",
        "matrix://user:password@192.168.1.1/#room",
        "rocket://user:password@169.254.169.254/#channel",
        "zulip://bot@127.0.0.1/a6k4m4v1jz6n8jd6gqm4z7gqe8ju9q4x",
    ],
)
def test_a_private_host_is_refused_unless_the_operator_allows_it(settings: Settings, address: str) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = False
    result = send(method(address), message())
    assert result.outcome == "refused"
    assert "private network" in result.detail


def test_a_matrix_server_may_not_name_another_host(settings: Settings) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    assert parse("matrixs://user:password@127.0.0.1/#room?discovery=yes").discovery is False  # type: ignore[attr-defined]
