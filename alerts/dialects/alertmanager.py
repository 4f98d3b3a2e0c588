"""Alertmanager's webhook, payload version "4", and Alertmanager's own API (`alertmanager_api`).

Follows prometheus/alertmanager `notify/webhook/webhook.go` and `template/template.go`. Each alert of the group is one
event; its fingerprint (a hash of its labels) is the dedup key. The label `service` names the service, `team` the team,
`severity` the severity; the annotations `summary` and `description` become title and description, `runbook_url` is
kept.
"""

from typing import Any

from alerts.dialects import alertmanager_api
from alerts.dialects.format import (
    LONGEST_TITLE,
    Dialect,
    DialectError,
    NormalisedEvent,
    Request,
    read_json,
    read_time,
    short_key,
)

ALERTMANAGER_YML = """route:
  receiver: sitrep
receivers:
  - name: sitrep
    webhook_configs:
      - url: <address>
"""
PROMETHEUS_YML = """alerting:
  alertmanagers:
    - api_version: v2
      scheme: <scheme>
      path_prefix: <path>
      static_configs:
        - targets: ["<host>"]
"""
AMTOOL = """amtool --alertmanager.url=<address> alert query
amtool --alertmanager.url=<address> silence add alertname=HighLatency --duration=1h --comment="Deployment"
"""


def parse(request: Request) -> list[NormalisedEvent]:
    """One event per alert of the group; raises DialectError."""
    if request.address == alertmanager_api.ALERTS:
        return alertmanager_api.parse(request, lambda alert: _event(alert, "alert", {}))
    data = read_json(request.body)
    if not isinstance(data, dict):
        raise DialectError("The body must be a JSON object.", remedy="Point a webhook_configs receiver here.")
    if not isinstance(data.get("alerts"), list):
        raise DialectError(
            "alerts must be a list.", field_name="alerts", remedy="Send Alertmanager's webhook payload, version 4."
        )
    return [_event(alert, f"alerts[{index}]", data) for index, alert in enumerate(data["alerts"])]


def _event(alert: Any, where: str, group: dict[str, Any]) -> NormalisedEvent:
    if not isinstance(alert, dict):
        raise DialectError(f"{where} must be an object.", field_name=where)
    labels, annotations = _map(alert, "labels", where), _map(alert, "annotations", where)
    if not labels:
        raise DialectError("An alert needs labels.", field_name=f"{where}.labels")
    if alert.get("status") not in ("firing", "resolved"):
        raise DialectError("status must be firing or resolved.", field_name=f"{where}.status")
    name = labels.get("alertname", "Alert")
    is_over, ends_at = alert["status"] == "resolved", read_time(alert.get("endsAt"), f"{where}.endsAt")
    fingerprint = alert.get("fingerprint") or ",".join(f"{key}={labels[key]}" for key in sorted(labels))
    return NormalisedEvent(
        dedup_key=short_key(str(fingerprint)),
        status=alert["status"],
        title=(annotations.get("summary") or annotations.get("title") or name)[:LONGEST_TITLE],
        description=annotations.get("description") or annotations.get("message") or "",
        severity=labels.get("severity", ""),
        service=labels.get("service", ""),
        team=labels.get("team", ""),
        source_url=str(alert.get("generatorURL") or group.get("externalURL") or ""),
        started_at=read_time(alert.get("startsAt"), f"{where}.startsAt"),
        ended_at=ends_at if is_over else None,
        expires_at=None if is_over else ends_at,
        attributes={
            "labels": labels,
            "annotations": annotations,
            "receiver": str(group.get("receiver", "")),
            "group_key": str(group.get("groupKey", "")),
        },
    )


def _map(alert: dict[str, Any], name: str, where: str) -> dict[str, str]:
    value = alert.get(name) or {}
    if not isinstance(value, dict):
        raise DialectError(f"{name} must be an object.", field_name=f"{where}.{name}")
    return {str(key): str(item) for key, item in value.items()}


DIALECT = Dialect(
    name="alertmanager",
    label="Prometheus Alertmanager",
    about="Alertmanager tells Sitrep by its webhook, with all of its labels.",
    addresses=("alertmanager/<token>", alertmanager_api.ALERTS),
    parse=parse,
    accepted=alertmanager_api.accepted,
    refused=alertmanager_api.refused,
    sample={
        "version": "4",
        "status": "firing",
        "receiver": "sitrep",
        "groupKey": '{}:{alertname="HighLatency"}',
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "HighLatency", "severity": "critical", "service": "payments"},
                "annotations": {"summary": "p99 latency over 2 s"},
                "startsAt": "2026-11-21T08:13:11Z",
                "endsAt": "0001-01-01T00:00:00Z",
            }
        ],
    },
    guides=(("alertmanager.yml", ALERTMANAGER_YML), ("prometheus.yml", PROMETHEUS_YML), ("amtool", AMTOOL)),
)
