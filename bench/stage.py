"""What every benchmark stands on: a database of its own, the control that tells how fast the machine is, medians.

A benchmark prints milliseconds and how many times the control's they are. Rates of one machine differ by a factor of
two from hour to hour: compare the ratios.
"""

import json
import logging
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from config.engines import Engines

DOCUMENT = {f"key {number}": [number, str(number), {"nested": number / 7}] for number in range(300)}


@dataclass(frozen=True)
class Result:
    """One line of the table: how long it took (median, milliseconds), its queries, and what we want it to take."""

    work: str
    milliseconds: float
    queries: int | None = None
    goal: float | None = None
    goal_queries: int | None = None

    @property
    def is_met(self) -> bool:
        """Whether the goal is met; without one it always is."""
        in_time = self.goal is None or self.milliseconds <= self.goal
        return in_time and (self.goal_queries is None or (self.queries or 0) <= self.goal_queries)


@contextmanager
def own_database() -> Iterator[None]:
    """Django on an empty, migrated database; engines of its own unless DATABASE_URL and REDIS_URL are set."""
    with tempfile.TemporaryDirectory(prefix="sitrep-bench-") as directory:
        engines = None
        var = Path(directory) / "var"
        if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
            engines = Engines(var, say=_say)
            addresses = engines.start()
            os.environ |= {"DATABASE_URL": addresses.database_url, "REDIS_URL": addresses.redis_url}
        os.environ |= {"VAR_DIR": str(var), "SECRET_KEY": "a-key-for-benchmarks-only-" + "0" * 50}
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django  # noqa: PLC0415  (it reads the settings, which read the addresses)
        from django.db import connection  # noqa: PLC0415

        django.setup()
        logging.disable(logging.INFO)  # what each request says of itself would stand among the figures
        name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            yield
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)
            connection.close()
            if engines is not None:
                engines.stop()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def median_of(work: Callable[[], object], repeats: int) -> float:
    """How long the work takes in milliseconds: the median of the repeats, after one that does not count."""
    work()
    took = []
    for _ in range(repeats):
        begun = perf_counter()
        work()
        took.append((perf_counter() - begun) * 1000)
    return statistics.median(took)


def computing_control() -> float:
    """Milliseconds to write a document of some 15 kB as JSON: how fast the machine computes right now."""
    return median_of(lambda: json.dumps(DOCUMENT), 200)


def database_control() -> float:
    """Milliseconds of one durable INSERT: how fast the database commits right now."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_control (id bigserial PRIMARY KEY, body text)")
        return median_of(lambda: cursor.execute("INSERT INTO bench_control (body) VALUES (%s)", ["x" * 200]), 300)


def print_table(results: list[Result], computing: float, committing: float) -> bool:
    """Prints the results as a Markdown table; whether every goal is met."""
    out = sys.stdout.write
    out(f"control: {computing:.3f} ms a JSON document, {committing:.3f} ms an INSERT\n\n")
    out("| work | median ms | × control | queries | goal | |\n| --- | ---: | ---: | ---: | --- | --- |\n")
    for each in results:
        queries = "" if each.queries is None else str(each.queries)
        goals = [] if each.goal is None else [f"≤ {each.goal:g} ms"]
        if each.goal_queries is not None:
            goals.append(f"≤ {each.goal_queries} queries")
        goal = ", ".join(goals)
        verdict = "" if not goal else ("met" if each.is_met else "MISSED")
        ratio = each.milliseconds / computing
        out(f"| {each.work} | {each.milliseconds:.2f} | {ratio:.1f} | {queries} | {goal} | {verdict} |\n")
    return all(each.is_met for each in results)
