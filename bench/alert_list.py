"""How long the list of alerts takes with a million stored and 10,000 open: `python -m bench.alert_list [how many]`.

Fills a database and asks for pages as a browser does, everything but the network included. Each tenth of the newest
100,000 alerts is open. What is printed is the 95th percentile, not the median. Ends with 1 if a goal is missed.
"""

import sys
from time import perf_counter
from urllib.parse import urlencode

from bench.stage import Result, computing_control, database_control, own_database, print_table

ALERTS = 1_000_000
OPEN = 10_000
ASKED = 40
GOAL = 200.0
# As many sources, services, teams and routes as a larger company has.
SOURCES, SERVICES, TEAMS, ROUTES = 40, 300, 30, 25
FILL = """
INSERT INTO alerts_alert (
    source_id, dedup_key, status, title, description, severity, priority, team_id, service_id, service_named,
    attributes, tags, unresolved, source_url, count, started_at, first_event_at, last_event_at, resolved_at, route_id,
    routing_note, outcome, held, noise
)
SELECT
    1 + n %% %(sources)s,
    'host-' || n %% 5000 || '.example.com:' || n,
    CASE WHEN is_open THEN 'firing' ELSE 'resolved' END,
    (ARRAY['DiskFull', 'HighLatency', 'PaymentErrorRate', 'CertificateExpires', 'QueueGrows'])[1 + n %% 5]
        || ' on host-' || n %% 5000 || ' of customer ' || n %% 997,
    'The value is over its threshold for ten minutes. ' || repeat('More is in the runbook. ', 4),
    (ARRAY['critical', 'error', 'warning', 'info'])[1 + n %% 4],
    1 + n %% 5,
    1 + n %% %(teams)s,
    1 + n %% %(services)s,
    '',
    jsonb_build_object('labels', jsonb_build_object('instance', 'host-' || n %% 5000, 'job', 'node', 'n', n)),
    '[]', '[]', 'https://prometheus.example.com/graph', 1 + n %% 50, at, at, at,
    CASE WHEN is_open THEN NULL ELSE at + interval '20 minutes' END,
    1 + n %% %(routes)s,
    '',
    CASE WHEN n %% 50 = 0 THEN 'suppressed' WHEN n %% 1000 = 1 THEN 'attached' ELSE 'recorded' END,
    '',
    CASE WHEN n %% 500 = 0 THEN 'noise' ELSE '' END
FROM (
    SELECT n, now() - (%(alerts)s - n) * interval '25 seconds' AS at,
        n > %(alerts)s - 10 * %(open)s AND n %% 10 = 0 AS is_open
    FROM generate_series(1, %(alerts)s) AS n
) AS made
"""


def main(number: int) -> int:
    """Runs it and returns the exit code."""
    with own_database():
        from django.test import Client  # noqa: PLC0415

        from accounts.models import Role, User  # noqa: PLC0415

        begun = perf_counter()
        fill(number)
        sys.stdout.write(f"{number:,} alerts, {OPEN:,} open, in {perf_counter() - begun:.0f} s\n\n")
        client = Client(SERVER_NAME="localhost")
        client.force_login(User.objects.create(name="Ana", email="ana@example.com", role=Role.RESPONDER))

        def page_of(address: str) -> None:
            answer = client.get(address)
            assert answer.status_code == 200, (address, answer.status_code)  # noqa: S101

        def measured(work: str, address: str = "/alerts/", **asked: str) -> Result:
            whole = f"{address}?{urlencode(asked)}"
            page_of(whole)
            took = []
            for _ in range(ASKED):
                at = perf_counter()
                page_of(whole)
                took.append((perf_counter() - at) * 1000)
            return Result(f"{work}, p95", sorted(took)[int(ASKED * 0.95) - 1], goal=GOAL)

        firing = {"status": "firing"}
        results = [
            measured("open alerts", **firing),
            measured("open alerts by priority", **firing, sort="priority"),
            measured("open alerts of a team", **firing, team="name-3"),
            measured("open alerts, searched", **firing, q="payment host-12"),
            measured("all alerts", paged_nobody="unknown"),
            measured("resolved alerts", status="resolved"),
            measured("resolved alerts, page 400", status="resolved", page="400"),
            measured("alerts of a service", service="name-7"),
            measured("alerts of a source and a priority", source="name-2", priority="1"),
            measured("alerts attached to an incident", outcome="attached"),
            measured("alerts marked as noise", noise="noise"),
            measured("alerts of the last 7 days", within="7d"),
            measured("searched: a word of one alert in five", q="certificate"),
            measured("searched: a host, one alert in 5,000", q="host-4711"),
            measured("searched: two words", q="disk customer 99"),
            measured("searched: nothing found", q="no-such-thing"),
            measured("the API's first page", "/api/v1/alerts/", status="firing"),
        ]
        is_met = print_table(results, computing_control(), database_control())
    return 0 if is_met else 1


def fill(number: int) -> None:
    """Stores what the list shows; as the database makes rows of numbers by itself."""
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from accounts.actor import Actor  # noqa: PLC0415
    from accounts.models import Team  # noqa: PLC0415
    from alerts.actions import save_source  # noqa: PLC0415
    from alerts.models import AlertRoute  # noqa: PLC0415
    from catalog.models import Service  # noqa: PLC0415

    system, now = Actor.system(via="command"), timezone.now()
    for each in range(SOURCES):
        save_source(actor=system, name=f"Name {each}", slug=f"name-{each}", dialect="generic", now=now)
    teams = Team.objects.bulk_create(Team(name=f"Name {each}", slug=f"name-{each}") for each in range(TEAMS))
    Service.objects.bulk_create(
        Service(name=f"Name {each}", slug=f"name-{each}", team=teams[each % TEAMS]) for each in range(SERVICES)
    )
    AlertRoute.objects.bulk_create(
        AlertRoute(name=f"Name {each}", position=each, paging="nobody") for each in range(ROUTES)
    )
    counts = {"sources": SOURCES, "teams": TEAMS, "services": SERVICES, "routes": ROUTES}
    with connection.cursor() as cursor:
        # Indexes are made faster once than a row at a time.
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes "
            "WHERE tablename = 'alerts_alert' AND indexdef LIKE 'CREATE INDEX%'"
        )
        indexes = cursor.fetchall()
        for name, _made in indexes:
            cursor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")
        cursor.execute(FILL, {**counts, "alerts": number, "open": OPEN})
        for _name, made in indexes:
            cursor.execute(made)
        cursor.execute("VACUUM ANALYZE alerts_alert")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ALERTS))
