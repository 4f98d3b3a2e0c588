"""The connection to Valkey, one a process, for what is asked of it beside Celery and Channels."""

from functools import lru_cache

import redis
from django.conf import settings


@lru_cache(maxsize=1)
def valkey() -> redis.Redis:
    """A client that any thread may use; every call may raise redis.RedisError."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=2)
