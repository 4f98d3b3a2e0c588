"""How a source's owner says what fills the fields of its alerts: saving the mapping, and trying it on a payload."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.actor import Actor
from alerts.actions import NOT_A_MANAGER
from alerts.dialects import DIALECTS, DialectError, NormalisedEvent
from alerts.dialects.mapping import BadMapping, Rule, check_mapping, findings
from alerts.ingest import events_of
from alerts.models import AlertSource, RawEvent
from alerts.permissions import can_configure
from events.actions import publish
from events.errors import Invalid, require
from oncall.paging_tests import holding_tests, refuse_broken_tests

REMEDY = "See the guide to attributes for what a rule may say."


@transaction.atomic
def save_mapping(
    *, actor: Actor, source: AlertSource, mapping: list[dict[str, Any]], now: datetime, override_reason: str = ""
) -> AlertSource:
    """Replaces the rules of a source; what was taken in before stays as it is. The same rules again change nothing.

    Raises Invalid for a rule that can't be followed, and Conflict if it breaks a paging test, unless an
    `override_reason` is given.
    """
    require(can_configure(actor), NOT_A_MANAGER)
    check(mapping)
    source = AlertSource.objects.select_for_update().get(pk=source.pk)
    if source.mapping == mapping:
        return source
    held = holding_tests(now)
    source.mapping = mapping
    source.save(update_fields=["mapping"])
    refuse_broken_tests(held, now=now, actor=actor, override_reason=override_reason)
    fields = [rule["field"] for rule in mapping]
    publish("alert_source.changed", subject=source, actor=actor, data={"name": source.name, "mapping": fields})
    return source


def check(mapping: Any) -> None:
    """Raises Invalid unless it is a list of rules that can be followed."""
    try:
        check_mapping(mapping)
    except BadMapping as error:
        raise Invalid(str(error), field="mapping", remedy=REMEDY) from error


@dataclass
class Tried:
    """What rules make of a payload: what each of them finds (None for nothing), and the events; or why there is none.

    `error` is set where the payload can't be read.
    """

    found: list[tuple[Rule, Any]] = field(default_factory=list)
    events: list[NormalisedEvent] = field(default_factory=list)
    error: DialectError | None = None


def try_mapping(raw: RawEvent, mapping: Sequence[Rule]) -> Tried:
    """What the rules would make of what was sent or could be; nothing is stored. Raises Invalid for bad rules."""
    check(mapping)
    tried = Tried()
    drafted = with_mapping(raw, mapping)
    read: list[NormalisedEvent] = []
    try:
        read = DIALECTS[raw.source.dialect].parse(drafted.request())
        tried.events = events_of(drafted)
    except DialectError as error:
        tried.error = error
    tried.found = list(zip(mapping, findings(mapping, read, bytes(raw.body)), strict=True))
    return tried


def with_mapping(raw: RawEvent, mapping: Sequence[Rule]) -> RawEvent:
    """The same, not stored, as if its source had these rules."""
    drafted = copy(raw)
    drafted.source = copy(raw.source)
    drafted.source.mapping = list(mapping)
    return drafted
