"""What the app of alerts stores."""

from alerts.models.alerts import Alert, AlertEntry, AlertQuerySet, EarlyEnd
from alerts.models.heartbeats import Change, Heartbeat
from alerts.models.routes import AlertGroup, AlertRoute, RouteNotice
from alerts.models.sources import AlertSource, Outcome, RawEvent, Rejection
from alerts.models.windows import MaintenanceWindow

__all__ = [
    "Alert",
    "AlertEntry",
    "AlertGroup",
    "AlertQuerySet",
    "AlertRoute",
    "AlertSource",
    "Change",
    "EarlyEnd",
    "Heartbeat",
    "MaintenanceWindow",
    "Outcome",
    "RawEvent",
    "Rejection",
    "RouteNotice",
]
