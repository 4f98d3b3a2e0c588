"""The audit finds what is overdue and what ended without an outcome, by partial indexes alone."""

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from config.gauges import measure
from oncall.actions import acknowledge_escalation
from oncall.audit import STALE_AFTER, Audit, audit_pages, keep_audit, last_audit
from oncall.engine import tick
from oncall.models import Escalation, Page
from oncall.sending import send_due
from tests.factories.accounts import actor, user
from tests.oncall.ladders import MINUTE, NOON, ladder, reachable, rung, running, started

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def test_while_everything_is_looked_at_in_time_the_audit_holds() -> None:
    escalation = running(ladder(rung(reachable())))
    send_due(NOON)
    assert audit_pages(NOON + 5 * MINUTE).holds
    acknowledge_escalation(actor=actor(), escalation=escalation, now=NOON + MINUTE)
    assert audit_pages(NOON + timedelta(days=30)).holds


def test_an_escalation_that_the_engine_did_not_look_at_in_time_is_found_and_named() -> None:
    escalation = started(ladder(rung(reachable())))
    assert audit_pages(NOON + 30 * SECOND).holds
    audit = audit_pages(NOON + 31 * SECOND)
    assert (audit.overdue, audit.escalations) == (1, (escalation.pk,))
    assert f"(escalations {escalation.pk})" in audit.problems()[0]
    tick(NOON + MINUTE)
    assert audit_pages(NOON + MINUTE).holds


def test_a_page_that_nobody_sends_is_found() -> None:
    escalation = running(ladder(rung(reachable())))
    audit = audit_pages(NOON + 121 * SECOND)
    assert (audit.overdue_pages, audit.escalations) == (1, (escalation.pk,))
    # Somebody died while sending: the lease has to end before it counts.
    Page.objects.update(state="sending", due_at=NOON + MINUTE)
    assert audit_pages(NOON + 2 * MINUTE).holds


def test_what_ended_without_an_outcome_is_found() -> None:
    escalation = running(ladder(rung(reachable())))
    Escalation.objects.filter(pk=escalation.pk).update(status="exhausted", due_at=None)
    send_due(NOON)
    assert audit_pages(NOON).without_outcome == 1


def test_it_reads_partial_indexes_and_nothing_else() -> None:
    running(ladder(rung(reachable())))
    with connection.cursor() as cursor:
        # A planner would rather read these few rows as they lie.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        with CaptureQueriesContext(connection) as captured:
            audit_pages(NOON)
        plans = []
        for query in captured.captured_queries:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    assert len(plans) == 3
    for plan, index in zip(plans, ["escalation_due", "page_due", "escalation_no_outcome"], strict=True):
        assert index in plan, plan
        assert "Seq Scan" not in plan


def test_the_command_fails_and_names_what_is_wrong() -> None:
    output = StringIO()
    call_command("audit_pages", stdout=output)
    started(ladder(rung(reachable())), timezone.now() - timedelta(hours=1))
    with pytest.raises(CommandError):
        call_command("audit_pages", stdout=output)
    assert "BROKEN  1 open escalations are overdue" in output.getvalue()


def gauge(name: str, now: datetime) -> float:
    return next(value for each in measure(now) if each.name == name for _labels, value in each.samples)


def test_the_newest_audit_is_a_metric() -> None:
    assert gauge("sitrep_paging_audit_holds", NOON) == 0
    keep_audit(audit_pages(NOON))
    assert gauge("sitrep_paging_audit_holds", NOON) == 1
    assert gauge("sitrep_paging_audit_age_seconds", NOON + MINUTE) == 60
    keep_audit(Audit(NOON, overdue=3))
    assert gauge("sitrep_paging_audit_holds", NOON) == 0
    last = last_audit()
    assert last is not None
    assert not last.is_stale(NOON + STALE_AFTER)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OWNER])
def test_a_failing_audit_is_a_banner_on_every_page(client: Client, role: Role) -> None:
    client.force_login(user(role=role))
    tick(timezone.now())
    keep_audit(Audit(timezone.now(), without_outcome=2, escalations=(4, 7)))
    page = client.get("/frame/").content.decode()
    assert "Paging is not as it must be: 2 escalations have ended without an outcome (escalations 4, 7)." in page
    keep_audit(Audit(timezone.now()))
    assert "Paging is not as it must be" not in client.get("/frame/").content.decode()
