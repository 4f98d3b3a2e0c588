"""How an event becomes a new alert: what it names is looked up, and what nobody knows is kept to be told."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from accounts.actor import Actor
from accounts.models import Team
from alerts.dialects import NormalisedEvent
from alerts.models import Alert, AlertSource
from alerts.routing import NewAlert
from catalog.models import Service
from catalog.priorities import priority_of
from oncall.models import EscalationPolicy


class Names:
    """The services, teams and policies that some events name, by slug or name; a slug counts before a name.

    One query for each kind of which anything is named. `owners` are the teams of the sources by their ids.
    """

    def __init__(self, events: Iterable[NormalisedEvent], sources: Iterable[AlertSource] = ()) -> None:
        events = list(events)
        owners = {source.team_id for source in sources} - {None}
        self.owners: dict[int, Team] = Team.objects.in_bulk(list(owners)) if owners else {}
        services = Service.objects.select_related("escalation_policy", "team")
        self.services: dict[str, Service] = _named(services, {event.service for event in events})
        self.teams: dict[str, Team] = _named(Team.objects.all(), {event.team for event in events})
        policies = EscalationPolicy.objects.all()
        self.policies: dict[str, EscalationPolicy] = _named(policies, {event.policy for event in events})


def _named(rows: models.QuerySet[Any], said: set[str]) -> dict[str, Any]:
    asked = Q()
    for name in {each.casefold() for each in said if each}:
        asked |= Q(slug__iexact=name) | Q(name__iexact=name)
    found = list(rows.filter(asked).order_by("-pk")) if asked else []
    return {row.name.casefold(): row for row in found} | {row.slug.casefold(): row for row in found}


def actor_of(source: AlertSource) -> Actor:
    """Whose doing it is that a source's alerts do."""
    return Actor.of_alert_source(source.pk, source.name)


def priority_in(event: NormalisedEvent) -> int:
    """How high an event is, as its sender says or as its severity is called: from 1, the highest, to 5."""
    return event.priority if event.priority is not None else priority_of(event.severity)


def opened(source: AlertSource, event: NormalisedEvent, names: Names, now: datetime) -> NewAlert:
    """The alert that an event opens, without an id, to be decided about."""
    service = names.services.get(event.service.casefold())
    team = names.teams.get(event.team.casefold())
    known = {"service": (event.service, service), "team": (event.team, team)}
    unresolved = [{"field": field, "text": said[:100]} for field, (said, found) in known.items() if said and not found]
    alert = Alert(
        source=source,
        dedup_key=event.dedup_key,
        title=event.title,
        description=event.description,
        severity=event.severity[:60],
        priority=priority_in(event),
        team=team or (service.team if service else None) or names.owners.get(source.team_id or 0),
        service=service,
        service_named=event.service[:100],
        attributes=event.attributes,
        tags=list(event.tags),
        unresolved=[*map(dict, event.unresolved), *unresolved],
        source_url=event.source_url[:1000] if event.source_url.startswith(("http://", "https://")) else "",
        started_at=event.started_at or now,
        told_at=event.started_at,
        expires_at=event.expires_at,
        first_event_at=now,
        last_event_at=now,
    )
    return NewAlert(alert, actor_of(source), policy=names.policies.get(event.policy.casefold()))
