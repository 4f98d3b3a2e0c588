"""Where Opsgenie's clients read; what they write at the same addresses is handed on to be received."""

from django.urls import path

from alerts.opsgenie import alerts, heartbeats

ALERTS, HEARTBEATS = "opsgenie/v2/alerts", "opsgenie/v2/heartbeats"
NAME = "opsgenie"

urlpatterns = [
    path(ALERTS, alerts.alert_list, name=NAME),
    path(f"{ALERTS}/count", alerts.alert_count, name=NAME),
    path(f"{ALERTS}/requests/<str:request_id>", alerts.request_status, name=NAME),
    path(f"{ALERTS}/<path:identifier>/notes", alerts.note_list, name=NAME),
    path(f"{ALERTS}/<path:identifier>/logs", alerts.log_list, name=NAME),
    path(f"{ALERTS}/<path:identifier>/recipients", alerts.recipient_list, name=NAME),
    path(f"{ALERTS}/<path:identifier>", alerts.alert_detail, name=NAME),
    path(HEARTBEATS, heartbeats.heartbeat_list, name=NAME),
    path(f"{HEARTBEATS}/<path:name>/ping", heartbeats.ping, name=NAME),
    path(f"{HEARTBEATS}/<path:name>/enable", heartbeats.switch, {"is_enabled": True}, name=NAME),
    path(f"{HEARTBEATS}/<path:name>/disable", heartbeats.switch, {"is_enabled": False}, name=NAME),
    path(f"{HEARTBEATS}/<path:name>", heartbeats.heartbeat_detail, name=NAME),
]
