"""What the chaos journey of workflows runs as a process of its own: workers that are killed again and again.

    python -m tests.journeys.chores <forks to kill> <seed> <runs that are left to Celery>

First it forks workers, which inherit nothing but a Django that is ready, and kills them with SIGKILL at random moments;
until they are done the parent never touches the database. What they leave is for Celery's workers of the queue, started
as in production; all but the last are killed in the middle of it. It says how many of each it has killed, and ends when
no run is left, or with 1 after a while.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import django

WORKERS = 2
CELERY_WORKERS = 2
THREADS = 2
# Short enough that most die at work.
PAUSE_SECONDS = (0.1, 0.4)
# A small machine with other work takes its time for what an idle one does in seconds.
LONGEST_SECONDS = 240.0


def work(left: int) -> None:
    """Takes runs further until so many are open."""
    from django.utils import timezone

    from workflows.engine import advance_due

    while open_runs() > left:
        if not advance_due(timezone.now()):
            forget_leases()
            time.sleep(0.2)


def open_runs() -> int:
    from workflows.models import WorkflowRun

    return WorkflowRun.objects.filter(state__in=WorkflowRun.OPEN).count()


def forget_leases() -> None:
    """What was begun outside and died is held by its lease; nobody waits a minute for it here."""
    from django.utils import timezone

    from workflows.models import WorkflowRun

    now = timezone.now()
    if not WorkflowRun.objects.filter(state__in=WorkflowRun.OPEN, due_at__lte=now).exists():
        WorkflowRun.objects.filter(state="running").update(due_at=now)


def forked(left: int) -> int:
    """The id of a worker that has begun."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work(left)
            status = 0
        finally:
            os._exit(status)
    return pid


def kill_forks(kills: int, chance: random.Random, left: int, deadline: float) -> int:
    """Forks workers and kills that many of them at work, then lets the last ones go on until `left` runs are open."""
    workers = [forked(left) for _ in range(WORKERS)]
    killed = 0
    while killed < kills and time.monotonic() < deadline:
        time.sleep(chance.uniform(*PAUSE_SECONDS))
        victim = chance.randrange(WORKERS)
        ended, _status = os.waitpid(workers[victim], os.WNOHANG)
        if ended:
            workers.pop(victim)
            break  # its share is done already
        os.kill(workers[victim], signal.SIGKILL)
        os.waitpid(workers[victim], 0)
        killed += 1
        workers[victim] = forked(left)
    for pid in workers:
        while os.waitpid(pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
    return killed


@contextmanager
def celery_workers() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Workers of the queue, started as in production; those that live at the end are ended."""
    from config.supervisor import worker

    command = [*worker(sys.executable, queue="workflows", threads=THREADS), "-I", "tests.journeys.marking"]
    started = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(CELERY_WORKERS)]
    try:
        yield started
    finally:
        for each in started:
            each.kill()
            each.wait()


def kill_celery(workers: "list[subprocess.Popen[bytes]]", deadline: float) -> int:
    """Asks for the runs as beat does, and kills all workers but the last, each in the middle of its share."""
    from config.celery import app
    from workflows.starting import ADVANCE

    begun = left = open_runs()
    killed = 0
    while left and time.monotonic() < deadline:
        app.send_task(ADVANCE, expires=5)
        time.sleep(0.1)
        forget_leases()
        left = open_runs()
        if killed < CELERY_WORKERS - 1 and left < begun * (1 - (killed + 1) / CELERY_WORKERS):
            workers[killed].kill()
            workers[killed].wait()
            killed += 1
    return killed


def main(kills: int, seed: int, left: int) -> int:
    """Kills that many forks and most of Celery's workers, all at work, and lets the last ones finish."""
    deadline = time.monotonic() + LONGEST_SECONDS
    with celery_workers() as workers:
        killed = kill_forks(kills, random.Random(seed), left, deadline)
        print(killed, kill_celery(workers, deadline))  # noqa: T201
    return 0 if time.monotonic() < deadline else 1


if __name__ == "__main__":
    django.setup()
    from tests.journeys import marking  # noqa: F401  # it adds a step

    sys.exit(main(*(int(each) for each in sys.argv[1:])))
