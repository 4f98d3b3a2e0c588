"""A worker that is killed between the acceptance of alerts and their paging loses none and doubles none."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.journeys.harness import Sitrep, installed, text_of, wait_for, web

pytestmark = pytest.mark.journey
ALERTS = 200


def demo_address(sitrep: Sitrep) -> str:
    """Returns the address of the demo's alert source, from the line that newcomers paste."""
    found = re.search(r"curl -X POST (\S+)", sitrep.manage("welcome"))
    assert found
    return found.group(1)


def fire(address: str, number: int) -> None:
    event = {"title": f"Disk {number} is full", "severity": "error", "service": "search", "dedup_key": f"disk-{number}"}
    answer = web.post(address, json=event)
    assert answer.status_code == 202, answer.text


def test_each_of_200_alerts_is_paged_exactly_once_though_the_worker_is_killed(tmp_path: Path) -> None:
    with installed(tmp_path) as sitrep:
        sitrep.start()
        sitrep.wait_until_ready()
        address = demo_address(sitrep)

        # While this transaction is open, no page can be written: the worker hangs in the middle of the paging clock.
        with psycopg.connect(sitrep.database_url) as holder:
            holder.execute("LOCK TABLE oncall_page IN EXCLUSIVE MODE")
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda number: fire(address, number), range(ALERTS)))
            wait_for(lambda: waiting_for_the_lock(sitrep), "the worker is at the pages")
            sitrep.kill("worker-paging")
            holder.rollback()
        assert sitrep.rows("SELECT count(*) FROM oncall_page") == [(0,)]
        assert sitrep.mailbox.mails == []

        sitrep.start("worker-paging")
        wait_for(lambda: len(paged(sitrep)) == ALERTS, f"{ALERTS} alerts are paged")
        # Whatever would page twice has the time of several sweeps to do so.
        wait_for(lambda: nothing_is_due(sitrep), "nothing is left to do")
        assert paged(sitrep) == Counter({f"Disk {number} is full": 1 for number in range(ALERTS)})
        assert sitrep.rows("SELECT count(*), count(DISTINCT dedup_key) FROM alerts_alert") == [(ALERTS, ALERTS)]
        assert sitrep.rows("SELECT count(*), count(DISTINCT escalation_id) FROM alerts_alert") == [(ALERTS, ALERTS)]
        twice = "SELECT escalation_id FROM oncall_page WHERE channel = 'email' GROUP BY 1 HAVING count(*) <> 1"
        assert sitrep.rows(twice) == []
        assert sitrep.rows("SELECT count(*) FROM alerts_rawevent WHERE state <> 'done'") == [(0,)]


def waiting_for_the_lock(sitrep: Sitrep) -> bool:
    blocked = "SELECT count(*) FROM pg_locks WHERE relation = 'oncall_page'::regclass AND NOT granted"
    return bool(sitrep.rows(blocked)[0][0])


def paged(sitrep: Sitrep) -> "Counter[str]":
    """Returns how many mails there are for each alert; what was due at once stands in one mail, each by its title."""
    mails = list(sitrep.mailbox.mails)
    return Counter(title for mail in mails for title in set(re.findall(r"Disk \d+ is full", text_of(mail))))


def nothing_is_due(sitrep: Sitrep) -> bool:
    waiting = "SELECT count(*) FROM oncall_page WHERE state IN ('pending', 'sending')"
    return bool(sitrep.rows(waiting)[0][0] == 0)
