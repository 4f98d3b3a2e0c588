"""Incidents that resemble one: the same services, similar words, and what higher apps know, each with its reason."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection
from django.db.models import Q

from accounts.actor import Actor
from incidents.models import Incident, IncidentService, StatusCategory
from incidents.words import incident_words

SHOWN = 5
# However many resemble it, no source looks at more than this many, the newest.
MOST_CANDIDATES = 300
# How many incidents the words that are searched for may find together, as far as the planner's statistics know.
MOST_FOUND = 2_000
MOST_WORDS = 8
# A word tells nothing where it is in one of ten incidents.
COMMON = 0.1
WORD = re.compile(r"[^\W_]{3,}")
# Words that are in every sentence; the index is of no language, so it knows none.
STOP_WORDS = frozenset(
    """
    about after again all also and any are been before but can could did does down for from get had has have her here
    him his how into its just like more most new not now off one only other our out over she some still than that the
    their them then there these they this too under until very was were what when where which while who why will with
    would you your incident incidents issue issues problem problems error errors service services
    """.split()  # noqa: SIM905  (a text is read more easily than a list of words)
)
STATISTICS = """
SELECT reltuples::bigint, most_common_elems::text::text[], most_common_elem_freqs
FROM pg_class LEFT JOIN pg_stats ON pg_stats.tablename = 'incident_search' AND pg_stats.schemaname = current_schema()
WHERE pg_class.oid = 'incidents_incident'::regclass
"""


@dataclass(frozen=True)
class Reason:
    """Why an incident resembles another, in words, and how much that weighs: about 1 for a strong sign."""

    words: str
    weight: float


@dataclass(frozen=True)
class Related:
    """An incident that resembles another, and why."""

    incident: Incident
    reasons: list[str]
    score: float

    @property
    def why(self) -> str:
        return ", ".join(self.reasons)


# From an incident to the ids of those that resemble it, at most `MOST_CANDIDATES`.
Source = Callable[[Incident], Mapping[int, Reason]]
_sources: dict[str, Source] = {}


def relates(name: str) -> Callable[[Source], Source]:
    """Registers what else tells that incidents resemble each other, such as the alerts behind them."""

    def register(source: Source) -> Source:
        _sources[name] = source
        return source

    return register


def related_incidents(actor: Actor, incident: Incident, *, most: int = SHOWN) -> list[Related]:
    """Those that resemble it most and that the actor may see, the most alike first, then the newest.

    What belongs to it anyway (its streams, its parent, what was merged into it) is left out, and so are incidents that
    were declined or declared by mistake, and tests unless it is one.
    """
    reasons: dict[int, list[Reason]] = defaultdict(list)
    for source in _sources.values():
        for pk, reason in source(incident).items():
            reasons[pk].append(reason)
    reasons.pop(incident.pk, None)
    if not reasons:
        return []
    other = Q(parent=incident) | Q(merged_into=incident) | Q(pk__in=[incident.parent_id, incident.merged_into_id])
    other |= Q(status__category__in=[StatusCategory.DECLINED, StatusCategory.CANCELED])
    if incident.mode != Incident.Mode.TEST:
        other |= Q(mode=Incident.Mode.TEST)
    visible = Incident.objects.visible_to(actor).filter(pk__in=reasons).exclude(other).values_list("pk", flat=True)
    scores = {pk: sum(reason.weight for reason in reasons[pk]) for pk in visible}
    best = sorted(scores, key=lambda pk: (-scores[pk], -pk))[:most]
    found = Incident.objects.for_lists().in_bulk(best)
    return [
        Related(
            found[pk],
            [reason.words for reason in sorted(reasons[pk], key=lambda reason: -reason.weight)],
            round(scores[pk], 3),
        )
        for pk in best
    ]


# --- The same services ------------------------------------------------------------------------------------------------


@relates("services")
def by_services(incident: Incident) -> dict[int, Reason]:
    """Incidents that affected the same services, the newest."""
    own = dict(IncidentService.objects.filter(incident=incident).values_list("service_id", "service__name"))
    if not own:
        return {}
    shared: dict[int, list[str]] = defaultdict(list)
    rows = IncidentService.objects.filter(service_id__in=own).exclude(incident=incident)
    for pk, service_id in rows.order_by("-incident_id").values_list("incident_id", "service_id")[:MOST_CANDIDATES]:
        shared[pk].append(own[service_id])
    return {
        pk: Reason(
            f"same service {names[0]}" if len(names) == 1 else f"same services {', '.join(sorted(names))}",
            len(names) / len(own),
        )
        for pk, names in shared.items()
    }


# --- Similar words ----------------------------------------------------------------------------------------------------


def words_of(text: str) -> list[str]:
    """The words of a text that may tell something, each once, in their order."""
    found = (word.casefold() for word in WORD.findall(text))
    return list(dict.fromkeys(word for word in found if word not in STOP_WORDS))


def telling_words(words: Iterable[str]) -> list[str]:
    """The rarest of these words among all incidents, as many as can be searched for without finding too much."""
    with connection.cursor() as cursor:
        cursor.execute(STATISTICS)
        rows, elements, frequencies = cursor.fetchone() or (0, None, None)
    common = dict(zip(elements or [], frequencies or [], strict=False))
    rarest = sorted(words, key=lambda word: common.get(word, 0.0))
    chosen: list[str] = []
    found = 0.0
    for word in rarest[:MOST_WORDS]:
        share = common.get(word, 0.0)
        found += share * max(rows, 0)
        if chosen and (share > COMMON or found > MOST_FOUND):
            break
        chosen.append(word)
    return chosen


@relates("words")
def by_words(incident: Incident) -> dict[int, Reason]:
    """Incidents whose name and summary share telling words with its own, ranked by PostgreSQL's full-text search."""
    own = words_of(f"{incident.name} {incident.summary}")
    telling = telling_words(own)
    if not telling:
        return {}
    query = SearchQuery(telling[0], config="simple")
    for word in telling[1:]:
        query |= SearchQuery(word, config="simple")
    vector = incident_words()
    newest: Any = (
        Incident.objects.annotate(words=vector)
        .filter(words=query)
        .exclude(pk=incident.pk)
        .annotate(rank=SearchRank(vector, query))
        .order_by("-pk")
        .values_list("pk", "name", "summary", "rank")[:MOST_CANDIDATES]
    )
    wanted, reasons = set(own), {}
    for pk, name, summary, rank in newest:
        shared = [word for word in words_of(f"{name} {summary}") if word in wanted]
        # (one word alone is a coincidence, unless there is no other)
        if len(shared) < min(2, len(own)):
            continue
        weight = len(shared) / len(own) + min(rank, 0.5) / 5
        reasons[pk] = Reason(f"similar words: {', '.join(shared[:4])}", weight)
    return reasons
