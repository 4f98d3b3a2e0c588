"""Carries what is stored over: rotations get their handovers, ledgers their chain, ended escalations their outcome."""

import hashlib
import json
import uuid
from datetime import UTC
from typing import Any

from django.db import migrations

OPEN_LEDGER = "ALTER TABLE oncall_escalationentry DISABLE TRIGGER escalation_entry_append_only;"
CLOSE_LEDGER = "ALTER TABLE oncall_escalationentry ENABLE TRIGGER escalation_entry_append_only;"


def move(apps: Any, schema_editor: Any) -> None:
    """Moves what the old columns say into the new ones."""
    for rotation in apps.get_model("oncall", "Rotation").objects.all():
        rotation.series = uuid.uuid4()
        rotation.interval = rotation.weeks
        rotation.handovers = [{"weekday": rotation.handover_weekday, "time": f"{rotation.handover_time:%H:%M}"}]
        rotation.save()
    targets = apps.get_model("oncall", "EscalationTarget").objects
    targets.filter(user__isnull=False).update(kind="user")
    entries = apps.get_model("oncall", "EscalationEntry").objects
    for escalation in apps.get_model("oncall", "Escalation").objects.all():
        digest = ""
        count = 0
        for count, entry in enumerate(entries.filter(escalation=escalation).order_by("id"), 1):
            digest = line_hash(entry, count, digest)
            entries.filter(pk=entry.pk).update(number=count, hash=digest)
        escalation.entry_count, escalation.entry_hash = count, digest
        if escalation.status in {"resolved", "exhausted"}:
            escalation.outcome = escalation.status
        levels = escalation.path["levels"]
        repeats = escalation.path.pop("repeats", 0)
        escalation.path["stages"] = [{"first": 0, "count": len(levels), "repeats": repeats}]
        escalation.save()


def line_hash(entry: Any, number: int, previous: str) -> str:
    """The hash of a ledger line, as oncall/ledger.py makes it."""
    line = {
        "escalation": entry.escalation_id,
        "number": number,
        "kind": entry.kind,
        "at": entry.at.astimezone(UTC).isoformat(),
        "text": entry.text,
        "actor": entry.actor_name,
        "via": entry.via,
        "data": entry.data,
        "previous": previous,
    }
    return hashlib.sha256(json.dumps(line, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Migration(migrations.Migration):
    dependencies = [("oncall", "0005_the_pager_that_people_trust")]
    operations = [
        migrations.RunSQL(OPEN_LEDGER, CLOSE_LEDGER),
        migrations.RunPython(move, migrations.RunPython.noop),
        # Deferred constraints are checked now, so that the table may be altered.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE;", migrations.RunSQL.noop),
        migrations.RunSQL(CLOSE_LEDGER, OPEN_LEDGER),
    ]
