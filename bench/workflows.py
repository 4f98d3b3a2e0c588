"""Ten thousand runs that events start in a burst, while a page is started each second: does paging wait for chores?

    .venv/bin/python -m bench.workflows [runs] [seconds]

Everything runs as it does on one machine: web, three workers and beat. First a page is started each second with nothing
else to do; then facts that start a run each (one note in the log, one answer later) are published all at once and the
pages go on until the last run is done. Prints the time from starting an escalation to its first page being sent, and
how long the burst took. The page goes to a web inbox: what is measured is Sitrep, not a provider. Ends with 1 if a goal
is missed.
"""

import statistics
import subprocess
import sys
import time

import psycopg

from bench.house import ROOT, installation, say
from bench.stage import computing_control

# 99th of a hundred: what is promised for a page alone, and for pages while much else goes on.
GOALS_MS = {"nothing else going on": 150, "during the burst": 250}
RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
QUIET_SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 30
LONGEST_SECONDS = 1_800
SET_UP = """
from django.utils import timezone
from accounts.actor import Actor
from accounts.models import User
from oncall.models import ContactMethod
from oncall.policies import LevelDraft, person, save_policy
from workflows.actions import save_workflow
now, system = timezone.now(), Actor.system()
user = User.objects.create(name="Olga", email="olga@example.com", password="!")
ContactMethod.objects.create(user=user, kind="web", address="", verified_at=now)
save_policy(actor=system, name="Bench", slug="bench", levels=[LevelDraft(5, [person(user)])], now=now)
steps = [
    {"id": "one", "kind": "wait", "params": {"minutes": 0}},
    {"id": "two", "kind": "branch", "params": {"conditions": {"fact": "now.hour", "operator": "exists"}},
     "then": [{"id": "three", "kind": "wait", "params": {"minutes": 0.05}}], "otherwise": []},
]
save_workflow(actor=system, name="Bench", is_enabled=True, now=now,
              definition={"trigger": {"kind": "event", "events": ["schedule.changed"]}, "steps": steps})
"""
# One process that starts a page a second and, when it is told to, the burst.
DRIVER = """
import sys, time
import django
django.setup()
from django.db import transaction
from django.utils import timezone
from accounts.actor import Actor
from accounts.models import User
from events.actions import Fact, publish_all
from oncall.actions import start_escalation
from oncall.models import EscalationPolicy
policy, someone, system = EscalationPolicy.objects.get(), User.objects.first(), Actor.system()
for line in sys.stdin:
    word, _, number = line.strip().partition(" ")
    if word == "page":
        start_escalation(actor=system, policy=policy, title=f"Page {number}", now=timezone.now())
    for begin in range(0, int(number) if word == "burst" else 0, 500):
        with transaction.atomic():
            publish_all([Fact("schedule.changed", someone)] * min(500, int(number) - begin), actor=system)
    print("done", flush=True)
"""
OPEN = """
SELECT (SELECT count(*) FROM events_delivery WHERE state IN ('pending', 'running') AND handler = 'workflows.start')
             + (SELECT count(*) FROM workflows_workflowrun WHERE state IN ('waiting', 'running'))"""
SENT = """SELECT extract(epoch FROM p.sent_at - e.started_at) FROM oncall_escalation e JOIN oncall_page p
          ON p.escalation_id = e.id WHERE e.started_at >= to_timestamp(%s) AND p.sent_at IS NOT NULL"""


def main() -> int:
    """Measures both, prints the table and returns the exit code."""
    with installation(SET_UP) as house, psycopg.connect(house.database_url, autocommit=True) as connection:
        command = [sys.executable, "-c", DRIVER]
        with subprocess.Popen(  # noqa: S603  (a command of our own)
            command, cwd=ROOT, env=house.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as driver:
            quiet_from = time.time()
            for number in range(QUIET_SECONDS):
                tell(driver, f"page {number}")
                time.sleep(1)
            quiet = waits(connection, quiet_from)
            burst_from = time.time()
            tell(driver, f"burst {RUNS}")
            count = 0
            while time.time() - burst_from < LONGEST_SECONDS:
                tell(driver, f"page {count}")
                count += 1
                time.sleep(1)
                left = connection.execute(OPEN).fetchone()
                if left is None or left[0] == 0:
                    break
                if count % 10 == 0:
                    say(f"{left[0]} left after {time.time() - burst_from:.0f} s")
            drained = time.time() - burst_from
            time.sleep(2)
            busy = waits(connection, burst_from)
            assert driver.stdin is not None  # noqa: S101  (asked for above)
            driver.stdin.close()
    done = f"the last of {RUNS:,} runs was done {drained:.0f} s after the burst ({RUNS / drained:.0f} a second)"
    sys.stdout.write(
        f"control: {computing_control():.3f} ms a JSON document; {done}\n\n"
        "| a page each second | pages | median | 99th | goal | |\n| --- | ---: | ---: | ---: | --- | --- |\n"
    )
    are_met = [report(when, took) for when, took in zip(GOALS_MS, (quiet, busy), strict=True)]
    return 0 if all(are_met) else 1


def report(when: str, took: list[float]) -> bool:
    """Prints a line of the table; whether its goals are met."""
    median, slow = statistics.median(took), took[min(len(took) - 1, int(len(took) * 0.99))]
    is_met = slow <= GOALS_MS[when]
    goal = f"99th ≤ {GOALS_MS[when]} ms | {'met' if is_met else 'MISSED'}"
    sys.stdout.write(f"| {when} | {len(took)} | {median:.0f} ms | {slow:.0f} ms | {goal} |\n")
    return is_met


def tell(driver: "subprocess.Popen[str]", line: str) -> None:
    """Has the driver do something; returns when it is done."""
    assert driver.stdin is not None and driver.stdout is not None  # noqa: S101, PT018  (asked for above)
    driver.stdin.write(f"{line}\n")
    driver.stdin.flush()
    driver.stdout.readline()


def waits(connection: "psycopg.Connection[tuple[object, ...]]", since: float) -> list[float]:
    """From starting to sent, of all that was started since, in milliseconds, the fastest first."""
    found = sorted(float(str(row[0])) * 1000 for row in connection.execute(SENT, [since]).fetchall())
    if not found:
        raise RuntimeError("No page was sent.")
    return found


if __name__ == "__main__":
    sys.exit(main())
