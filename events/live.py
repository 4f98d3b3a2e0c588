"""Live topics: what was rendered once reaches every open page that watches the topic."""

import json
from typing import Any

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

log = structlog.get_logger(__name__)


def push(topic: str, message: dict[str, Any]) -> None:
    """Sends `message` to everybody who watches `topic`: encoded once, the same bytes for all. Call it after the commit.

    Best effort: a page that missed a message asks for what it lacks by sequence.
    """
    _send(topic, {"type": "live.message", "text": json.dumps(message)})


def recheck(topic: str) -> None:
    """Lets every watcher of `topic` find out whether it still may watch. Call it after the commit."""
    _send(topic, {"type": "live.recheck"})


def _send(topic: str, event: dict[str, Any]) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(topic, event)
    except Exception as error:  # the channel layer may be down in any of its ways
        log.warning("live_push_failed", topic=topic, error=str(error))
