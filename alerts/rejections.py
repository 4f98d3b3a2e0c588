"""What a source sends and nobody can read: counted by its reason, the newest kept as a sample for its owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.dialects.format import Refusal
from alerts.models import AlertSource
from events.rows import Part

# Of each source: what more of them there are is counted together.
MOST_KINDS = 50
LONGEST_SAMPLE = 4000
OTHERS = "Other mistakes."
# Rows are locked in one order, so that no two web processes wait for each other in a circle.
COUNT_REJECTIONS = """
INSERT INTO alerts_rejection AS known
    (source_id, reason, message, field_name, remedy, content_type, sample, count, first_at, last_at)
SELECT source_id, reason, kind, max(field_name), max(remedy), (array_agg(content_type ORDER BY number DESC))[1],
    (array_agg(sample ORDER BY number DESC))[1], count(*), %s, %s
FROM (
    SELECT *, CASE WHEN EXISTS (
        SELECT FROM alerts_rejection AS same
        WHERE (same.source_id, same.reason, same.message) = (given.source_id, given.reason, given.message)
    ) OR (SELECT count(*) FROM alerts_rejection AS all_of WHERE all_of.source_id = given.source_id) < %s
    THEN message ELSE %s END AS kind
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bytea[])
    WITH ORDINALITY AS given(source_id, reason, message, field_name, remedy, content_type, sample, number)
) AS counted
GROUP BY source_id, reason, kind
ORDER BY source_id, reason, kind
ON CONFLICT (source_id, reason, message) DO UPDATE SET count = known.count + excluded.count,
    last_at = excluded.last_at, field_name = excluded.field_name, remedy = excluded.remedy,
    content_type = excluded.content_type, sample = excluded.sample
"""


@dataclass(frozen=True)
class Rejected:
    """One request of a source that is refused."""

    source: AlertSource
    refusal: Refusal
    content_type: str
    body: bytes

    @property
    def sample(self) -> bytes:
        """How the body began, without the source's token."""
        return self.body[: 2 * LONGEST_SAMPLE].replace(self.source.token.encode(), b"<token>")[:LONGEST_SAMPLE]


def counting(rejected: Sequence[Rejected], now: datetime) -> list[Part]:
    """Counts them, in one statement however many they are."""
    if not rejected:
        return []
    rows = [
        (
            each.source.pk,
            each.refusal.reason,
            _fitting(each.refusal.message, 300),
            _fitting(each.refusal.field_name, 100),
            _fitting(each.refusal.remedy, 300),
            _fitting(each.content_type, 100),
            each.sample,
        )
        for each in rejected
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    return [Part("counted_rejections", COUNT_REJECTIONS, [now, now, MOST_KINDS, OTHERS, *columns])]


def _fitting(text: str, length: int) -> str:
    """As much of it as its column stores; what quotes a sender may hold what no text can."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()[:length]
