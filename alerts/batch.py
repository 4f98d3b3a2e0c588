"""What many events make of alerts: deduplicated, counted, opened, resolved; read and written together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.actor import Actor
from alerts.changes import fact_of, noted
from alerts.dialects import NormalisedEvent
from alerts.models import Alert, AlertSource, Change, Outcome, RawEvent
from alerts.opening import Names, actor_of, opened, priority_in
from alerts.repeats import Repeated, apply_repeats
from alerts.resolving import close_alert, hold_until_quiet
from alerts.routing import NewAlert, Router
from alerts.standing import Key, standing_of
from alerts.verbs import add_notes, apply_change, ask_responders
from events.actions import publishing
from events.rows import inserting, next_ids, write
from oncall.actions import acknowledge_escalation
from oncall.models import Escalation

# By hand: each alert counts on from what is stored, not from what was read.
STORE_REPEATS = """
UPDATE alerts_alert AS alert
SET count = alert.count + again.times, last_event_at = %s, last_raw_event_id = again.raw_id,
    told_at = GREATEST(alert.told_at, again.told_at), expires_at = COALESCE(again.expires_at, alert.expires_at),
    held = CASE alert.held WHEN 'flapping' THEN '' ELSE alert.held END,
    due_at = CASE alert.held WHEN 'flapping' THEN NULL ELSE alert.due_at END
FROM unnest(%s::bigint[], %s::int[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])
    AS again(id, times, raw_id, told_at, expires_at)
WHERE alert.id = again.id
"""
STORE_EARLY_ENDS = """
INSERT INTO alerts_earlyend (source_id, dedup_key, ended_at, seen_at)
SELECT source_id, dedup_key, ended_at, %s FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[])
    AS ended(source_id, dedup_key, ended_at)
