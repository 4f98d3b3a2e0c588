"""`manage.py test_paging FILE…`: do the promises about paging hold? Exit 1 and a line for each that does not."""

from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.actor import Actor
from events.errors import DomainError
from oncall.paging_tests import describe, entries_of, run_stored, run_test, store_file


class Command(BaseCommand):
    help = "Checks paging tests: those of the files, or without any those that are stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="paging-tests.yaml")
        parser.add_argument("--store", action="store_true", help="keep the tests: no later save may break them")
        parser.add_argument("--now", type=datetime.fromisoformat, help="from when on “the next Sunday” is looked for")

    def handle(self, *args: Any, **options: Any) -> None:
        now = options["now"] or timezone.now()
        if now.tzinfo is None:
            raise CommandError("--now needs a zone: 2026-03-10T12:00+00:00.")
        try:
            texts = [path.read_text() for path in options["files"]]
            outcomes = [run_test(entry, now) for text in texts for entry in entries_of(text)]
            if options["store"]:
                for text in texts:
                    store_file(actor=Actor.system(via="command"), text=text, now=now)
        except (OSError, DomainError) as error:
            raise CommandError(str(error)) from error
        if not texts:
            outcomes = run_stored(now)
        for outcome in outcomes:
            for line in describe(outcome):
                self.stdout.write(line)
        broken = sum(not outcome.holds for outcome in outcomes)
        if broken:
            raise CommandError(f"{broken} of {len(outcomes)} paging tests are broken.")
        self.stdout.write(f"All {len(outcomes)} paging tests hold.")
