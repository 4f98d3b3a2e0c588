"""`manage.py audit_pages`: is anything overdue, did anything end without an outcome? Exit 1 if so."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from oncall.audit import audit_pages, keep_audit


class Command(BaseCommand):
    help = "Proves that no open escalation and no page is overdue, and that none ended without an outcome."

    def handle(self, *args: Any, **options: Any) -> None:
        audit = audit_pages(timezone.now())
        keep_audit(audit)
        for problem in audit.problems():
            self.stdout.write(f"BROKEN  {problem}")
        if not audit.holds:
            raise CommandError("Paging is not as it must be.")
        self.stdout.write("Nothing is overdue, and everything that ended has an outcome.")
