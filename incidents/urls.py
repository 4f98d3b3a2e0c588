"""The addresses of the incident screens."""

from django.urls import path

from incidents import views

app_name = "incidents"

urlpatterns = [
    path("incidents/", views.incident_list, name="list"),
    path("incidents/declare/", views.declare, name="declare"),
    path("incidents/<int:number>/", views.detail, name="detail"),
    path("incidents/<int:number>/timeline/", views.timeline, name="timeline"),
    path("incidents/<int:number>/notes/", views.add_note, name="note"),
    path("incidents/<int:number>/updates/", views.post_update, name="update"),
    path("incidents/<int:number>/edit/", views.edit, name="edit"),
    path("incidents/<int:number>/status/", views.change_status, name="status"),
    path("incidents/<int:number>/severity/", views.change_severity, name="severity"),
    path("incidents/<int:number>/roles/", views.assign_role, name="role"),
    path("incidents/<int:number>/services/", views.set_service, name="service"),
    path("incidents/<int:number>/page/", views.page, name="page"),
    path("incidents/<int:number>/members/", views.add_member, name="add-member"),
    path("incidents/<int:number>/members/remove/", views.remove_member, name="remove-member"),
    path("incidents/<int:number>/visibility/", views.set_visibility, name="visibility"),
    path("incidents/<int:number>/mitigate/", views.mitigate, name="mitigate"),
    path("incidents/<int:number>/resolve/", views.resolve, name="resolve"),
    path("incidents/<int:number>/reopen/", views.reopen, name="reopen"),
]
