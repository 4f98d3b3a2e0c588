"""Status pages to test with."""

from datetime import UTC, datetime
from typing import Any

from accounts.actor import Actor
from statuspage import actions
from statuspage.models import Component, PublicIncident, StatusPage

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def page(*component_names: str, now: datetime = LONG_AGO, **fields: Any) -> StatusPage:
    """A page with these components, operational for a long time."""
    fields = {"name": "Example", "slug": "example", **fields}
    made = actions.save_page(actor=Actor.system(), now=now, **fields)
    for name in component_names:
        component(made, name, now=now)
    return made


def component(page: StatusPage, name: str = "API", *, now: datetime = LONG_AGO, **fields: Any) -> Component:
    return actions.save_component(actor=Actor.system(), page=page, name=name, now=now, **fields)


def public_incident(page: StatusPage, *, now: datetime, **fields: Any) -> PublicIncident:
    """Published by Sitrep itself unless `actor` is given."""
    fields = {"actor": Actor.system(), "name": "Errors on checkout", "body": "We are looking into it.", **fields}
    return actions.publish_incident(page=page, now=now, **fields)
