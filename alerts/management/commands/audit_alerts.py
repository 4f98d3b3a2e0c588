"""`manage.py audit_alerts`: has everything that was accepted exactly one outcome, and is each true? Exit 1 if not."""

import argparse
import json
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from alerts.audit import Ledger, audit_alerts
from alerts.models import AlertSource

DAY = timedelta(days=1)


def instant(text: str) -> datetime:
    """A date or an instant as ISO 8601 has it; in this installation's time zone unless it names another."""
    try:
        day = parse_date(text)
        found = datetime(day.year, day.month, day.day) if day else parse_datetime(text)  # noqa: DTZ001  (made aware below)
    except ValueError:
        found = None
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a date nor an instant as 2026-11-21T08:00Z.")
    return found if timezone.is_aware(found) else timezone.make_aware(found)


class Command(BaseCommand):
    help = "Proves that every event that was accepted has exactly one outcome, and that each outcome is true."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=instant, help="a date or an instant; a day before the end unless given")
        parser.add_argument("--until", type=instant, help="a date or an instant; now unless given")
        parser.add_argument("--source", help="the short name of one source")
        parser.add_argument("--json", action="store_true", help="print the ledger as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        until = options["until"] or now
        since = options["since"] or until - DAY
        if since >= until:
            raise CommandError("--since must be before --until.")
        source_id = None
        if options["source"]:
            source_id = AlertSource.objects.filter(slug=options["source"]).values_list("pk", flat=True).first()
            if source_id is None:
                raise CommandError(f"There is no alert source {options['source']!r}.")
        ledger = audit_alerts(since, until, now, source_id=source_id)
        self.stdout.write(json.dumps(ledger.as_json(), indent=2) if options["json"] else in_words(ledger))
        if not ledger.holds:
            raise CommandError("Not everything that was accepted has one true outcome.")


def in_words(ledger: Ledger) -> str:
    """The ledger as lines of text."""
    rows = [*ledger.by_outcome.items(), *((name, number) for name, number in ledger.without_outcome.items() if number)]
    lines = [
        f"{ledger.since:%Y-%m-%d %H:%M:%S %Z} to {ledger.until:%Y-%m-%d %H:%M:%S %Z}",
        f"{ledger.accepted:>9}  events accepted, in {ledger.bodies} requests",
        *(f"{number:>9}  {name.replace('_', ' ')}" for name, number in rows),
        *(f"BROKEN  {problem}" for problem in ledger.problems),
    ]
    if ledger.holds:
        lines.append("Everything that was accepted has exactly one outcome, has failed visibly, or is being taken in.")
    return "\n".join(lines)
