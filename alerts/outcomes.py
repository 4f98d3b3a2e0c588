"""The one outcome of an event, where it is known only later: what waited, and what was muted."""

from collections.abc import Sequence

from django.db import connection

from alerts.models import Alert

# In the body that opened the alert only what opened it: repeats of it keep that they were counted.
CONCLUDE_AGAIN = """
UPDATE alerts_rawevent AS raw
SET outcomes = (
    SELECT jsonb_agg(
        CASE WHEN told ->> 'alert' = later.alert AND told ->> 'outcome' IN ('waiting', 'suppressed')
        THEN jsonb_set(told, '{outcome}', to_jsonb(later.outcome)) ELSE told END ORDER BY place
    ) FROM jsonb_array_elements(raw.outcomes) WITH ORDINALITY AS listed(told, place)
)
FROM (
    SELECT raw_id, alert, outcome FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS given(raw_id, alert, outcome)
) AS later
WHERE raw.id = later.raw_id AND raw.outcomes <> '[]'
"""


def conclude_again(alerts: Sequence[Alert]) -> None:
    """Writes the outcome of these alerts into the events that opened them, if those are concluded already."""
    rows = [(each.first_raw_event_id, str(each.pk), each.outcome) for each in alerts if each.first_raw_event_id]
    # One body may have opened several of them, and one UPDATE changes a row once.
    while rows:
        once = {raw_id: (raw_id, alert, outcome) for raw_id, alert, outcome in rows}
        with connection.cursor() as cursor:
            cursor.execute(CONCLUDE_AGAIN, list(map(list, zip(*once.values(), strict=True))))
        rows = [row for row in rows if row not in set(once.values())]
