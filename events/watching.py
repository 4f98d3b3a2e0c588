"""Who watches a live topic in this process: one subscription for each topic, however many pages are open.

What comes in is put before all watchers at once. Each takes it when it can, in order, so that a slow line holds nobody
else up.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

import structlog
from channels.layers import get_channel_layer

log = structlog.get_logger(__name__)
Drawn = TypeVar("Drawn")

# After a message that can't be read: a layer that fails at once each time must not keep the process busy.
PAUSE_SECONDS = 1.0


class Watcher(Protocol):
    """Somebody who watches a topic."""

    def hear(self, event: dict[str, Any]) -> None:
        """Takes note of what `events.live` has sent to the topic. It may neither wait nor fail."""


class _Topic:
    """A topic that is listened to, and who watches it."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.watchers: set[Watcher] = set()
        self.listener: asyncio.Task[None] | None = None
        self.drawing = asyncio.Lock()
        self.drawn_next: asyncio.Task[Any] | None = None

    async def listen(self) -> None:
        layer = get_channel_layer()
        while True:
            try:
                event = await layer.receive(self.channel)
            except Exception as error:  # one message that can't be read must not silence all that follow
                log.warning("live_message_unread", error=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            for watcher in tuple(self.watchers):
                watcher.hear(event)


class _Topics:
    """The topics of one event loop."""

    def __init__(self) -> None:
        self.by_name: dict[str, _Topic] = {}
        self.changing = asyncio.Lock()


_topics: WeakKeyDictionary[asyncio.AbstractEventLoop, _Topics] = WeakKeyDictionary()


def _here() -> _Topics:
    return _topics.setdefault(asyncio.get_running_loop(), _Topics())


async def watch(name: str, watcher: Watcher) -> None:
    """Has the watcher hear of all that is sent to the topic from now on, until `unwatch`.

    Raises what the channel layer raises while it can't be reached.
    """
    topics = _here()
    async with topics.changing:
        topic = topics.by_name.get(name)
        if topic is None:
            layer = get_channel_layer()
            topic = _Topic(await layer.new_channel())
            await layer.group_add(name, topic.channel)
            topic.listener = asyncio.get_running_loop().create_task(topic.listen())
            topics.by_name[name] = topic
        topic.watchers.add(watcher)


async def unwatch(name: str, watcher: Watcher) -> None:
    """Ends what `watch` began; the last watcher to leave ends the subscription. Harmless a second time."""
    topics = _here()
    async with topics.changing:
        topic = topics.by_name.get(name)
        if topic is None:
            return
        topic.watchers.discard(watcher)
        if topic.watchers:
            return
        del topics.by_name[name]
        if topic.listener is not None:
            topic.listener.cancel()
            with suppress(asyncio.CancelledError):
                await topic.listener
        await get_channel_layer().group_discard(name, topic.channel)


async def shared(name: str, draw: Callable[[], Awaitable[Drawn]]) -> Drawn:
    """What `draw` returns, once for all watchers of the topic that ask before it begins.

    A thousand pages that come back at the same time cost two drawings: the one that is under way, which began before
    the others came and may lack what they lack, and the next.
    """
    topic = _here().by_name[name]

    async def in_turn() -> Drawn:
        async with topic.drawing:
            topic.drawn_next = None
            return await draw()

    if topic.drawn_next is None:
        topic.drawn_next = asyncio.get_running_loop().create_task(in_turn())
    drawn: Drawn = await asyncio.shield(topic.drawn_next)
    return drawn
