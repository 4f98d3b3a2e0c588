"""The addresses of the configuration of incidents."""

from django.urls import path

from incidents.views import settings

urlpatterns = [
    path("settings/incidents/", settings.home, name="settings"),
    path("settings/incidents/announcements/preview/", settings.preview, name="announcement-preview"),
    path("settings/incidents/qualifications/<int:pk>/grant/", settings.grant, name="grant-qualification"),
    path("settings/incidents/qualifications/<int:pk>/revoke/", settings.revoke, name="revoke-qualification"),
    path("settings/incidents/<slug:slug>/", settings.listed, name="configured"),
    path("settings/incidents/<slug:slug>/new/", settings.edit, name="configured-new"),
    path("settings/incidents/<slug:slug>/order/", settings.order, name="configured-order"),
    path("settings/incidents/<slug:slug>/<int:pk>/", settings.edit, name="configured-edit"),
    path("settings/incidents/<slug:slug>/<int:pk>/archive/", settings.archive, name="configured-archive"),
    path("settings/incidents/<slug:slug>/<int:pk>/restore/", settings.restore, name="configured-restore"),
    path("settings/incidents/<slug:slug>/<int:pk>/remove/", settings.remove, name="configured-remove"),
    path("settings/incidents/<slug:slug>/<int:pk>/move/", settings.move, name="configured-move"),
]
