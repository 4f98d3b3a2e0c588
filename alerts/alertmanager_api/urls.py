"""Where Sitrep is an Alertmanager; alerts that are posted there are handed on to be received."""

from django.urls import path

from alerts.alertmanager_api import reads, silences

API = "alertmanager/<str:token>/api/v2"
NAME = "alertmanager-api"

urlpatterns = [
    path(f"{API}/status", reads.status, name=NAME),
    path(f"{API}/receivers", reads.receivers, name=NAME),
    path(f"{API}/alerts", reads.alert_list, name=NAME),
    path(f"{API}/alerts/groups", reads.alert_groups, name=NAME),
    path(f"{API}/silences", silences.silence_list, name=NAME),
    path(f"{API}/silence/<str:silence_id>", silences.silence_detail, name=NAME),
]
