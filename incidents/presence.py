"""Who looks at an incident at this moment, and who is writing: kept in Valkey, and forgotten when nobody says so anew.

Each open page says every 20 seconds that it is here. A page that no longer does, because its machine, its line or its
server is gone, expires after `ALIVE_SECONDS`; two pages of one person count once. Changes are told to all pages
together, at most once in `JOIN_SECONDS` however many come and go.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from channels.layers import get_channel_layer
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from events.valkey import valkey

log = structlog.get_logger(__name__)

ALIVE_SECONDS = 50.0
JOIN_SECONDS = 1.0
# Of a crowd, those who write and the first to come are named; the rest is a number.
MOST_NAMED = 24
WRITING = ("", "message", "update")

# Returns whether anybody came, went or began to write something else.
_TOUCH = """
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
for _, page in ipairs(gone) do
  redis.call('ZREM', KEYS[1], page)
  redis.call('HDEL', KEYS[2], page)
end
local before = redis.call('HGET', KEYS[2], ARGV[3])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[5])
if #gone > 0 or before ~= ARGV[4] then return 1 end
return 0
"""

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()
_tellers: set[asyncio.Task[bool]] = set()


@dataclass(frozen=True)
class Viewer:
    """Somebody with the page open. `writing` is empty, `message` or `update`."""

    id: int
    name: str
    initials: str
    writing: str = ""


def _valkey() -> Any:
    """The connection of this event loop; its types leave open whether a call is awaited."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        _clients[loop] = Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=2)
    return _clients[loop]


def _prefix() -> str:
    layers: dict[str, Any] = settings.CHANNEL_LAYERS
    return str(layers["default"]["CONFIG"]["prefix"])


def _keys(topic: str) -> tuple[str, str]:
    return f"{_prefix()}:here:{topic}", f"{_prefix()}:viewers:{topic}"


async def touch(topic: str, page: str, viewer: Viewer, *, now: float) -> bool:
    """Notes that the page is open, until `ALIVE_SECONDS` after `now` (Unix seconds); says whether that is news."""
    pages, viewers = _keys(topic)
    told = json.dumps(asdict(viewer))
    arguments = [now, now + ALIVE_SECONDS, page, told, int(2 * ALIVE_SECONDS)]
    return bool(await _valkey().eval(_TOUCH, 2, pages, viewers, *arguments))


async def leave(topic: str, page: str) -> None:
    """Notes that the page is closed."""
    pages, viewers = _keys(topic)
    async with _valkey().pipeline() as pipe:
        await pipe.zrem(pages, page).hdel(viewers, page).execute()


async def here(topic: str, *, now: float) -> list[Viewer]:
    """Who is there at `now`, each once: those who write first, then by who they are."""
    pages, viewers = _keys(topic)
    async with _valkey().pipeline() as pipe:
        alive, told = await pipe.zrangebyscore(pages, f"({now}", "+inf").hgetall(viewers).execute()
    return _viewers(alive, told)


def viewers_of(topic: str, *, now: float) -> list[Viewer]:
    """The same for who does not run in an event loop; empty where Valkey can't tell."""
    pages, viewers = _keys(topic)
    client: Any = valkey()
    try:
        with client.pipeline() as pipe:
            alive, told = pipe.zrangebyscore(pages, f"({now}", "+inf").hgetall(viewers).execute()
    except RedisError as error:
        log.warning("presence_unknown", topic=topic, error=str(error))
        return []
    return _viewers(alive, told)


def _viewers(alive: list[bytes], told: dict[bytes, bytes]) -> list[Viewer]:
    found: dict[int, Viewer] = {}
    for page in alive:
        if page not in told:
            continue
        viewer = Viewer(**json.loads(told[page]))
        known = found.get(viewer.id, viewer)
        found[viewer.id] = replace(viewer, writing=known.writing or viewer.writing)
    return sorted(found.values(), key=lambda viewer: (not viewer.writing, viewer.name, viewer.id))


async def presence_message(topic: str, *, now: float) -> dict[str, Any]:
    """What pages are sent: the first of those who are there, and how many more."""
    people = await here(topic, now=now)
    named = [asdict(viewer) for viewer in people[:MOST_NAMED]]
    return {"type": "presence", "people": named, "more": max(0, len(people) - MOST_NAMED)}


def tell_soon(topic: str, *, clock: Callable[[], float]) -> asyncio.Task[bool]:
    """Tells all pages who is there after `JOIN_SECONDS`, unless somebody is about to. Nobody has to wait for it.

    `clock` returns the time in Unix seconds: what is told is who is there when it is told.
    """
    task = asyncio.get_running_loop().create_task(_tell(topic, clock))
    _tellers.add(task)
    task.add_done_callback(_tellers.discard)
    return task


async def _tell(topic: str, clock: Callable[[], float]) -> bool:
    key = f"{_prefix()}:tell:{topic}"
    try:
        # It outlives the wait a little: whoever dies waiting is followed by the next.
        if not await _valkey().set(key, "1", nx=True, px=int(JOIN_SECONDS * 1000) + 500):
            return False
        await asyncio.sleep(JOIN_SECONDS)
        await _valkey().delete(key)
        text = json.dumps(await presence_message(topic, now=clock()))
        await get_channel_layer().group_send(topic, {"type": "live.message", "text": text})
    except (RedisError, OSError) as error:
        log.warning("presence_not_told", topic=topic, error=str(error))
    return True
