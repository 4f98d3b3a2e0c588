"""Where a source's sender posts to, and how to try it."""

import json

from django.conf import settings
from django.urls import reverse

from alerts.models import AlertSource

SAMPLES = {
    "generic": {
        "title": "Payment API returning 500 errors",
        "severity": "critical",
        "service": "payments",
        "dedup_key": "payments-500",
    },
    "alertmanager": {
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
}


def receive_address(source: AlertSource) -> str:
    """The absolute address of a source, with its token."""
    return settings.PUBLIC_URL + reverse(f"alerts:receive-{source.dialect}", args=[source.token])


def curl_line(source: AlertSource) -> str:
    """A command that fires a sample alert at the source, to paste as it is."""
    body = json.dumps(SAMPLES[source.dialect])
    return f"curl -X POST {receive_address(source)} -H 'Content-Type: application/json' -d '{body}'"


def alertmanager_config(source: AlertSource) -> str:
    """The part of alertmanager.yml that sends everything to the source."""
    address = receive_address(source)
    return f"route:\n  receiver: sitrep\nreceivers:\n  - name: sitrep\n    webhook_configs:\n      - url: {address}\n"
