"""Which address leads where."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config import api, deliveries, frame, home
from config.metrics import metrics
from config.styleguide import styleguide
from statuspage.urls import public_urlpatterns

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("search/", home.search, name="search"),
    path("frame/", frame.news, name="frame"),
    path("", include("accounts.urls")),
    path("", include("oncall.urls")),
    path("", include("catalog.urls")),
    path("", include("incidents.urls")),
    path("", include("alerts.urls")),
    path("", include("postmortems.urls")),
    path("", include("workflows.urls")),
    path("statuspages/", include("statuspage.urls")),
    path("status/", include((public_urlpatterns, "status"))),
    path("settings/deliveries/", deliveries.delivery_list, name="deliveries"),
    path("settings/deliveries/<int:pk>/retry/", deliveries.delivery_retry, name="delivery-retry"),
    path("styleguide/", styleguide, name="styleguide"),
    path("api/v1/", include(api.router.urls)),
    path("api/", include((api.document_urlpatterns, "api"))),
    path("account/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("metrics", metrics, name="metrics"),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.page_not_found"
handler500 = "config.errors.server_error"
