"""Where the status pages are: the public's own addresses, and those of the people who publish."""

from django.urls import path

from statuspage import public, public_api, views
from statuspage.feeds import AtomHistory, RssHistory, feed_view

endpoint = public_api.endpoint

# Included at /status/ under the namespace `status`.
public_urlpatterns = [
    path("<slug:slug>/", public.status_page, name="page"),
    path("<slug:slug>/history/", public.history, name="history"),
    path("<slug:slug>/history.atom", feed_view(AtomHistory()), name="atom"),
    path("<slug:slug>/history.rss", feed_view(RssHistory()), name="rss"),
    path("<slug:slug>/incidents/<slug:public_id>/", public.public_incident, name="incident"),
    path("<slug:slug>/api/v2/summary.json", endpoint(public_api.summary), name="summary"),
    path("<slug:slug>/api/v2/status.json", endpoint(public_api.status)),
    path("<slug:slug>/api/v2/components.json", endpoint(public_api.components)),
    path("<slug:slug>/api/v2/incidents.json", endpoint(public_api.incidents)),
    path("<slug:slug>/api/v2/incidents/unresolved.json", endpoint(public_api.unresolved_incidents)),
    path("<slug:slug>/api/v2/scheduled-maintenances.json", endpoint(public_api.scheduled_maintenances)),
    path("<slug:slug>/api/v2/scheduled-maintenances/upcoming.json", endpoint(public_api.scheduled_maintenances)),
    path("<slug:slug>/api/v2/scheduled-maintenances/active.json", endpoint(public_api.scheduled_maintenances)),
]

app_name = "statuspage"
urlpatterns = [
    path("", views.page_list, name="list"),
    path("new/", views.page_form, name="new"),
    path("<slug:slug>/", views.page_detail, name="detail"),
    path("<slug:slug>/settings/", views.page_form, name="settings"),
    path("<slug:slug>/components/new/", views.component_form, name="component-new"),
    path("<slug:slug>/components/<int:component_id>/", views.component_form, name="component"),
    path("<slug:slug>/components/<int:component_id>/status/", views.component_status, name="component-status"),
    path("<slug:slug>/components/<int:component_id>/remove/", views.component_remove, name="component-remove"),
    path("<slug:slug>/publish/", views.publish, name="publish"),
    path("<slug:slug>/preview/", views.preview, name="preview"),
    path("<slug:slug>/incidents/", views.incident_list, name="incidents"),
    path("<slug:slug>/incidents/<slug:public_id>/", views.incident_detail, name="incident"),
]
