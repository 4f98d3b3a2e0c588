"""Alertmanager's status, receivers, alerts and groups (prometheus/alertmanager `api/v2/openapi.yaml`).

A token reads what its own source has sent, and nothing else. The one receiver is the source.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from alerts.alertmanager_api.door import Refused, answers
from alerts.alertmanager_api.filters import BadMatcher, parse_matchers
from alerts.dialects.alertmanager_api import RESOLVE_TIMEOUT
from alerts.matchers import check_matcher, matches
from alerts.models import Alert, AlertSource

Fields = dict[str, Any]
STARTED_AT = datetime.now(UTC)
MOST_ALERTS = 10_000
# The version whose API this is: clients look at nothing else of it.
VERSION = "0.27.0"
CONFIG = "route:\n  receiver: {name}\nreceivers:\n  - name: {name}\n"


def instant(at: datetime) -> str:
    """A time as Alertmanager writes it: UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@answers("GET")
def status(request: HttpRequest, source: AlertSource) -> Fields:
    """What amtool asks before anything else."""
    unknown = {"revision": "", "buildUser": "", "buildDate": "", "goVersion": ""}
    return {
        "cluster": {"name": "sitrep", "status": "ready", "peers": []},
        "versionInfo": {"version": VERSION, "branch": "sitrep", **unknown},
        "config": {"original": CONFIG.format(name=source.slug)},
        "uptime": instant(STARTED_AT),
    }


@answers("GET")
def receivers(request: HttpRequest, source: AlertSource) -> list[Fields]:
    """The source itself."""
    return [{"name": source.slug, "labels": {}}]


@answers("GET")
def alert_list(request: HttpRequest, source: AlertSource) -> list[Fields]:
    """The alerts that fire, as far as they are asked for."""
    return _asked(request, source)


@answers("GET")
def alert_groups(request: HttpRequest, source: AlertSource) -> list[Fields]:
    """The same by the name of the alert."""

    def name_of(alert: Fields) -> str:
        return str(alert["labels"].get("alertname", ""))

    return [
        {
            "labels": {"alertname": name} if name else {},
            "routeLabels": {},
            "receiver": {"name": source.slug},
            "alerts": list(alerts),
        }
        for name, alerts in groupby(sorted(_asked(request, source), key=name_of), key=name_of)
    ]


def _asked(request: HttpRequest, source: AlertSource) -> list[Fields]:
    """Alerts that are `active` or `silenced`, whose labels match every `filter`, if the `receiver` is this one."""
    matchers = matchers_in(request)
    pattern = request.GET.get("receiver", "")
    if pattern and not _is_meant(pattern, source.slug):
        return []
    shows_active, shows_silenced = flag(request, "active"), flag(request, "silenced")
    now = timezone.now()
    shown = []
    for alert in _with_labels(source, matchers):
        is_silenced = alert.held == Alert.Held.MUTED
        if (shows_silenced if is_silenced else shows_active) and all(
            matches(each, labels_of(alert)) for each in matchers
        ):
            shown.append(_shape(alert, source, now))
    return shown


def _with_labels(source: AlertSource, matchers: Sequence[Mapping[str, Any]]) -> QuerySet[Alert]:
    """The source's alerts that fire; what is asked for to the letter is looked for by the database."""
    wanted = {
        each["name"]: each["value"] for each in matchers if each["isEqual"] and not each["isRegex"] and each["value"]
    }
    found = Alert.objects.all().firing().filter(source=source).select_related("muted_by").order_by("id")
    return (found.filter(attributes__labels__contains=wanted) if wanted else found)[:MOST_ALERTS]


def _is_meant(pattern: str, name: str) -> bool:
    try:
        return re.fullmatch(pattern[:1000], name) is not None
    except re.error as error:
        raise Refused(400, f"failed to parse receiver param: {error}") from error


def flag(request: HttpRequest, name: str) -> bool:
    """A yes or no of the query, yes unless it says otherwise."""
    text = request.GET.get(name, "true").lower()
    if text not in {"true", "false", "1", "0", "t", "f"}:
        raise Refused(400, f"{name} in query must be of type boolean: {text!r}")
    return text in {"true", "1", "t"}


def matchers_in(request: HttpRequest) -> list[dict[str, Any]]:
    """Every `filter` of the query; raises Refused."""
    try:
        matchers = [each for text in request.GET.getlist("filter") for each in parse_matchers(text)]
    except BadMatcher as error:
        raise Refused(400, str(error)) from error
    wrong = next(filter(None, map(check_matcher, matchers)), "")
    if wrong:
        raise Refused(400, wrong)
    return matchers


def labels_of(alert: Alert) -> dict[str, str]:
    """Its labels, as the source sent them."""
    labels = alert.attributes.get("labels")
    return labels if isinstance(labels, dict) else {}


def _shape(alert: Alert, source: AlertSource, now: datetime) -> Fields:
    """One alert (gettableAlert)."""
    annotations = alert.attributes.get("annotations")
    is_silenced = alert.held == Alert.Held.MUTED
    silence = alert.muted_by.silence_id if is_silenced and alert.muted_by is not None else None
    return {
        "labels": labels_of(alert),
        "annotations": annotations if isinstance(annotations, dict) else {},
        "generatorURL": alert.source_url,
        "receivers": [{"name": source.slug}],
        "fingerprint": alert.dedup_key,
        "startsAt": instant(alert.started_at),
        "updatedAt": instant(alert.last_event_at),
        "endsAt": instant(alert.expires_at or now + RESOLVE_TIMEOUT),
        "status": {
            "state": "suppressed" if is_silenced else "active",
            "silencedBy": [str(silence or alert.muted_by_id)] if is_silenced else [],
            "inhibitedBy": [],
            "mutedBy": [],
        },
    }
