"""Runs all of Sitrep on this machine: see config/up.py."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand

from config.up import BASE_DIR


class Command(BaseCommand):
    """Replaces itself by the runner, which starts the engines before Django asks for them."""

    help = "Runs Sitrep: PostgreSQL, Valkey, web, workers and beat (what `make run` does)."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        os.chdir(BASE_DIR)
        os.execv(sys.executable, [sys.executable, "-m", "config.up"])  # noqa: S606
