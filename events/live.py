"""Live topics: what was rendered once reaches every open page that watches the topic."""

from typing import Any

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

log = structlog.get_logger(__name__)


def push(topic: str, message: dict[str, Any]) -> None:
    """Sends `message` (JSON) to everybody who watches `topic`; call it after the commit.

    Best effort: a page that missed a message asks for what it lacks by sequence.
    """
    layer = get_channel_layer()
    try:
        async_to_sync(layer.group_send)(topic, {"type": "live.message", "message": message})
    except Exception as error:  # the channel layer may be down in any of its ways
        log.warning("live_push_failed", topic=topic, error=str(error))
