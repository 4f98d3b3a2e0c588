"""Grafana's webhook contact point.

Follows grafana/alerting `receivers/webhook/v1` and `templates/template_data.go`: Alertmanager's document (version "1")
with the values, the links to dashboard and panel, and the picture of each alert. Signed, where a secret is set, by
`X-Grafana-Alerting-Signature`: HMAC-SHA256 in hex over the body, or over `<seconds>:<body>` where a header for the time
is set up, which must be `X-Grafana-Alerting-Timestamp`. A payload template of one's own is a job for the generic
format.
"""

from dataclasses import replace
from typing import Any

from alerts.dialects import alertmanager
from alerts.dialects.format import Dialect, NormalisedEvent, Request, check_hmac, read_json

SIGNATURE, TIMESTAMP = "X-Grafana-Alerting-Signature", "X-Grafana-Alerting-Timestamp"
# What an alert has beyond Alertmanager's.
EXTRAS = ("values", "valueString", "dashboardURL", "panelURL", "silenceURL", "imageURL", "ruleUID", "orgId")
CONTACT_POINT = """apiVersion: 1
contactPoints:
  - orgId: 1
    name: Sitrep
    receivers:
      - uid: sitrep
        type: webhook
        settings:
          url: <address>
          httpMethod: POST
"""


def check(request: Request, secret: str) -> None:
    """Raises DialectError unless the body is signed with the secret."""
    at = request.headers.get(TIMESTAMP.lower(), "")
    signed = f"{at}:".encode() + request.body if at else request.body
    check_hmac(signed, secret, request.headers.get(SIGNATURE.lower(), ""), SIGNATURE)


def parse(request: Request) -> list[NormalisedEvent]:
    """One event per alert of the group; raises DialectError."""
    events = alertmanager.parse(request)
    document = read_json(request.body)
    return [_with_extras(event, alert) for event, alert in zip(events, document["alerts"], strict=True)]


def _with_extras(event: NormalisedEvent, alert: dict[str, Any]) -> NormalisedEvent:
    extras = {name: alert[name] for name in EXTRAS if alert.get(name)}
    # A person wants to see the panel; the rule that fired is behind it.
    link = extras.get("panelURL") or extras.get("dashboardURL") or event.source_url
    return replace(event, source_url=str(link), attributes={**event.attributes, **extras})


DIALECT = Dialect(
    name="grafana",
    label="Grafana alerting",
    about="Grafana's alert rules tell Sitrep by a webhook contact point.",
    addresses=("grafana/<token>",),
    parse=parse,
    check=check,
    sample={
        "receiver": "Sitrep",
        "status": "firing",
        "orgId": 1,
        "version": "1",
        "title": "[FIRING:1] High error rate",
        "state": "alerting",
        "message": "",
        "groupKey": "{}/{}:{alertname='HighErrorRate'}",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "HighErrorRate", "severity": "critical", "service": "payments"},
                "annotations": {"summary": "Payment API returning 500 errors"},
                "startsAt": "2026-11-21T08:13:11Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "fingerprint": "57c6d9296de2ad39",
                "values": {"A": 12.5},
            }
        ],
    },
    guides=(("provisioning/alerting/sitrep.yml", CONTACT_POINT),),
)
