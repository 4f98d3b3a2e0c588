"""`manage.py watchdog --url … --notify …`: on another host; pages when Sitrep itself has stopped. Needs no database."""

import os
import time
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from oncall.watchdog import Watch, Watchdog


class Command(BaseCommand):
    help = "Watches a Sitrep from another host and tells whoever is on call when it stops."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", required=True, help="where Sitrep answers: https://sitrep.example.com")
        parser.add_argument(
            "--notify",
            action="append",
            required=True,
            metavar="ADDRESS",
            help="smtp://user:password@host:587/?from=…, https://…, or an Apprise address with {phone} or {email}",
        )
        parser.add_argument(
            "--roster", type=Path, default=Path("roster.json"), metavar="FILE", help="the copy it keeps"
        )
        parser.add_argument("--every", type=float, default=10.0, metavar="SECONDS", help="between two looks")
        parser.add_argument("--failures", type=int, default=3, metavar="N", help="in a row, before it alarms")
        parser.add_argument("--again", type=float, default=600.0, metavar="SECONDS", help="until it alarms again")
        parser.add_argument("--once", action="store_true", help="look once; exit 1 if Sitrep is not ready")

    def handle(self, *args: Any, **options: Any) -> None:
        token = os.environ.get("SITREP_TOKEN", "")
        if not token:
            self.stderr.write("SITREP_TOKEN is not set: without an administrator's API key there is no roster.")
        watch = Watch(max(options["failures"], 1), timedelta(seconds=options["again"]))
        watchdog = Watchdog(
            url=options["url"].rstrip("/"),
            notify=options["notify"],
            watch=watch,
            roster_path=options["roster"],
            token=token,
            say=lambda line: self.stdout.write(f"{timezone.now():%Y-%m-%d %H:%M:%S} {line}"),
        )
        if options["once"]:
            watchdog.turn(timezone.now())
            if watch.failures:
                raise CommandError(watchdog.last_reason)
            return
        while True:
            watchdog.turn(timezone.now())
            self.stdout.flush()
            time.sleep(options["every"])
