"""The ledger proves itself: whatever is changed, left out, slipped in or cut off is found and named."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import Role
from events.models import Event
from oncall.actions import acknowledge_escalation, resolve_escalation
from oncall.ledger import add_ledger_entry
from oncall.models import Escalation, EscalationEntry, LedgerRoot
from oncall.sealing import seal_ledger, verify_ledger
from oncall.sending import send_due
from tests.factories.accounts import actor, user
from tests.oncall.ladders import MINUTE, NOON, ladder, reachable, rung, running

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NEXT_NIGHT = datetime(2026, 3, 11, 1, tzinfo=UTC)


@contextmanager
def as_an_intruder() -> Generator[None]:
    """With the rights of who owns the table: the trigger that refuses changes is off."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE oncall_escalationentry DISABLE TRIGGER escalation_entry_append_only")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE oncall_escalationentry ENABLE TRIGGER escalation_entry_append_only")


def lived(now: datetime = NOON) -> Escalation:
    """An escalation with a life: paged, sent, acknowledged, resolved."""
    escalation = running(ladder(rung(reachable()), rung(reachable("Bob"))), now)
    send_due(now)
    acknowledge_escalation(actor=actor(), escalation=escalation, now=now + MINUTE)
    resolve_escalation(actor=actor(), escalation=escalation, now=now + 2 * MINUTE)
    escalation.refresh_from_db()
    return escalation


def test_every_line_carries_the_hash_of_the_one_before_and_all_of_it_verifies() -> None:
    for _ in range(3):
        lived()
    found = verify_ledger()
    assert (found.holds, found.escalations, found.lines) == (True, 3, EscalationEntry.objects.count())


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Nobody was paged"},
        {"at": NOON - DAY},
        {"actor_name": "Somebody else"},
        {"data": {"users": []}},
        {"kind": "skipped"},
        {"via": "sms"},
        {"hash": "0" * 64},
    ],
)
def test_a_line_that_was_changed_is_named(change: dict[str, object]) -> None:
    escalation = lived()
    with as_an_intruder():
        EscalationEntry.objects.filter(escalation=escalation, number=2).update(**change)
    assert f"escalation {escalation.pk}: line 2 was changed" in verify_ledger().problems


def test_a_line_that_is_left_out_or_cut_off_is_named() -> None:
    first, second = lived(), lived()
    with as_an_intruder():
        EscalationEntry.objects.filter(escalation=first, number=2).delete()
        EscalationEntry.objects.filter(escalation=second, number=second.entry_count).delete()
    count = second.entry_count
    assert verify_ledger().problems == [
        f"escalation {first.pk}: line 2 is missing",
        f"escalation {second.pk}: it has {count - 1} lines and should have {count}",
    ]


def test_an_escalation_whose_lines_are_all_gone_is_named() -> None:
    escalation = lived()
    with as_an_intruder():
        EscalationEntry.objects.filter(escalation=escalation).delete()
    assert len(verify_ledger().problems) == 1


def test_a_day_that_is_over_gets_one_root_and_days_without_lines_too() -> None:
    lived()
    assert seal_ledger(NEXT_NIGHT - MINUTE) == []
    assert [root.day for root in seal_ledger(NEXT_NIGHT)] == [date(2026, 3, 10)]
    assert seal_ledger(NEXT_NIGHT) == []
    lived(NOON + 3 * DAY)
    later = seal_ledger(NEXT_NIGHT + 3 * DAY)
    assert [(root.day.day, root.lines > 0) for root in later] == [(11, False), (12, False), (13, True)]
    assert len({root.hash for root in LedgerRoot.objects.all()}) == 4
    sealed = Event.objects.filter(name="ledger.sealed").order_by("id")
    assert sealed[0].data["roots"][0]["day"] == "2026-03-10"
    assert verify_ledger().days == 4


def test_the_roots_can_be_fetched_to_be_kept_elsewhere() -> None:
    lived()
    first, second = seal_ledger(NEXT_NIGHT + DAY)
    client = APIClient()
    address = "/api/v1/ledger-roots/"
    assert client.get(address).status_code in {401, 403}
    client.force_login(user(role=Role.VIEWER))
    assert [row["hash"] for row in client.get(address).json()["results"]] == [second.hash, first.hash]
    since = client.get(address, {"since": str(second.day)}).json()["results"]
    assert [row["day"] for row in since] == [str(second.day)]
    assert client.get(f"{address}{first.day}/").json()["lines"] == first.lines
    assert client.post(address, {}).status_code in {403, 405}


def test_whoever_rewrites_a_whole_chain_with_right_hashes_is_found_by_the_root() -> None:
    escalation = lived()
    seal_ledger(NEXT_NIGHT)
    with as_an_intruder():
        EscalationEntry.objects.filter(escalation=escalation).delete()
        escalation.entry_count, escalation.entry_hash = 0, ""
        add_ledger_entry(escalation, EscalationEntry.Kind.STARTED, "A better story", NOON, actor=actor())
    (problem,) = verify_ledger().problems
    assert problem.startswith("2026-03-10: the root does not fit its lines")


def test_a_line_that_is_slipped_into_a_sealed_day_is_found() -> None:
    escalation = lived()
    seal_ledger(NEXT_NIGHT)
    add_ledger_entry(escalation, EscalationEntry.Kind.SENT, "Paged Zoe by sms", NOON + MINUTE, actor=actor())
    assert "the root does not fit its lines" in verify_ledger().problems[0]


def test_a_root_that_is_missing_or_rewritten_is_found() -> None:
    lived()
    lived(NOON + 2 * DAY)
    seal_ledger(NEXT_NIGHT + 2 * DAY)
    LedgerRoot.objects.filter(day=date(2026, 3, 11)).delete()
    problems = verify_ledger().problems
    assert "2026-03-12: the root of the day before is missing" in problems


def test_since_a_date_only_what_happened_from_then_on_is_read() -> None:
    old = lived()
    lived(NOON + 3 * DAY)
    seal_ledger(NEXT_NIGHT + 3 * DAY)
    with as_an_intruder():
        EscalationEntry.objects.filter(escalation=old, number=2).update(text="Nobody was paged")
    found = verify_ledger(NOON + 2 * DAY)
    assert (found.holds, found.escalations, found.days) == (True, 1, 2)
    assert not verify_ledger().holds


@pytest.mark.django_db(transaction=True)
def test_the_command_says_what_it_read_and_fails_for_what_does_not_fit() -> None:
    escalation = lived()
    seal_ledger(NEXT_NIGHT)
    output = StringIO()
    call_command("verify_ledger", stdout=output)
    assert "The ledger verifies." in output.getvalue()
    with as_an_intruder():
        EscalationEntry.objects.filter(escalation=escalation, number=1).update(text="x")
    with pytest.raises(CommandError):
        call_command("verify_ledger", stdout=output)
    assert f"BROKEN  escalation {escalation.pk}: line 1 was changed" in output.getvalue()