ORDER BY source_id, dedup_key
ON CONFLICT (source_id, dedup_key) DO UPDATE
SET ended_at = GREATEST(alerts_earlyend.ended_at, EXCLUDED.ended_at), seen_at = EXCLUDED.seen_at
"""


@dataclass
class Repeats:
    """How often an alert was told of again, and what the newest of these events said."""

    times: int = 0
    raw: RawEvent | None = None
    told_at: datetime | None = None
    expires_at: datetime | None = None
    events: list[NormalisedEvent] = field(default_factory=list)


class Batch:
    """Events in the order in which they came, inside one transaction.

    `add` says what becomes of each: a mapping of `outcome` and `alert` (its id or None) that is right once `write` has
    stored it all. The number of statements grows with the alerts that resolve or change and the incidents that are
    declared or joined, not with the events.
    """

    def __init__(self, events: Iterable[tuple[AlertSource, NormalisedEvent]], now: datetime) -> None:
        self.now = now
        self._router = Router(now)
        self._new: dict[Key, tuple[NewAlert, dict[str, Any]]] = {}
        self._repeats: dict[int, Repeats] = {}
        self._early: dict[Key, datetime] = {}
        # What became of the events that have opened alerts which wait: it may be known before the batch ends.
        self._waiting: dict[int, dict[str, Any]] = {}
        # What was said about alerts: the id of each, the words, and who said them.
        self._notes: list[tuple[int, str, str]] = []
        self._changes: list[Change] = []
        self._asked: list[tuple[NewAlert, list[Mapping[str, str]]]] = []
        told = list(events)
        keyed = [((source.pk, event.dedup_key), event) for source, event in told]
        self._standing = standing_of({key for key, event in keyed if event.status != "noted"}, now)
        self._change_ids = next_ids(Change, sum(event.status == "noted" for _key, event in keyed))
        self._names = Names([event for _source, event in told], [source for source, _event in told])
        opening = {key for key, event in keyed if event.status == "firing" and not self._standing[key].firing}
        self._ids = next_ids(Alert, len(opening))

    # --- Each event ---------------------------------------------------------------------------------------------------

    def add(self, source: AlertSource, event: NormalisedEvent, raw: RawEvent | None) -> dict[str, Any]:
        """Applies one event."""
        key = (source.pk, event.dedup_key)
        if event.status == "noted":
            change = noted(source, event, raw, self._names.services.get(event.service.casefold()), self.now)
            change.pk = self._change_ids.pop(0)
            self._changes.append(change)
            return {"outcome": Outcome.NOTED, "alert": None, "change": change.pk}
        if event.status == "firing":
            return self._fire(key, source, event, raw)
        if key in self._new:
            self.write()
        told = self._apply(key, source, event)
        waited = self._waiting.get(told["alert"])
        if waited is not None:
            waited["outcome"] = Alert.objects.values_list("outcome", flat=True).get(pk=told["alert"])
        return told

    def _apply(self, key: Key, source: AlertSource, event: NormalisedEvent) -> dict[str, Any]:
        """Applies an event about what fires already."""
        if event.status == "changed":
            return apply_change(actor_of(source), event, self._alert_of(key, event), now=self.now)
        if event.status == "resolved":
            return self._resolve(key, source, event)
        return self._acknowledge(key, source, event)

    def _fire(self, key: Key, source: AlertSource, event: NormalisedEvent, raw: RawEvent | None) -> dict[str, Any]:
        known = self._standing[key]
        if key in self._new:
            alert = self._new[key][0].alert
            alert.count, alert.last_raw_event = alert.count + 1, raw
            alert.told_at = _newest(alert.told_at, event.started_at)
            return {"outcome": Outcome.DEDUPLICATED, "alert": alert.pk}
        if known.firing is not None:
            again = self._repeats.setdefault(known.firing.pk, Repeats())
            again.times, again.raw = again.times + 1, raw
            again.told_at = known.firing.told_at = _newest(known.firing.told_at, event.started_at)
            again.expires_at = event.expires_at or again.expires_at
            if source.mapping or priority_in(event) < known.firing.priority:
                again.events.append(event)
            return {"outcome": Outcome.DEDUPLICATED, "alert": known.firing.pk}
        if known.is_late(event.started_at):
            return {"outcome": Outcome.LATE, "alert": known.ended_id}
        new = self._opened(source, event)
        new.alert.first_raw_event = new.alert.last_raw_event = raw
        if event.responders:
            self._ask(new, event)
        self._notes.append((new.alert.pk, event.note, event.by or source.name))
        told = {"outcome": Outcome.RECORDED, "alert": new.alert.pk}
        self._new[key] = (new, told)
        return told

    def _ask(self, new: NewAlert, event: NormalisedEvent) -> None:
        """The first policy or team that a sender names decides whom to page; the others are asked to help."""
        known = {"escalation": event.policy if new.policy is not None else "", "team": event.team}
        team = self._names.teams.get(event.team.casefold())
        if new.policy is None and team is not None:
            new.policy = self._router.team_policies.get(team.pk)
        others = [each for each in event.responders if known.get(each["type"], "") not in {*each.values()} - {""}]
        if others:
            self._asked.append((new, others))

    def _opened(self, source: AlertSource, event: NormalisedEvent) -> NewAlert:
        """A new alert, with its id, not yet stored."""
        if not self._ids:
            self._ids = next_ids(Alert, 1)
        new = opened(source, event, self._names, self.now)
        new.alert.pk = self._ids.pop(0)
        return new

    def _resolve(self, key: Key, source: AlertSource, event: NormalisedEvent) -> dict[str, Any]:
        known = self._standing[key]
        if known.firing is None and event.alert_id is None:
            if event.ended_at is not None:
                self._early[key] = _newest(self._early.get(key), event.ended_at) or event.ended_at
                known.ended_at = _newest(known.ended_at, event.ended_at)
            return {"outcome": Outcome.NOTHING_OPEN, "alert": None}
        firing = known.firing
        if firing is not None and event.ended_at and firing.told_at and event.ended_at < firing.told_at:
            return {"outcome": Outcome.LATE, "alert": firing.pk}
        alert = self._alert_of(key, event)
        if alert is None:
            return {"outcome": Outcome.NOTHING_OPEN, "alert": None}
        if known.flaps and firing is not None:
            self.write()  # (a repeat that came before it would let it go again)
            hold_until_quiet(actor=actor_of(source), alert=alert, now=self.now, ended_at=event.ended_at)
            return {"outcome": Outcome.CHANGED, "alert": alert.pk}
        close_alert(
            actor=actor_of(source), alert=alert, now=self.now, ended_at=event.ended_at, by=event.by, note=event.note
        )
        known.firing, known.ended_at = None, _newest(known.ended_at, event.ended_at)
        known.ended_id, known.ends = alert.pk, known.ends + 1
        return {"outcome": Outcome.RESOLVED, "alert": alert.pk}

    def _acknowledge(self, key: Key, source: AlertSource, event: NormalisedEvent) -> dict[str, Any]:
        alert = self._alert_of(key, event)
        if alert is None:
            return {"outcome": Outcome.NOTHING_OPEN, "alert": None}
        escalation = Escalation.objects.open().filter(alerts=alert.pk).first()
        if escalation is None:
            return {"outcome": Outcome.NOTHING_OPEN, "alert": alert.pk}
        acknowledge_escalation(actor=actor_of(source), escalation=escalation, now=self.now)
        self._notes.append((alert.pk, event.note, event.by or source.name))
        return {"outcome": Outcome.ACKNOWLEDGED, "alert": alert.pk}

    def _alert_of(self, key: Key, event: NormalisedEvent) -> Alert | None:
        """The alert that an event is about: the one that it names, or the one that fires under its key."""
        if event.alert_id is not None:
            found = Alert.objects.filter(pk=event.alert_id, source_id=key[0])
            # (what is over can still be noted, tagged and renamed)
            return found.first() if event.status == "changed" else found.firing().first()
        firing = self._standing[key].firing
        return Alert.objects.filter(pk=firing.pk).first() if firing else None

    # --- All together -------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Routes and stores what is new, and counts what was repeated."""
        # One order for all who open alerts, so that none waits for another in a circle.
        new = [self._new[key] for key in sorted(self._new)]
        self._new = {}
        if new:
            self._router.apply_routes(sorted((each for each, _told in new), key=lambda each: each.alert.pk))
        write(*inserting([each.alert for each, _told in new]), *self._router.parts())
        for each, told in new:
            told["outcome"] = each.alert.outcome
            if told["outcome"] == Outcome.WAITING:
                self._waiting[each.alert.pk] = told
            self._standing[each.alert.source_id, each.alert.dedup_key].opened(each.alert)
        if self._changes:
            facts = [fact_of(change, actor_of(change.source)) for change in self._changes if change.source]
            write(*inserting(self._changes), *publishing(facts, actor=Actor.system()))
            self._changes = []
        self._write_repeats()
        add_notes([note for note in self._notes if note[1]], self.now)
        for asking, responders in self._asked:
            ask_responders(asking.actor, asking.alert.pk, responders, now=self.now)
        self._notes, self._asked = [], []
        if self._early:
            rows = [(source_id, key, ended_at) for (source_id, key), ended_at in sorted(self._early.items())]
            with connection.cursor() as cursor:
                cursor.execute(STORE_EARLY_ENDS, [self.now, *map(list, zip(*rows, strict=True))])
            self._early = {}

    def _write_repeats(self) -> None:
        repeats, self._repeats = sorted(self._repeats.items()), {}
        if not repeats:
            return
        rows = [
            (pk, each.times, each.raw.pk if each.raw else None, each.told_at, each.expires_at) for pk, each in repeats
        ]
        with connection.cursor() as cursor:
            cursor.execute(STORE_REPEATS, [self.now, *map(list, zip(*rows, strict=True))])
        told_more = [Repeated(pk, each.events) for pk, each in repeats if each.events]
        if told_more:
            apply_repeats(told_more, self._router, self.now)


def _newest(*instants: datetime | None) -> datetime | None:
    return max((instant for instant in instants if instant is not None), default=None)
