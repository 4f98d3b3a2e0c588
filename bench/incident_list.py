"""How long the lists of incidents take with 100,000 stored: `python -m bench.incident_list [how many]`.

Fills a database and asks for pages as a browser does, everything but the network included, with one filter, any two
together, words, and sorted; and for the page of one of them with 2,000 entries. 200 are open, one in fifty is private,
and custom fields have values. What is printed is the 95th percentile, not the median. Ends with 1 if a goal is missed.
"""

import sys
from itertools import combinations
from math import ceil
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

from bench.stage import Result, computing_control, database_control, own_database, print_table
from config.serving import settle

INCIDENTS = 100_000
OPEN = 200
SERVICES, TEAMS, PEOPLE = 300, 30, 200
ASKED = 12
GOAL = 200.0
# The first incident as often as is wanted, each with other values.
FILL = """
INSERT INTO incidents_incident
SELECT (jsonb_populate_record(incident, jsonb_build_object(
    'id', incident.id + n,
    'number', incident.number + n,
    'name', (ARRAY[
        'Payment API returning errors', 'Disk full on host', 'Login is slow', 'Search finds nothing', 'Queue grows'
    ])[1 + n %% 5] || ' of customer ' || n %% 997,
    'summary', 'The pool of host-' || n %% 5000 || ' was exhausted after the campaign of number ' || n,
    'severity_id', (%(severities)s::int[])[1 + n %% cardinality(%(severities)s::int[])],
    'status_id', CASE
        WHEN n > %(incidents)s - %(open)s THEN (%(active)s::int[])[1 + n %% cardinality(%(active)s::int[])]
        ELSE (%(over)s::int[])[1 + n %% 97 %% cardinality(%(over)s::int[])]
    END,
    'visibility', CASE WHEN n %% 50 = 0 THEN 'private' ELSE 'public' END,
    'mode', CASE WHEN n %% 40 = 0 THEN 'test' ELSE 'standard' END,
    'declared_by_id', (%(people)s::int[])[1 + n %% cardinality(%(people)s::int[])],
    'fields', jsonb_build_object('region', (ARRAY['north', 'east', 'south', 'west'])[1 + n %% 4]),
    'declared_at', now() - (%(incidents)s - n) * interval '5 minutes',
    'resolved_at', CASE
        WHEN n > %(incidents)s - %(open)s THEN NULL
        ELSE now() - (%(incidents)s - n) * interval '5 minutes' + interval '1 hour'
    END,
    'next_update_due_at', CASE WHEN n > %(incidents)s - %(open)s THEN now() - interval '1 minute' END
))).*
FROM incidents_incident AS incident, generate_series(1, %(incidents)s) AS n
"""
AFFECT = """
INSERT INTO incidents_incidentservice (incident_id, service_id, impact)
SELECT incident.id, service.id, 'partial_outage'
FROM incidents_incident AS incident JOIN catalog_service AS service
    ON service.slug = 'name-' || incident.number %% %(services)s OR service.slug = 'name-' || incident.number %% 7
"""
ASSIGN = """
INSERT INTO incidents_roleassignment (incident_id, role_id, user_id, started_at, assigned_by_name, note)
SELECT incident.id, role.id, (%(people)s::int[])[1 + (incident.number + role.id) %% cardinality(%(people)s::int[])],
    now(), '', ''
FROM incidents_incident AS incident JOIN incidents_incidentrole AS role ON role.slug IN ('lead', 'comms')
"""
# The first incident has been talked about for long.
ENTRIES = 2_000
TALK = """
INSERT INTO incidents_timelineentry
SELECT (jsonb_populate_record(entry, jsonb_build_object(
    'id', entry.id + n, 'sequence', 1000 + n, 'kind', (ARRAY['message', 'note', 'alert', 'page'])[1 + n %% 4],
    'text', 'What was said as number ' || n, 'occurred_at', now() - (%(entries)s - n) * interval '1 second'
))).*
FROM incidents_timelineentry AS entry, generate_series(1, %(entries)s) AS n
WHERE entry.id = (SELECT min(id) FROM incidents_timelineentry)
"""
FILTERS: dict[str, str] = {
    "severity": "sev2",
    "status": "closed",
    "category": "active",
    "incident_type": "default",
    "service": "name-7",
    "team": "name-3",
    "mode": "test",
    "visibility": "private",
    "role": "comms",
    "overdue": "true",
    "declared_after": "2026-01-01T00:00Z",
    "resolved_before": "2026-06-01T00:00Z",
    "field.region": "north",
    "q": "exhausted customer",
}


