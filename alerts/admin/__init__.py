"""Alerts in the Django admin: to read and search, with buttons that call actions. A module per subject."""

from alerts.admin.alerts import AlertAdmin
from alerts.admin.heartbeats import ChangeAdmin, HeartbeatAdmin
from alerts.admin.routes import AlertRouteAdmin
from alerts.admin.sources import AlertSourceAdmin, RawEventAdmin, RejectionAdmin
from alerts.admin.windows import MaintenanceWindowAdmin

__all__ = [
    "AlertAdmin",
    "AlertRouteAdmin",
    "AlertSourceAdmin",
    "ChangeAdmin",
    "HeartbeatAdmin",
    "MaintenanceWindowAdmin",
    "RawEventAdmin",
    "RejectionAdmin",
]
