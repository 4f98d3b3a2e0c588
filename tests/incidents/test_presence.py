"""Who is here: two pages count once, who is gone is forgotten, a crowd's coming and going is told together."""

import asyncio
import json
import time
from datetime import datetime
from typing import Any

import pytest
import redis
from asgiref.sync import async_to_sync, sync_to_async

from accounts.actor import Actor
from accounts.models import User
from incidents import membership, presence
from incidents.consumers import said_to_write
from incidents.models import Incident
from tests.factories import accounts, incidents
from tests.incidents.test_live_timeline import say, talk, until

TOPIC = "incident.presence-test"
ANA = presence.Viewer(1, "Ana", "A")
BOB = presence.Viewer(2, "Bob", "B")


def names(*, now: float) -> list[str]:
    return [viewer.name for viewer in async_to_sync(presence.here)(TOPIC, now=now)]


def touch(page: str, viewer: presence.Viewer, *, now: float) -> bool:
    return async_to_sync(presence.touch)(TOPIC, page, viewer, now=now)


def test_two_pages_of_one_person_count_once(valkey: redis.Redis) -> None:
    assert touch("page-1", ANA, now=1000)
    assert touch("page-2", ANA, now=1000)
    touch("page-3", BOB, now=1001)
    assert names(now=1002) == ["Ana", "Bob"]
    async_to_sync(presence.leave)(TOPIC, "page-1")
    assert names(now=1002) == ["Ana", "Bob"], "the other page is still open"
    async_to_sync(presence.leave)(TOPIC, "page-2")
    assert names(now=1002) == ["Bob"]


def test_a_beat_that_says_nothing_new_is_no_news(valkey: redis.Redis) -> None:
    assert touch("page-1", ANA, now=1000)
    assert not touch("page-1", ANA, now=1020)
    assert touch("page-1", presence.Viewer(1, "Ana", "A", "update"), now=1021)


def test_who_says_nothing_any_more_is_forgotten_and_the_next_beat_of_another_tells_so(valkey: redis.Redis) -> None:
    touch("page-1", ANA, now=1000)
    touch("page-2", BOB, now=1030)
    assert names(now=1000 + presence.ALIVE_SECONDS + 1) == ["Bob"]
    assert touch("page-2", BOB, now=1000 + presence.ALIVE_SECONDS + 1), "that Ana is gone is news"


def test_who_writes_comes_first_whichever_page_they_write_on(valkey: redis.Redis) -> None:
    touch("page-1", ANA, now=1000)
    touch("page-2", BOB, now=1000)
    touch("page-3", presence.Viewer(2, "Bob", "B", "message"), now=1000)
    first, second = async_to_sync(presence.here)(TOPIC, now=1001)
    assert presence.viewers_of(TOPIC, now=1001) == [first, second], "the same outside of an event loop"
    assert (first.name, first.writing) == ("Bob", "message")
    assert (second.name, second.writing) == ("Ana", "")


def test_of_a_crowd_some_are_named_and_the_rest_is_a_number(valkey: redis.Redis) -> None:
    for each in range(presence.MOST_NAMED + 6):
        touch(f"page-{each}", presence.Viewer(each, f"Person {each:03}", "P"), now=1000)
    message = async_to_sync(presence.presence_message)(TOPIC, now=1001)
    assert len(message["people"]) == presence.MOST_NAMED
    assert message["more"] == 6


def test_changes_of_a_second_are_told_together(valkey: redis.Redis) -> None:
    async def three_at_once() -> list[bool]:
        return await asyncio.gather(*(presence.tell_soon(TOPIC, clock=lambda: 1000.0) for _ in range(3)))

    assert sorted(async_to_sync(three_at_once)()) == [False, False, True]


@pytest.mark.parametrize(
    ("text", "writing"),
    [
        ('{"type": "here"}', ""),
        ('{"type": "here", "writing": "update"}', "update"),
        ('{"type": "here", "writing": "a novel"}', None),
        ('{"type": "here", "writing": []}', None),
        ('{"type": "resume", "after": 1}', None),
        ("[]", None),
        ("nonsense", None),
    ],
)
def test_only_what_is_known_is_believed(text: str, writing: str | None) -> None:
    assert said_to_write(text) == writing


@pytest.fixture
def ana(valkey: redis.Redis) -> User:
    return accounts.user(name="Ana Ferreira")


@pytest.fixture
def watched(ana: User, now: datetime) -> Incident:
    return incidents.incident(Actor.of_user(ana, via="web"), now=now)


@pytest.mark.django_db(transaction=True)
def test_whoever_comes_is_told_who_is_there_and_the_others_hear_of_it(ana: User, watched: Incident) -> None:
    bob = presence.Viewer(99, "Bob Okafor", "BO")

    async def conversation(socket: Any) -> None:
        await presence.touch(watched.live_topic, "elsewhere", bob, now=time.time())
        await say(socket, '{"type": "here", "writing": ""}')
        [*_, at_once] = await until(socket, "presence")
        assert [person["name"] for person in at_once["people"]] == ["Ana Ferreira", "Bob Okafor"]
        [*_, joined] = await until(socket, "presence")
        assert joined["people"] == at_once["people"]
        await say(socket, '{"type": "here", "writing": "update"}')
        [*_, writing] = await until(socket, "presence")
        assert writing["people"][0] == {"id": ana.pk, "name": "Ana Ferreira", "initials": "AF", "writing": "update"}

    assert talk(ana, watched.number, conversation)
    left = async_to_sync(presence.here)(watched.live_topic, now=time.time())
    assert [viewer.name for viewer in left] == ["Bob Okafor"], "a socket that closed is gone at once"


@pytest.mark.django_db(transaction=True)
def test_a_removed_member_vanishes_from_those_who_are_here(ana: User, watched: Incident, now: datetime) -> None:
    actor = Actor.of_user(ana, via="web")
    membership.set_visibility(actor=actor, incident=watched, visibility="private", now=now)
    bob = accounts.user(name="Bob Okafor")
    membership.add_member(actor=actor, incident=watched, user=bob, now=now)

    async def conversation(socket: Any) -> None:
        await say(socket, json.dumps({"type": "here", "writing": "message"}))
        await until(socket, "presence")
        await sync_to_async(membership.remove_member)(actor=actor, incident=watched, user=bob, now=now)
        await until(socket, "gone")
        assert (await socket.receive_output(timeout=5))["type"] == "websocket.close"
        await say(socket, json.dumps({"type": "here", "writing": "message"}))

    assert talk(bob, watched.number, conversation)
    assert async_to_sync(presence.here)(watched.live_topic, now=time.time()) == []
