"""The addresses of the catalog screens."""

from django.urls import path

from catalog import views

app_name = "catalog"

urlpatterns = [
    path("services/", views.service_list, name="services"),
    path("services/new/", views.service_edit, name="service-new"),
    path("services/<slug:slug>/", views.service_detail, name="service"),
    path("services/<slug:slug>/edit/", views.service_edit, name="service-edit"),
    path("services/<slug:slug>/remove/", views.service_remove, name="service-remove"),
    path("functionalities/", views.functionality_list, name="functionalities"),
    path("functionalities/new/", views.functionality_edit, name="functionality-new"),
    path("functionalities/<slug:slug>/edit/", views.functionality_edit, name="functionality-edit"),
]