def main(number: int) -> int:
    """Runs it and returns the exit code."""
    with own_database():
        from django.test import Client  # noqa: PLC0415

        from accounts.models import Role, User  # noqa: PLC0415
        from incidents.models import IncidentType  # noqa: PLC0415

        begun = perf_counter()
        people = fill(number)
        sys.stdout.write(f"{number:,} incidents, {OPEN:,} open, in {perf_counter() - begun:.0f} s\n\n")
        client = Client(SERVER_NAME="localhost")
        client.force_login(User.objects.create(name="Ana", email="ana@example.com", role=Role.RESPONDER))
        of_one = {"lead": str(people[3]), "person": str(people[5]), "declared_by": str(people[8])}
        filters = FILTERS | {"incident_type": IncidentType.objects.earliest("pk").slug} | of_one

        settle()  # as the web server does once it has started

        def measured(work: str, asked: dict[str, str], *, address: str = "/incidents/", times: int = ASKED) -> Result:
            whole = f"{address}?{urlencode(asked)}"
            took = []
            for _ in range(times + 1):
                at = perf_counter()
                answer = client.get(whole)
                assert answer.status_code == 200, (whole, answer.status_code)  # noqa: S101
                took.append((perf_counter() - at) * 1000)
            # The first asks for what the database has not read yet.
            return Result(f"{work}, p95", sorted(took[1:])[ceil(times * 0.95) - 1], goal=GOAL)

        def with_both(pair: tuple[str, str], times: int) -> Result:
            return measured(" and ".join(pair), {name: filters[name] for name in pair}, times=times)

        # All pairs briefly, then those that seemed slowest as long as the rest: one look may have met a busy moment.
        pairs = sorted(combinations(filters, 2), key=lambda pair: -with_both(pair, 2).milliseconds)
        results = [
            measured("open incidents", {"open": "true"}),
            measured("all incidents", {}),
            measured("all incidents, page 80", {"page": "80"}),
            measured("all incidents by severity", {"sort": "-severity__rank"}),
            measured("all incidents by name", {"sort": "name"}),
            *(measured(name, {name: value}) for name, value in filters.items()),
            *(with_both(pair, ASKED) for pair in pairs[:8]),
            measured("the board", {}, address="/incidents/board/"),
            measured("the wall", {}, address="/incidents/wall/"),
            measured(f"the page of an incident with {ENTRIES:,} entries", {}, address="/incidents/1/"),
            measured("the API's first page", {"open": "true"}, address="/api/v1/incidents/"),
        ]
        sys.stdout.write(f"Of {len(pairs)} pairs of filters the eight that seemed slowest are shown.\n\n")
        is_met = print_table(results, computing_control(), database_control())
    return 0 if is_met else 1


def fill(number: int) -> list[int]:
    """Stores what the lists show, and returns the ids of the people in it."""
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from accounts.actor import Actor  # noqa: PLC0415
    from accounts.models import Team, User  # noqa: PLC0415
    from catalog.models import Service  # noqa: PLC0415
    from incidents.actions import declare_incident  # noqa: PLC0415
    from incidents.models import CustomField, IncidentStatus, Severity, StatusCategory  # noqa: PLC0415
    from incidents.presets import load_presets  # noqa: PLC0415

    def ids(rows: Any) -> list[int]:
        return list(rows.values_list("pk", flat=True))

    load_presets()
    CustomField.objects.create(
        name="Region", slug="region", kind=CustomField.Kind.SELECT, options=["north", "east", "south", "west"]
    )
    teams = Team.objects.bulk_create(Team(name=f"Name {each}", slug=f"name-{each}") for each in range(TEAMS))
    Service.objects.bulk_create(
        Service(name=f"Name {each}", slug=f"name-{each}", team=teams[each % TEAMS]) for each in range(SERVICES)
    )
    people = User.objects.bulk_create(
        User(name=f"Name {each}", email=f"name-{each}@example.com") for each in range(PEOPLE)
    )
    declare_incident(
        actor=Actor.system(), name="Payments", severity=Severity.objects.earliest("rank"), now=timezone.now()
    )
    active = ids(IncidentStatus.objects.filter(category=StatusCategory.ACTIVE))
    over = [StatusCategory.POST_INCIDENT, StatusCategory.CLOSED, StatusCategory.DECLINED]
    values: dict[str, Any] = {
        "incidents": number,
        "open": OPEN,
        "services": SERVICES,
        "severities": ids(Severity.objects),
        "active": active,
        "over": ids(IncidentStatus.objects.filter(category__in=over)),
        "people": [person.pk for person in people],
        "entries": ENTRIES,
    }
    with connection.cursor() as cursor:
        cursor.execute(FILL, values)
        cursor.execute(AFFECT, values)
        cursor.execute(ASSIGN, values)
        cursor.execute(TALK, values)
        cursor.execute("VACUUM ANALYZE")
    return [person.pk for person in people]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else INCIDENTS))
