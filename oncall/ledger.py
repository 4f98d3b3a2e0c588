"""The ledger of an escalation: lines that are only ever added, each sealed by a hash over itself and the one before.

The escalation's row holds the end of its chain, so whoever adds a line holds the row's lock. A daily root covers the
lines of all chains; together they show whether a line was changed, left out or slipped in afterwards.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from accounts.actor import Actor
from oncall.models import Escalation, EscalationEntry

CHAIN_FIELDS = ["entry_count", "entry_hash"]
LONGEST_TEXT = 500


def line_hash(entry: EscalationEntry, previous: str) -> str:
    """The seal of a line: SHA-256, in hex, over the line as canonical JSON with the hash of the line before."""
    line = {
        "escalation": entry.escalation_id,
        "number": entry.number,
        "kind": str(entry.kind),
        "at": entry.at.astimezone(UTC).isoformat(),
        "text": entry.text,
        "actor": entry.actor_name,
        "via": entry.via,
        "data": entry.data,
        "previous": previous,
    }
    return hashlib.sha256(json.dumps(line, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def ledger_line(
    escalation: Escalation,
    kind: EscalationEntry.Kind,
    text: str,
    now: datetime,
    *,
    actor: Actor,
    data: dict[str, Any] | None = None,
) -> EscalationEntry:
    """The next line of a locked escalation, not yet stored; the caller stores it and the `CHAIN_FIELDS`."""
    entry = EscalationEntry(
        escalation=escalation,
        number=escalation.entry_count + 1,
        kind=kind,
        at=now,
        text=text[:LONGEST_TEXT],
        actor_name=actor.name,
        via=actor.via,
        data=data or {},
    )
    entry.hash = line_hash(entry, escalation.entry_hash)
    escalation.entry_count, escalation.entry_hash = entry.number, entry.hash
    return entry


def add_ledger_entry(
    escalation: Escalation,
    kind: EscalationEntry.Kind,
    text: str,
    now: datetime,
    *,
    actor: Actor,
    data: dict[str, Any] | None = None,
) -> EscalationEntry:
    """Adds a line to the ledger of an escalation whose row the caller has locked."""
    entry = ledger_line(escalation, kind, text, now, actor=actor, data=data)
    entry.save(force_insert=True)
    escalation.save(update_fields=CHAIN_FIELDS)
    return entry
