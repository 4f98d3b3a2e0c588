"""The addresses of alerts: those of senders, and those of people."""

import re

from django.urls import path

from alerts.dialects import DIALECTS
from alerts.receive import receive
from alerts.views import alerts, pings, routes, sources

app_name = "alerts"

urlpatterns = [
    *(
        path(re.sub(r"<(\w+)>", r"<str:\1>", address), receive, name=f"receive-{dialect.name}")
        for dialect in DIALECTS.values()
        for address in dialect.addresses
    ),
    path("heartbeat/<str:token>", pings.ping, name="ping"),
    path("incidentio/v2/heartbeat/<int:pk>/ping", pings.ping_incidentio, name="ping-incidentio"),
    path("alerts/", alerts.alert_list, name="list"),
    path("alerts/<int:pk>/", alerts.detail, name="detail"),
    path("alerts/<int:pk>/acknowledge/", alerts.acknowledge, name="acknowledge"),
    path("alerts/<int:pk>/resolve/", alerts.resolve, name="resolve"),
    path("alerts/sources/", sources.source_list, name="sources"),
    path("alerts/sources/new/", sources.source_edit, name="source-new"),
    path("alerts/sources/<slug:slug>/", sources.source_detail, name="source"),
    path("alerts/sources/<slug:slug>/edit/", sources.source_edit, name="source-edit"),
    path("alerts/sources/<slug:slug>/rotate-token/", sources.source_rotate, name="source-rotate"),
    path("alerts/raw-events/<int:pk>/retry/", sources.raw_event_retry, name="raw-event-retry"),
    path("alerts/routes/", routes.route_list, name="routes"),
    path("alerts/routes/new/", routes.route_edit, name="route-new"),
    path("alerts/routes/<int:pk>/edit/", routes.route_edit, name="route-edit"),
    path("alerts/routes/<int:pk>/remove/", routes.route_remove, name="route-remove"),
    path("alerts/routes/<int:pk>/move/", routes.route_move, name="route-move"),
]
