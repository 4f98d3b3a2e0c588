"""How long a page takes from `start_escalation` to its first attempt: `python -m bench.paging`.

One process does what a worker does, step after step, against a webhook on this machine; the broker's few milliseconds
are not in it. Counts the queries of the whole way. Ends with 1 if a goal is missed.
"""

import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import perf_counter
from typing import TYPE_CHECKING, Any

from bench.stage import Result, computing_control, database_control, median_of, own_database, print_table

if TYPE_CHECKING:
    from accounts.actor import Actor
    from oncall.models import EscalationPolicy

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
REPEATS = 60
STORM = 200


class Receiver(ThreadingHTTPServer):
    daemon_threads = True
    # All that are sent at once must find room; who does not waits a second for the kernel.
    request_queue_size = 128
    heard_at = 0.0


class Receives(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        self.server.heard_at = perf_counter()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


def receiver() -> Receiver:
    """A webhook on this machine."""
    server = Receiver(("127.0.0.1", 0), Receives)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def policy_of_three_levels(actor: "Actor", server: Receiver) -> "EscalationPolicy":
    """Each level pages the same person, through the webhook."""
    from django.conf import settings  # noqa: PLC0415

    from accounts.models import User  # noqa: PLC0415
    from oncall.models import ContactMethod  # noqa: PLC0415
    from oncall.policies import LevelDraft, person, save_policy  # noqa: PLC0415

    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    ana = User.objects.create(name="Ana", email="ana@example.com", password="!")  # noqa: S106
    address = f"http://127.0.0.1:{server.server_port}/"
    ContactMethod.objects.create(user=ana, kind="webhook", address=address, verified_at=NOW)
    levels = [LevelDraft(5, [person(ana)])] * 3
    return save_policy(actor=actor, name="Bench", slug="bench", levels=levels, now=NOW)


def main() -> int:
    """Runs it and returns the exit code."""
    with own_database():
        from django.db import connection  # noqa: PLC0415
        from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

        from accounts.actor import Actor  # noqa: PLC0415
        from oncall.actions import start_escalation  # noqa: PLC0415
        from oncall.engine import tick  # noqa: PLC0415
        from oncall.models import Page  # noqa: PLC0415
        from oncall.sending import send_due  # noqa: PLC0415
        from oncall.simulation import simulate  # noqa: PLC0415

        actor = Actor.system(via="command")
        server = receiver()
        policy = policy_of_three_levels(actor, server)

        def start() -> None:
            start_escalation(actor=actor, policy=policy, title="Payment API returning 500 errors", now=NOW)

        def page() -> None:
            start()
            tick(NOW)
            send_due(NOW)

        def storm() -> None:
            for _ in range(STORM):
                start()
            while tick(NOW):
                pass
            while send_due(NOW):
                pass

        def heard() -> float:
            begun = perf_counter()
            page()
            return (server.heard_at - begun) * 1000

        computing, committing = computing_control(), database_control()
        took = median_of(page, REPEATS)
        until_heard = sorted(heard() for _ in range(REPEATS))
        with CaptureQueriesContext(connection) as captured:
            page()
        stormed = median_of(storm, 3)
        simulated = median_of(lambda: simulate(policy, NOW), 50)
        assert not Page.objects.exclude(state="sent").exists()  # noqa: S101
        results = [
            Result("start_escalation until the webhook hears, median", until_heard[REPEATS // 2], goal=25),
            Result("start_escalation until the webhook hears, 99th", until_heard[int(REPEATS * 0.99)], goal=150),
            Result("start_escalation until the page is sent and recorded", took, len(captured), goal=150),
            Result(f"{STORM} escalations at once until all is sent, for each", stormed / STORM),
            Result("simulate: three levels until exhausted", simulated),
        ]
        return 0 if print_table(results, computing, committing) else 1


if __name__ == "__main__":
    sys.exit(main())
