"""The addresses of schedules: calendars, their editor, overrides."""

from django.urls import path

from oncall.views import overrides, schedule_editor, schedules

urlpatterns = [
    path("oncall/schedules/", schedules.schedule_list, name="schedules"),
    path("oncall/schedules/new/", schedule_editor.schedule_form, name="schedule-new"),
    path("oncall/schedules/new/preview/", schedule_editor.schedule_preview, name="schedule-new-preview"),
    path("oncall/schedules/<slug:slug>/", schedules.schedule_detail, name="schedule"),
    path("oncall/schedules/<slug:slug>/edit/", schedule_editor.schedule_form, name="schedule-edit"),
    path("oncall/schedules/<slug:slug>/preview/", schedule_editor.schedule_preview, name="schedule-preview"),
    path("oncall/schedules/<slug:slug>/remove/", schedule_editor.schedule_remove, name="schedule-remove"),
    path("oncall/schedules/<slug:slug>/overrides/new/", overrides.override_form, name="override-add"),
    path("oncall/schedules/<slug:slug>/overrides/<int:pk>/remove/", overrides.override_remove, name="override-remove"),
]
