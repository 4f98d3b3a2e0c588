"""Where postmortems and action items are."""

from django.urls import path

from postmortems import action_item_views, views

app_name = "postmortems"
urlpatterns = [
    path("postmortems/", views.postmortem_list, name="list"),
    path("postmortems/preview/", views.preview, name="preview"),
    path("postmortems/<int:pk>/", views.postmortem_detail, name="detail"),
    path("postmortems/<int:pk>/edit/", views.edit, name="edit"),
    path("postmortems/<int:pk>/status/", views.change_status, name="status"),
    path("postmortems/<int:pk>/sections/<slug:slug>/", views.section, name="section"),
    path("postmortems/<int:pk>/sections/<slug:slug>/refresh/", views.refresh_section, name="refresh"),
    path("incidents/<int:number>/postmortem/", views.start, name="start"),
    path("incidents/<int:number>/action-items/new/", action_item_views.action_item_new, name="action-item-new"),
    path("action-items/", action_item_views.action_item_list, name="action-items"),
    path("action-items/<int:pk>/", action_item_views.action_item_edit, name="action-item"),
    path("action-items/<int:pk>/status/", action_item_views.action_item_status, name="action-item-status"),
]
