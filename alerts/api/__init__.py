"""Alerts and all that belongs to them in the REST API: a module per subject, joined here."""

from typing import Any

from rest_framework import viewsets

from alerts.api.alerts import AlertViewSet
from alerts.api.changes import ChangeViewSet
from alerts.api.heartbeats import HeartbeatViewSet
from alerts.api.noise import NoiseViewSet
from alerts.api.page import ManualPageViewSet
from alerts.api.raw_events import raw_event_routes
from alerts.api.routes import AlertRouteViewSet
from alerts.api.sources import AlertSourceViewSet
from alerts.api.windows import MaintenanceWindowViewSet

routes: list[tuple[str, type[viewsets.GenericViewSet[Any]], str]] = [
    ("alerts", AlertViewSet, "alert"),
    ("alert-sources", AlertSourceViewSet, "alert-source"),
    ("alert-routes", AlertRouteViewSet, "alert-route"),
    ("manual-pages", ManualPageViewSet, "manual-page"),
    ("noise", NoiseViewSet, "noise"),
    ("maintenance-windows", MaintenanceWindowViewSet, "maintenance-window"),
    ("changes", ChangeViewSet, "change"),
    ("heartbeats", HeartbeatViewSet, "heartbeat"),
    *raw_event_routes,
]
