"""`manage.py load_demo`: a small organisation to try Sitrep with."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from config.demo import load_demo


class Command(BaseCommand):
    help = "Adds a demo organisation: people, services, schedules, a policy, routes, sources, a status page."

    def handle(self, *args: Any, **options: Any) -> None:
        made = load_demo(timezone.now())
        self.stdout.write("The demo organisation is loaded." if made else "The demo organisation is already there.")
