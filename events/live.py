"""Live topics: what was rendered once reaches every open page that watches the topic."""

import json
from typing import Any

import redis
import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings

from events.valkey import valkey

log = structlog.get_logger(__name__)

# What is sent to a topic is `{"type": "live.message", "text": …}`, or asks each watcher to look whether it still may.
RECHECK = "live.recheck"


def push(topic: str, message: dict[str, Any]) -> None:
    """Sends `message` to everybody who watches `topic`: encoded once, the same bytes for all. Call it after the commit.

    Best effort: a page that missed a message asks for what it lacks by sequence.
    """
    _send(topic, {"type": "live.message", "text": json.dumps(message)})


def is_watched(topic: str) -> bool:
    """Whether any page may be watching `topic` at this moment: what nobody sees need not be rendered.

    A page that begins to watch asks for all that it lacks once it does, so ask after the commit. Where the server can't
    tell, somebody may be.
    """
    layers: dict[str, Any] = settings.CHANNEL_LAYERS
    prefix = layers["default"]["CONFIG"]["prefix"]
    try:
        counted: Any = valkey().pubsub_numsub(f"{prefix}__group__{topic}")
        return bool(counted[0][1])
    except redis.RedisError as error:
        log.warning("live_watchers_unknown", topic=topic, error=str(error))
        return True


def recheck(topic: str) -> None:
    """Lets every watcher of `topic` find out whether it still may watch. Call it after the commit."""
    _send(topic, {"type": RECHECK})


def _send(topic: str, event: dict[str, Any]) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(topic, event)
    except Exception as error:  # the channel layer may be down in any of its ways
        log.warning("live_push_failed", topic=topic, error=str(error))
