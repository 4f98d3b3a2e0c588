"""The addresses of alerts: those of senders, and those of people."""

import re

from django.urls import path

from alerts import route_urls, window_urls
from alerts.alertmanager_api.urls import urlpatterns as alertmanager_urlpatterns
from alerts.dialects import DIALECTS
from alerts.opsgenie.urls import urlpatterns as opsgenie_urlpatterns
from alerts.receive import receive
from alerts.views import alert, alerts, changes, heartbeats, noise, outcomes, page, pings, sources

app_name = "alerts"

urlpatterns = [
    *alertmanager_urlpatterns,
    *opsgenie_urlpatterns,
    *(
        path(re.sub(r"<(\w+)>", r"<str:\1>", address), receive, name=f"receive-{dialect.name}")
        for dialect in DIALECTS.values()
        for address in dialect.addresses
    ),
    path("heartbeat/<str:token>", pings.ping, name="ping"),
    path("incidentio/v2/heartbeat/<int:pk>/ping", pings.ping_incidentio, name="ping-incidentio"),
    path("alerts/", alerts.alert_list, name="list"),
    path("alerts/<int:pk>/", alert.detail, name="detail"),
    path("alerts/<int:pk>/acknowledge/", alert.acknowledge, name="acknowledge"),
    path("alerts/<int:pk>/resolve/", alert.resolve, name="resolve"),
    path("alerts/<int:pk>/mark/", alert.mark, name="mark"),
    path("alerts/page/", page.page, name="page"),
    path("alerts/noise/", noise.noise, name="noise"),
    path("alerts/bulk/", alerts.alert_bulk, name="bulk"),
    path("alerts/sources/", sources.source_list, name="sources"),
    path("alerts/sources/new/", sources.source_new, name="source-new"),
    path("alerts/sources/<slug:slug>/", sources.source_detail, name="source"),
    path("alerts/sources/<slug:slug>/edit/", sources.source_edit, name="source-edit"),
    path("alerts/sources/<slug:slug>/rotate-token/", sources.source_rotate, name="source-rotate"),
    path("alerts/sources/<slug:slug>/events/", sources.source_events, name="source-events"),
    path("alerts/sources/<slug:slug>/days/", sources.source_days, name="source-days"),
    path("alerts/sources/<slug:slug>/test/", sources.source_test, name="source-test"),
    path("alerts/raw-events/<int:pk>/", sources.raw_event_detail, name="raw-event"),
    path("alerts/raw-events/<int:pk>/resolve/", sources.raw_event_resolve, name="raw-event-resolve"),
    path("alerts/raw-events/<int:pk>/retry/", outcomes.raw_event_retry, name="raw-event-retry"),
    path("alerts/raw-events/<int:pk>/set-aside/", outcomes.raw_event_set_aside, name="raw-event-set-aside"),
    path("alerts/outcomes/", outcomes.outcomes, name="outcomes"),
    path("alerts/outcomes/retry-failed/", outcomes.failed_retry, name="failed-retry"),
    path("alerts/changes/", changes.change_list, name="changes"),
    path("alerts/changes/<int:pk>/", changes.change_detail, name="change"),
    path("alerts/heartbeats/", heartbeats.heartbeat_list, name="heartbeats"),
    path("alerts/heartbeats/new/", heartbeats.heartbeat_edit, name="heartbeat-new"),
    path("alerts/heartbeats/<int:pk>/", heartbeats.heartbeat_detail, name="heartbeat"),
    path("alerts/heartbeats/<int:pk>/edit/", heartbeats.heartbeat_edit, name="heartbeat-edit"),
    path("alerts/heartbeats/<int:pk>/switch/", heartbeats.heartbeat_switch, name="heartbeat-switch"),
    path("alerts/heartbeats/<int:pk>/rotate-token/", heartbeats.heartbeat_rotate, name="heartbeat-rotate"),
    path("alerts/heartbeats/<int:pk>/remove/", heartbeats.heartbeat_remove, name="heartbeat-remove"),
    *window_urls.urlpatterns,
    *route_urls.urlpatterns,
]
