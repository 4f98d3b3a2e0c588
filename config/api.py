"""The REST API's addresses: each app lists its own, this joins them under /api/v1/."""

from django.urls import URLPattern, URLResolver, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from alerts.api import routes as alert_routes
from incidents.api import routes as incident_routes

router = SimpleRouter()
for prefix, viewset, basename in [*incident_routes, *alert_routes]:
    router.register(prefix, viewset, basename)

urlpatterns: list[URLPattern | URLResolver] = [
    *router.urls,
]
document_urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
]
