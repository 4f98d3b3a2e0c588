"""Where the status pages are: the public's own addresses, and those of the people who publish."""

from django.urls import path

from statuspage import public, public_api
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
