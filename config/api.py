"""The REST API's addresses: each app lists its own, this joins them under /api/v1/."""

from importlib import import_module

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from config.deliveries import DeliveryViewSet

APPS = ("accounts", "oncall", "catalog", "incidents", "alerts", "postmortems", "statuspage", "workflows")

router = SimpleRouter()
for app in APPS:
    for prefix, viewset, basename in import_module(f"{app}.api").routes:
        router.register(prefix, viewset, basename)
router.register("deliveries", DeliveryViewSet, "delivery")

document_urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
]
