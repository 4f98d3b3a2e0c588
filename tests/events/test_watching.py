"""Watching a live topic: one subscription however many watch, all hear, and what is the same for all is drawn once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from events.live import is_watched
from events.watching import shared, unwatch, watch

TOPIC = "watching-test"


class Page:
    """Somebody who watches and remembers."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def hear(self, event: dict[str, Any]) -> None:
        self.heard.append(event["text"])


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.01)


def run(work: Callable[[], Awaitable[None]]) -> None:
    async_to_sync(work)()


async def tell(text: str) -> None:
    await get_channel_layer().group_send(TOPIC, {"type": "live.message", "text": text})


def test_all_hear_by_one_subscription_which_the_last_to_leave_ends(valkey: redis.Redis) -> None:
    async def work() -> None:
        pages = [Page() for _ in range(3)]
        for page in pages:
            await watch(TOPIC, page)
        layer = get_channel_layer()
        assert len(layer.channels) == 1
        assert is_watched(TOPIC)
        await tell("first")
        await until(lambda: all(page.heard == ["first"] for page in pages))
        await unwatch(TOPIC, pages[0])
        await unwatch(TOPIC, pages[0])
        await tell("second")
        await until(lambda: all(page.heard == ["first", "second"] for page in pages[1:]))
        assert pages[0].heard == ["first"]
        for page in pages[1:]:
            await unwatch(TOPIC, page)
        assert not layer.channels
        assert not layer.groups
        assert not is_watched(TOPIC)

    run(work)


def test_who_comes_after_the_last_has_left_hears_again(valkey: redis.Redis) -> None:
    async def work() -> None:
        first, second = Page(), Page()
        await watch(TOPIC, first)
        await unwatch(TOPIC, first)
        await watch(TOPIC, second)
        await tell("hello")
        await until(lambda: second.heard == ["hello"])
        await unwatch(TOPIC, second)
        assert first.heard == []

    run(work)


def test_what_can_not_be_read_silences_nothing_that_follows(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.watching.PAUSE_SECONDS", 0)

    async def work() -> None:
        page = Page()
        await watch(TOPIC, page)
        layer = get_channel_layer()
        valkey.publish(f"{layer.prefix}__group__{TOPIC}", b"\xc1 is no message")
        await tell("after it")
        await until(lambda: page.heard == ["after it"])
        await unwatch(TOPIC, page)

    run(work)


def test_those_who_ask_while_it_is_drawn_share_the_next_drawing(valkey: redis.Redis) -> None:
    async def work() -> None:
        page, begun, may_end = Page(), [0], asyncio.Event()
        await watch(TOPIC, page)

        async def draw() -> int:
            begun[0] += 1
            number = begun[0]
            await may_end.wait()
            return number

        first = asyncio.create_task(shared(TOPIC, draw))
        await until(lambda: begun == [1])
        others = [asyncio.create_task(shared(TOPIC, draw)) for _ in range(50)]
        await asyncio.sleep(0)
        may_end.set()
        assert await first == 1
        assert set(await asyncio.gather(*others)) == {2}, "what the others lack may have come after the first began"
        assert await shared(TOPIC, draw) == 3
        await unwatch(TOPIC, page)

    run(work)


def test_a_drawing_that_fails_fails_for_those_who_wait_and_not_for_the_next(valkey: redis.Redis) -> None:
    async def work() -> None:
        page = Page()
        await watch(TOPIC, page)

        async def fail() -> None:
            raise LookupError("the incident is gone")

        async def draw() -> str:
            return "drawn"

        with pytest.raises(LookupError):
            await shared(TOPIC, fail)
        assert await shared(TOPIC, draw) == "drawn"
        await unwatch(TOPIC, page)

    run(work)
