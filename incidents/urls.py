"""The addresses of the incident screens."""

from django.urls import path

from incidents import lifecycle_urls, list_urls, people_urls, room_urls, settings_urls, updates_urls
from incidents.views import changes, declare, detail, dialogs

app_name = "incidents"

urlpatterns = [
    *list_urls.urlpatterns,
    *room_urls.urlpatterns,
    *settings_urls.urlpatterns,
    *updates_urls.urlpatterns,
    *lifecycle_urls.urlpatterns,
    *people_urls.urlpatterns,
    path("incidents/declare/", declare.declare, name="declare"),
    path("incidents/<int:number>/", detail.detail, name="detail"),
    path("incidents/<int:number>/dialogs/", dialogs.dialogs, name="dialogs"),
    path("incidents/<int:number>/timeline/", detail.timeline, name="timeline"),
    path("incidents/<int:number>/notes/", changes.add_note, name="note"),
    path("incidents/<int:number>/updates/", changes.post_update, name="update"),
    path("incidents/<int:number>/edit/", changes.edit, name="edit"),
    path("incidents/<int:number>/status/", changes.change_status, name="status"),
    path("incidents/<int:number>/severity/", changes.change_severity, name="severity"),
    path("incidents/<int:number>/services/", changes.set_service, name="service"),
    path("incidents/<int:number>/page/", changes.page, name="page"),
    path("incidents/<int:number>/members/", changes.add_member, name="add-member"),
    path("incidents/<int:number>/members/remove/", changes.remove_member, name="remove-member"),
    path("incidents/<int:number>/visibility/", changes.set_visibility, name="visibility"),
]
