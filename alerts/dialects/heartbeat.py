"""Heartbeats: no wire format at all. Their source only gives a home to the alerts of those that are late.

Each heartbeat is pinged at an address of its own (alerts/views/pings.py); what is posted there is not read.
"""

from alerts.dialects.format import Dialect, DialectError, NormalisedEvent, Request

NAME = "heartbeat"


def parse(request: Request) -> list[NormalisedEvent]:
    """Nothing can be sent to it; raises DialectError."""
    raise DialectError("A source of heartbeats takes no alerts.", remedy="Ping the address of one of its heartbeats.")


DIALECT = Dialect(name=NAME, label="Heartbeats", addresses=(), parse=parse, sample=None)
