"""The addresses of routes, and of trying payloads, routes and mappings."""

from django.urls import path

from alerts.views import mapping, previews, routes

urlpatterns = [
    path("alerts/routes/", routes.route_list, name="routes"),
    path("alerts/routes/new/", routes.route_edit, name="route-new"),
    path("alerts/routes/order/", routes.routes_order, name="routes-order"),
    path("alerts/routes/payload/", previews.payload, name="route-payload"),
    path("alerts/routes/preview/", previews.route_preview, name="route-preview"),
    path("alerts/routes/backtest/", previews.route_backtest, name="route-backtest"),
    path("alerts/routes/<int:pk>/edit/", routes.route_edit, name="route-edit"),
    path("alerts/routes/<int:pk>/remove/", routes.route_remove, name="route-remove"),
    path("alerts/routes/<int:pk>/move/", routes.route_move, name="route-move"),
    path("alerts/sources/<slug:slug>/mapping/", mapping.source_mapping, name="source-mapping"),
    path("alerts/sources/<slug:slug>/mapping/preview/", mapping.mapping_preview, name="source-mapping-preview"),
]
