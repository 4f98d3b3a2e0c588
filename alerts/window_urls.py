"""The addresses of maintenance windows."""

from django.urls import path

from alerts.views import windows

urlpatterns = [
    path("alerts/windows/", windows.window_list, name="windows"),
    path("alerts/windows/new/", windows.window_edit, name="window-new"),
    path("alerts/windows/preview/", windows.window_preview, name="window-preview"),
    path("alerts/windows/<int:pk>/", windows.window_detail, name="window"),
    path("alerts/windows/<int:pk>/edit/", windows.window_edit, name="window-edit"),
    path("alerts/windows/<int:pk>/extend/", windows.window_extend, name="window-extend"),
    path("alerts/windows/<int:pk>/end/", windows.window_end, name="window-end"),
    path("alerts/windows/<int:pk>/cancel/", windows.window_cancel, name="window-cancel"),
]
