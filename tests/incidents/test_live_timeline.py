"""The websocket of an incident page: what was missed, what happens, and who is cut off."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, cast

import pytest
import redis
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser

from accounts.actor import Actor
from accounts.models import User
from config.sockets import websocket_urlpatterns
from events.live import RECHECK
from incidents import entries, membership
from incidents.consumers import MOST_WAITING, IncidentConsumer
from incidents.models import Incident
from tests.factories import accounts, incidents

pytestmark = pytest.mark.django_db(transaction=True)


def talk(user: User | None, number: int, conversation: Callable[[Any], Awaitable[None]]) -> bool:
    """Opens the socket of an incident as a person and holds the conversation; False if the server refused."""

    async def hold() -> bool:
        scope = {"type": "websocket", "path": f"/ws/incidents/{number}/", "user": user or AnonymousUser()}
        socket: Any = cast(Any, ApplicationCommunicator)(URLRouter(websocket_urlpatterns), scope)
        await socket.send_input({"type": "websocket.connect"})
        answer = await socket.receive_output(timeout=5)
        if answer["type"] == "websocket.accept":
            await conversation(socket)
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(timeout=5)
        return bool(answer["type"] == "websocket.accept")

    return async_to_sync(hold)()


async def say(socket: Any, text: str) -> None:
    await socket.send_input({"type": "websocket.receive", "text": text})


async def until(socket: Any, kind: str) -> list[dict[str, Any]]:
    """The messages up to and with the first of that kind."""
    messages: list[dict[str, Any]] = []
    while not messages or messages[-1]["type"] != kind:
        messages.append(json.loads((await socket.receive_output(timeout=5))["text"]))
    return messages


@pytest.fixture
def ana(valkey: redis.Redis) -> User:
    return accounts.user(name="Ana Ferreira")


@pytest.fixture
def watched(ana: User, now: datetime) -> Incident:
    return incidents.incident(Actor.of_user(ana, via="web"), now=now)


def test_a_page_that_comes_back_is_sent_what_it_missed_in_order(ana: User, watched: Incident, now: datetime) -> None:
    for number in range(250):
        entries.add_note(actor=Actor.of_user(ana, via="web"), incident=watched, text=f"note {number}", now=now)

    async def conversation(socket: Any) -> None:
        await say(socket, json.dumps({"type": "resume", "after": 3}))
        messages = await until(socket, "resumed")
        entries = [message["sequence"] for message in messages if message["type"] == "entry"]
        assert entries == list(range(4, 252))
        assert {message["target"] for message in messages if message["type"] == "fragment"} == {
            "incident-facts",
            "incident-side",
            "incident-update",
        }
        assert messages[-1] == {"type": "resumed", "sequence": 251, "change": None}

    assert talk(ana, watched.number, conversation)


def test_what_one_does_the_other_sees_as_it_happens(ana: User, watched: Incident, now: datetime) -> None:
    async def conversation(socket: Any) -> None:
        await say(socket, json.dumps({"type": "resume", "after": 1}))
        await until(socket, "resumed")
        bob = await sync_to_async(accounts.actor)(name="Bob <b>Okafor</b>")
        await sync_to_async(entries.add_note)(actor=bob, incident=watched, text="Pool <script>x</script>", now=now)
        [*_, message] = await until(socket, "entry")
        assert message["sequence"] == 2
        assert 'id="entry-2"' in message["html"]
        assert "Bob &lt;b&gt;Okafor" in message["html"]
        assert "<script>" not in message["html"]

    assert talk(ana, watched.number, conversation)


def test_somebody_who_is_not_signed_in_is_refused(watched: Incident) -> None:
    async def conversation(socket: Any) -> None:
        raise AssertionError("the socket was opened")

    assert not talk(None, watched.number, conversation)


def test_a_private_incident_refuses_those_outside_like_one_that_does_not_exist(
    ana: User, watched: Incident, now: datetime
) -> None:
    membership.set_visibility(actor=Actor.of_user(ana, via="web"), incident=watched, visibility="private", now=now)

    async def conversation(socket: Any) -> None:
        raise AssertionError("the socket was opened")

    outsider = accounts.user(role="owner")
    assert not talk(outsider, watched.number, conversation)
    assert not talk(outsider, 999_999, conversation)


def test_a_page_goes_silent_when_its_person_loses_access(ana: User, watched: Incident, now: datetime) -> None:
    actor = Actor.of_user(ana, via="web")
    membership.set_visibility(actor=actor, incident=watched, visibility="private", now=now)
    bob = accounts.user()
    membership.add_member(actor=actor, incident=watched, user=bob, now=now)

    async def conversation(socket: Any) -> None:
        await say(socket, json.dumps({"type": "resume", "after": 99}))
        await until(socket, "resumed")
        await sync_to_async(membership.remove_member)(actor=actor, incident=watched, user=bob, now=now)
        messages = await until(socket, "gone")
        assert not [message for message in messages if "access away" in message.get("html", "")], (
            "the entry that tells of the removal is for those inside"
        )
        closed = await socket.receive_output(timeout=5)
        assert closed["type"] == "websocket.close"

    assert talk(bob, watched.number, conversation)


@pytest.mark.parametrize("text", ["", "null", "{}", '{"type": "resume"}', '{"type": "resume", "after": "x"}', "[1]"])
def test_nonsense_from_a_client_is_passed_over(ana: User, watched: Incident, text: str) -> None:
    async def conversation(socket: Any) -> None:
        await say(socket, text)
        await say(socket, json.dumps({"type": "resume", "after": 0}))
        assert (await until(socket, "resumed"))[-1]["sequence"] == 1

    assert talk(ana, watched.number, conversation)


def test_a_page_that_comes_back_hears_of_what_changed_and_of_each_entry_once(
    ana: User, watched: Incident, now: datetime
) -> None:
    actor = Actor.of_user(ana, via="web")
    written = [entries.add_note(actor=actor, incident=watched, text=f"note {number}", now=now) for number in range(3)]
    for text in ("second", "third"):
        entries.edit_entry(actor=actor, entry=written[0], text=text, now=now)
    entries.edit_entry(actor=actor, entry=written[2], is_pinned=True, now=now)

    async def conversation(socket: Any) -> None:
        await say(socket, json.dumps({"type": "resume", "after": 4, "changed_after": 1}))
        messages = await until(socket, "resumed")
        changed = [message for message in messages if message["type"] == "entry-changed"]
        assert [(message["sequence"], message["change"]) for message in changed] == [(2, 2), (4, 3)]
        assert "third" in changed[0]["html"]
        assert messages[-1] == {"type": "resumed", "sequence": 4, "change": 3}
        await sync_to_async(entries.edit_entry)(actor=actor, entry=written[1], is_key=True, now=now)
        [*_, message] = await until(socket, "entry-changed")
        assert (message["sequence"], message["change"]) == (3, 4)

    assert talk(ana, watched.number, conversation)


def test_a_line_that_is_too_slow_loses_what_it_can_ask_for_but_never_that_its_access_ended() -> None:
    async def fill() -> list[str]:
        page = IncidentConsumer()
        page.heard = asyncio.Queue()
        for number in range(MOST_WAITING + 50):
            page.hear({"type": "live.message", "text": str(number)})
        page.hear({"type": RECHECK})
        return [page.heard.get_nowait()["type"] for _ in range(page.heard.qsize())]

    kinds = async_to_sync(fill)()
    assert len(kinds) == MOST_WAITING + 1
    assert kinds[-1] == RECHECK


def test_what_happens_while_a_page_catches_up_comes_after_it(
    ana: User, watched: Incident, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The live message of an entry that is also sent as missed must not come in between and look like a gap."""
    actor = Actor.of_user(ana, via="web")
    for number in range(20):
        entries.add_note(actor=actor, incident=watched, text=f"note {number}", now=now)
    drawn, hear, heard = vars(IncidentConsumer)["fragments"], IncidentConsumer.hear, asyncio.Event()

    def noting(page: IncidentConsumer, event: dict[str, Any]) -> None:
        hear(page, event)
        heard.set()

    monkeypatch.setattr(IncidentConsumer, "hear", noting)

    async def meanwhile(page: IncidentConsumer) -> list[str]:
        await sync_to_async(entries.add_note)(actor=actor, incident=watched, text="meanwhile", now=now)
        await asyncio.wait_for(heard.wait(), timeout=5)
        texts: list[str] = await drawn(page)
        return texts

    monkeypatch.setattr(IncidentConsumer, "fragments", meanwhile)

    async def conversation(socket: Any) -> None:
        await say(socket, json.dumps({"type": "resume", "after": 1}))
        caught_up = await until(socket, "resumed")
        assert "meanwhile" not in json.dumps(caught_up)
        assert caught_up[-1]["sequence"] == 21
        assert (await until(socket, "entry"))[-1]["sequence"] == 22

    assert talk(ana, watched.number, conversation)
