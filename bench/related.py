"""How long the search for similar incidents takes with 100,000 stored: `python -m bench.related [how many]`.

What is printed is the slowest of several incidents, the 95th percentile of each. Ends with 1 if a goal is missed.
"""

import sys
from time import perf_counter

from bench.stage import Result, computing_control, database_control, own_database, print_table

INCIDENTS = 100_000
SERVICES = 300
ASKED = 20
GOAL = 100.0
# The first incident as often as is wanted, with other words and another time.
FILL = """
INSERT INTO incidents_incident
SELECT (jsonb_populate_record(incident, jsonb_build_object(
    'id', incident.id + n,
    'number', incident.number + n,
    'name', (ARRAY[
        'Payment API returning errors', 'Disk full on host', 'Login is slow', 'Search finds nothing', 'Queue grows'
    ])[1 + n %% 5] || ' of customer ' || n %% 997,
    'summary', 'The ' || (ARRAY['connection pool', 'certificate', 'deploy', 'cache', 'replica'])[1 + n %% 7 %% 5]
        || ' of host-' || n %% 5000 || ' was exhausted after the campaign of number ' || n,
    'declared_at', now() - (%(incidents)s - n) * interval '5 minutes'
))).*
FROM incidents_incident AS incident, generate_series(1, %(incidents)s) AS n
"""
AFFECT = """
INSERT INTO incidents_incidentservice (incident_id, service_id, impact)
SELECT incident.id, service.id, 'partial_outage'
FROM incidents_incident AS incident JOIN catalog_service AS service
    ON service.slug = 'name-' || incident.number %% %(services)s OR service.slug = 'name-' || incident.number %% 7
"""


def main(number: int) -> int:
    """Runs it and returns the exit code."""
    with own_database():
        from django.db import connection  # noqa: PLC0415
        from django.utils import timezone  # noqa: PLC0415

        from accounts.actor import Actor  # noqa: PLC0415
        from accounts.models import Role, User  # noqa: PLC0415
        from catalog.models import Service  # noqa: PLC0415
        from incidents.actions import declare_incident  # noqa: PLC0415
        from incidents.models import Incident, Severity  # noqa: PLC0415
        from incidents.presets import load_presets  # noqa: PLC0415
        from incidents.related import related_incidents  # noqa: PLC0415

        load_presets()
        Service.objects.bulk_create(Service(name=f"Name {each}", slug=f"name-{each}") for each in range(SERVICES))
        declare_incident(
            actor=Actor.system(), name="Payments", severity=Severity.objects.earliest("rank"), now=timezone.now()
        )
        with connection.cursor() as cursor:
            cursor.execute(FILL, {"incidents": number})
            cursor.execute(AFFECT, {"services": SERVICES})
            cursor.execute("VACUUM ANALYZE")
        actor = Actor.of_user(User.objects.create(name="Ana", email="ana@example.com", role=Role.RESPONDER), via="web")
        words = {
            "words that all have": ("Payment API returning errors of customer", "The connection pool was exhausted"),
            "a rare word": ("Search finds nothing", "host-4711 was exhausted"),
            "words of the many": ("Exhausted after the campaign", "customer number host"),
        }
        results: list[Result] = []
        for work, (name, summary) in words.items():
            incident = Incident.objects.get(number=number // 2 + len(results))
            incident.name, incident.summary = name, summary
            took = []
            for _ in range(ASKED):
                at = perf_counter()
                found = related_incidents(actor, incident)
                took.append((perf_counter() - at) * 1000)
            assert found, work  # noqa: S101
            results.append(Result(f"{work}, p95", sorted(took)[int(ASKED * 0.95) - 1], goal=GOAL))
        is_met = print_table(results, computing_control(), database_control())
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else INCIDENTS))
