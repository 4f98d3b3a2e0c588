"""Incidents that the same alerts have set off resemble each other."""

from functools import reduce
from operator import or_

from django.db.models import Q

from alerts.models import Alert
from incidents.models import Incident
from incidents.related import MOST_CANDIDATES, Reason, relates

# No index finds alerts by their title: those of the newest incidents are looked at.
MOST_LOOKED_AT = 2_000
MOST_ALERTS = 20


@relates("alerts")
def by_alerts(incident: Incident) -> dict[int, Reason]:
    """Incidents with alerts of the same source and dedup key, and of the newest those with alerts of the same title."""
    own = list(incident.alerts.order_by("-pk").values_list("source_id", "dedup_key", "title")[:MOST_ALERTS])
    if not own:
        return {}
    reasons: dict[int, Reason] = {}
    titles = {title for _source, _key, title in own}
    attached = Alert.objects.filter(incident__isnull=False)
    looked_at = attached.order_by("-incident_id").values_list("incident_id", "title")[:MOST_LOOKED_AT]
    for pk, title in looked_at:
        if pk is not None and title in titles:
            reasons[pk] = Reason(f"alert of the same name: {title}", 0.8)
    same = reduce(or_, (Q(source_id=source_id, dedup_key=key) for source_id, key, _title in own))
    keyed = attached.filter(same).order_by("-pk").values_list("incident_id", "title")[:MOST_CANDIDATES]
    reasons |= {pk: Reason(f"same alert: {title}", 1.5) for pk, title in keyed if pk is not None}
    return reasons
