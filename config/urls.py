"""Which address leads where."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from statuspage import urls as statuspage_urls

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("account/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("catalog.urls")),
    path("", include("oncall.urls")),
    path("status/", include((statuspage_urls.public_urlpatterns, "status"))),
    path("statuspages/", include("statuspage.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.page_not_found"
