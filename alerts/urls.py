"""The addresses of alerts: those of senders, and those of people."""

import re

from django.urls import path

from alerts import views
from alerts.dialects import DIALECTS
from alerts.receive import receive

app_name = "alerts"

urlpatterns = [
    *(
        path(re.sub(r"<(\w+)>", r"<str:\1>", address), receive, name=f"receive-{dialect.name}")
        for dialect in DIALECTS.values()
        for address in dialect.addresses
    ),
    path("alerts/", views.alert_list, name="list"),
    path("alerts/<int:pk>/", views.detail, name="detail"),
    path("alerts/<int:pk>/acknowledge/", views.acknowledge, name="acknowledge"),
    path("alerts/<int:pk>/resolve/", views.resolve, name="resolve"),
    path("alerts/sources/", views.source_list, name="sources"),
    path("alerts/sources/new/", views.source_edit, name="source-new"),
    path("alerts/sources/<slug:slug>/", views.source_detail, name="source"),
    path("alerts/sources/<slug:slug>/edit/", views.source_edit, name="source-edit"),
    path("alerts/sources/<slug:slug>/rotate-token/", views.source_rotate, name="source-rotate"),
    path("alerts/raw-events/<int:pk>/retry/", views.raw_event_retry, name="raw-event-retry"),
    path("alerts/routes/", views.route_list, name="routes"),
    path("alerts/routes/new/", views.route_edit, name="route-new"),
    path("alerts/routes/<int:pk>/edit/", views.route_edit, name="route-edit"),
    path("alerts/routes/<int:pk>/remove/", views.route_remove, name="route-remove"),
    path("alerts/routes/<int:pk>/move/", views.route_move, name="route-move"),
]
