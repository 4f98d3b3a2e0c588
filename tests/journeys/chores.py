"""What the chaos journey of workflows runs as a process of its own: workers that are killed again and again.

    python -m tests.journeys.chores <kills> <seed>

The parent never touches the database: it forks workers, which inherit nothing but a Django that is ready, and kills
them with SIGKILL at random moments. It says how many it has killed, and ends when no run is left, or with 1 after a
while.
"""

import os
import random
import signal
import sys
import time
from typing import Any

import django

WORKERS = 2
# Short enough that most die at work.
PAUSE_SECONDS = (0.15, 0.6)
# A small machine with other work takes its time for what an idle one does in seconds.
LONGEST_SECONDS = 240.0


def learn() -> None:
    """Adds a step that leaves one fact in the log, and nothing that would have to be drawn."""
    from events.actions import publish
    from workflows.models import WorkflowRun
    from workflows.registry import Context, Group, Outcome, Param, Step, step

    @step
    class Mark(Step):
        kind = "mark"
        label = "Mark"
        icon = "flag"
        group = Group.WORK
        needs_incident = False
        params = (Param("text", "text", "Text", is_template=True),)

        def words(self, params: Any) -> str:
            return "Mark"

        def run(self, context: Context, params: Any) -> Outcome:
            run = WorkflowRun(pk=context.run_id)
            publish("chaos.marked", subject=run, actor=context.actor, data={"text": params["text"]})
            return Outcome("Marked.")


def work() -> None:
    """Takes runs further until none is open."""
    from django.utils import timezone

    from workflows.engine import advance_due
    from workflows.models import WorkflowRun

    while WorkflowRun.objects.filter(state__in=WorkflowRun.OPEN).exists():
        if not advance_due(timezone.now()):
            # What was begun outside and died is held by its lease; nobody waits a minute for it here.
            WorkflowRun.objects.filter(state="running").update(due_at=timezone.now())
            time.sleep(0.2)


def forked() -> int:
    """The id of a worker that has begun."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return pid


def main(kills: int, seed: int) -> int:
    """Kills that many workers at work, then lets the last ones finish."""
    django.setup()
    learn()
    chance = random.Random(seed)
    workers = [forked() for _ in range(WORKERS)]
    deadline = time.monotonic() + LONGEST_SECONDS
    killed = 0
    while killed < kills and time.monotonic() < deadline:
        time.sleep(chance.uniform(*PAUSE_SECONDS))
        victim = chance.randrange(WORKERS)
        ended, _status = os.waitpid(workers[victim], os.WNOHANG)
        if ended:
            break  # all is done already
        os.kill(workers[victim], signal.SIGKILL)
        os.waitpid(workers[victim], 0)
        killed += 1
        workers[victim] = forked()
    for pid in workers:
        while os.waitpid(pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
    print(killed)  # noqa: T201
    return 0 if time.monotonic() < deadline else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
