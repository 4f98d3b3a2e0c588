"""Fills an empty database: presets, the demo organisation, the first administrator."""

import os
import secrets
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from accounts.actions import invite_user
from accounts.actor import Actor
from accounts.models import Role, User
from config.kept_secrets import kept_secret
from events.models import Event
from workflows.models import Workflow
from workflows.presets import load_presets as load_workflow_presets


class Command(BaseCommand):
    """Once somebody has an account it adds only what is new, so that what a site deleted does not come back."""

    help = "Fills an empty database: presets, the demo organisation, the first administrator (ADMIN_EMAIL)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--without-demo", action="store_true", help="No demo organisation.")

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.exists():
            self._add_workflows()
            return
        self.stdout.write("Filling the empty database …")
        with transaction.atomic():
            call_command("load_presets", stdout=self.stdout)
            owner = invite_user(
                actor=Actor.system(via="command"),
                email=os.environ.get("ADMIN_EMAIL", "") or "admin@example.com",
                name="Administrator",
                role=Role.OWNER,
                password=kept_secret(settings.VAR_DIR / "admin-password", secrets.token_urlsafe(12)),
            )
            if not options["without_demo"]:
                call_command("load_demo", stdout=self.stdout)
        self.stdout.write(
            f"The administrator is {owner.email}; the password is in {settings.VAR_DIR / 'admin-password'}."
        )

    def _add_workflows(self) -> None:
        """Gives an installation that is older than workflows those that ship, once for good."""
        if not Event.objects.filter(name="workflow.created").exists() and not Workflow.objects.exists():
            load_workflow_presets()
            self.stdout.write("Added the workflows that ship with Sitrep.")
