"""What many events make of alerts: deduplicated, counted, opened, resolved; read and written together."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from accounts.actor import Actor
from alerts.dialects import NormalisedEvent
from alerts.models import Alert, AlertSource, Outcome, RawEvent
from alerts.resolving import close_alert
from alerts.routing import NewAlert, Router
from catalog.models import Service
from events.rows import inserting, next_ids, write
from oncall.actions import acknowledge_escalation
from oncall.models import Escalation

# The source and the dedup key: what makes two events the same alert while it fires.
Key = tuple[int, str]
# By hand: each alert counts on from what is stored, not from what was read.
STORE_REPEATS = """
UPDATE alerts_alert SET count = count + again.times, last_event_at = %s, last_raw_event_id = again.raw_id
FROM unnest(%s::bigint[], %s::int[], %s::bigint[]) AS again(id, times, raw_id) WHERE alerts_alert.id = again.id
"""


class Batch:
    """Events in the order in which they came, inside one transaction.

    `add` says what becomes of each: a mapping of `outcome` and `alert` (its id or None) that is right once `write` has
    stored it all. The number of statements grows with the alerts that resolve and the incidents that are declared or
    joined, not with the events.
    """

    def __init__(self, events: Iterable[tuple[AlertSource, NormalisedEvent]], now: datetime) -> None:
        self.now = now
        self._router = Router(now)
        self._new: dict[Key, tuple[NewAlert, dict[str, Any]]] = {}
        self._repeats: dict[int, tuple[int, RawEvent | None]] = {}
        keyed = [((source.pk, event.dedup_key), event) for source, event in events]
        self._firing = _firing({key for key, _event in keyed})
        self._services = _services({event.service.casefold() for _key, event in keyed if event.service})
        opening = {key for key, event in keyed if event.status == "firing" and key not in self._firing}
        self._ids = next_ids(Alert, len(opening))

    def add(self, source: AlertSource, event: NormalisedEvent, raw: RawEvent | None) -> dict[str, Any]:
        """Applies one event."""
        key = (source.pk, event.dedup_key)
        if event.status != "firing":
            return self._change(key, source, event.status)
        if key in self._new:
            alert = self._new[key][0].alert
            alert.count, alert.last_raw_event = alert.count + 1, raw
            return {"outcome": Outcome.DEDUPLICATED, "alert": alert.pk}
        if key in self._firing:
            pk = self._firing[key]
            self._repeats[pk] = (self._repeats.get(pk, (0, None))[0] + 1, raw)
            return {"outcome": Outcome.DEDUPLICATED, "alert": pk}
        new = NewAlert(self._alert(source, event, raw), actor_of(source))
        told = {"outcome": new.outcome, "alert": new.alert.pk}
        self._new[key] = (new, told)
        return told

    def write(self) -> None:
        """Routes and stores what is new, and counts what was repeated."""
        # One order for all who open alerts, so that none waits for another in a circle.
        new = [self._new[key] for key in sorted(self._new)]
        self._new = {}
        if new:
            self._router.apply_routes(sorted((each for each, _told in new), key=lambda each: each.alert.pk))
            write(*inserting([each.alert for each, _told in new]))
        for each, told in new:
            told["outcome"] = each.outcome
            self._firing[(each.alert.source_id, each.alert.dedup_key)] = each.alert.pk
        if self._repeats:
            rows = [(pk, times, raw.pk if raw else None) for pk, (times, raw) in sorted(self._repeats.items())]
            with connection.cursor() as cursor:
                cursor.execute(STORE_REPEATS, [self.now, *map(list, zip(*rows, strict=True))])
            self._repeats = {}

    def _change(self, key: Key, source: AlertSource, status: str) -> dict[str, Any]:
        """Resolves the alert that fires under the key, or acknowledges what pages for it."""
        if key in self._new:
            self.write()
        pk = self._firing.get(key)
        if pk is None:
            return {"outcome": Outcome.NOTHING_OPEN, "alert": None}
        if status == "resolved":
            del self._firing[key]
            close_alert(actor=actor_of(source), alert=Alert(pk=pk), now=self.now)
            return {"outcome": Outcome.RESOLVED, "alert": pk}
        escalation = Escalation.objects.open().filter(alerts=pk).first()
        if escalation is None:
            return {"outcome": Outcome.NOTHING_OPEN, "alert": pk}
        acknowledge_escalation(actor=actor_of(source), escalation=escalation, now=self.now)
        return {"outcome": Outcome.ACKNOWLEDGED, "alert": pk}

    def _alert(self, source: AlertSource, event: NormalisedEvent, raw: RawEvent | None) -> Alert:
        """A new alert, not yet stored."""
        if not self._ids:
            self._ids = next_ids(Alert, 1)
        return Alert(
            pk=self._ids.pop(0),
            source=source,
            dedup_key=event.dedup_key,
            title=event.title,
            description=event.description,
            severity=event.severity[:60],
            service=self._services.get(event.service.casefold()) if event.service else None,
            service_named=event.service[:100],
            attributes=event.attributes,
            source_url=event.source_url[:1000] if event.source_url.startswith(("http://", "https://")) else "",
            started_at=event.started_at or self.now,
            first_event_at=self.now,
            last_event_at=self.now,
            last_raw_event=raw,
        )


def actor_of(source: AlertSource) -> Actor:
    """Whose doing it is that a source's alerts do."""
    return Actor.of_alert_source(source.pk, source.name)


def _firing(keys: set[Key]) -> dict[Key, int]:
    """The ids of the alerts that fire under these keys, locked."""
    found = (
        Alert.objects.select_for_update()
        .filter(
            source_id__in={source_id for source_id, _name in keys},
            dedup_key__in={name for _source_id, name in keys},
            status=Alert.Status.FIRING,
        )
        .order_by("pk")
        .values_list("source_id", "dedup_key", "pk")
    )
    return {(source_id, name): pk for source_id, name, pk in found if (source_id, name) in keys}


def _services(named: set[str]) -> dict[str, Service]:
    """The services of these slugs or names, by what they were called; a slug counts before a name."""
    if not named:
        return {}
    asked = Q()
    for name in named:
        asked |= Q(slug__iexact=name) | Q(name__iexact=name)
    found = list(Service.objects.select_related("escalation_policy", "team").filter(asked).order_by("-pk"))
    return {service.name.casefold(): service for service in found} | {
        service.slug.casefold(): service for service in found
    }
