"""How long an alert takes from being stored to its first page, alone and in a storm: `python -m bench.alerts`.

One process does what a worker does, step after step, against a webhook on this machine; the broker's few milliseconds
are not in it. Counts the queries of the whole way. Ends with 1 if a goal is missed.
"""

import json
import sys
from itertools import count
from math import ceil

from bench.paging import NOW, REPEATS, STORM, policy_of_three_levels, receiver
from bench.stage import Result, computing_control, database_control, median_of, own_database, print_table

# A new alert up to its first page may cost so many statements.
GOAL = 25


def main() -> int:
    """Runs it and returns the exit code."""
    with own_database():
        from django.db import connection  # noqa: PLC0415
        from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

        from accounts.actor import Actor  # noqa: PLC0415
        from alerts.actions import save_source  # noqa: PLC0415
        from alerts.dialects import DIALECTS, address_of, spoken_at  # noqa: PLC0415
        from alerts.ingest import process_raw_events  # noqa: PLC0415
        from alerts.models import Alert  # noqa: PLC0415
        from alerts.receive import Post, accept, posted  # noqa: PLC0415
        from alerts.routes import save_route  # noqa: PLC0415
        from oncall.models import Page  # noqa: PLC0415
        from oncall.sending import send_due  # noqa: PLC0415

        actor = Actor.system(via="command")
        policy = policy_of_three_levels(actor, receiver())
        source = save_source(actor=actor, name="Bench", slug="bench", dialect="generic", now=NOW)
        save_route(actor=actor, name="All", conditions={}, paging="policy", escalation_policy=policy, now=NOW)
        numbers = count()
        spoken = spoken_at(address_of(DIALECTS[source.dialect], source.token, source.pk))
        assert spoken is not None  # noqa: S101

        def post(title: str) -> Post:
            body = json.dumps({"title": title}).encode()
            request_id = f"00000000-0000-0000-0000-{next(numbers):012}"
            return posted(spoken, headers={}, query={}, body=body, request_id=request_id)

        def come_in(many: int) -> None:
            accept([post(f"Alert {next(numbers)}") for _ in range(many)], NOW)

        def carry() -> None:
            for work in (process_raw_events, send_due):
                while work(NOW):
                    pass

        def storm() -> None:
            come_in(STORM)
            carry()

        def one() -> None:
            come_in(1)
            process_raw_events(NOW)
            send_due(NOW)

        def repeats() -> None:
            accept([post("The same") for _ in range(STORM)], NOW)
            process_raw_events(NOW)

        computing, committing = computing_control(), database_control()
        alone, together, repeated = median_of(one, REPEATS), median_of(storm, 3), median_of(repeats, 5)
        with CaptureQueriesContext(connection) as of_one:
            one()
        with CaptureQueriesContext(connection) as of_storm:
            storm()
        with CaptureQueriesContext(connection) as of_repeats:
            repeats()
        assert not Page.objects.exclude(state="sent").exclude(escalation__alerts__title="The same").exists()  # noqa: S101
        assert Alert.objects.get(title="The same").count >= STORM  # noqa: S101
        results = [
            Result("an alert that comes in until its page is sent", alone, len(of_one), goal_queries=GOAL),
            Result(
                f"{STORM} that come in together, for each",
                together / STORM,
                ceil(len(of_storm) / STORM),
                goal_queries=GOAL,
            ),
            Result(f"{STORM} repeats of an open alert, for each", repeated / STORM, ceil(len(of_repeats) / STORM)),
        ]
        return 0 if print_table(results, computing, committing) else 1


if __name__ == "__main__":
    sys.exit(main())
