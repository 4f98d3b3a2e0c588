"""`manage.py verify_ledger`: was any line of the ledger changed, left out or slipped in? Exit 1 if so."""

from argparse import ArgumentParser
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from oncall.models import LedgerRoot
from oncall.sealing import consistent_view, verify_ledger


class Command(BaseCommand):
    help = "Reads every chain and daily root of the ledger again and says what does not fit."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", type=date.fromisoformat, metavar="DATE", help="only what happened from then on")

    def handle(self, *args: Any, **options: Any) -> None:
        since = datetime.combine(options["since"], time(0), UTC) if options["since"] else None
        with consistent_view():
            found = verify_ledger(since)
            root = LedgerRoot.objects.first()
        for problem in found.problems:
            self.stdout.write(f"BROKEN  {problem}")
        self.stdout.write(f"{found.escalations} escalations, {found.lines} lines, {found.days} daily roots.")
        if root is not None:
            self.stdout.write(f"Newest root: {root.day} {root.hash}")
        if not found.holds:
            raise CommandError("The ledger does not verify.")
        self.stdout.write("The ledger verifies.")
