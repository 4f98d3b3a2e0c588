"""The addresses of schedules: calendars, their editor, overrides, cover, swaps, leave, feeds."""

from django.urls import path

from oncall.views import absences, calendars, cover, overrides, schedule_editor, schedules

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
    path("oncall/schedules/<slug:slug>/cover/new/", cover.cover_form, name="cover-new"),
    path("oncall/schedules/<slug:slug>/swaps/new/", cover.swap_form, name="swap-new"),
    path("oncall/schedules/<slug:slug>/swaps/<uuid:swap>/undo/", cover.swap_undo, name="swap-undo"),
    path("oncall/schedules/<slug:slug>/shadows/new/", absences.shadow_form, name="shadow-new"),
    path("oncall/schedules/<slug:slug>/shadows/<int:pk>/remove/", absences.shadow_remove, name="shadow-remove"),
    path("oncall/schedules/<slug:slug>/calendars/", calendars.calendar_form, name="calendars"),
    path("oncall/schedules/<slug:slug>/calendars/<int:pk>/read/", calendars.calendar_read, name="calendar-read"),
    path("oncall/schedules/<slug:slug>/calendars/<int:pk>/remove/", calendars.calendar_remove, name="calendar-remove"),
    path("oncall/feeds/", calendars.feed_list, name="feeds"),
    path("oncall/feeds/open/", calendars.feed_open, name="feed-open"),
    path("oncall/feeds/<int:pk>/rotate/", calendars.feed_rotate, name="feed-rotate"),
    path("oncall/feeds/<int:pk>/close/", calendars.feed_close, name="feed-close"),
    path("feeds/<str:token>.ics", calendars.feed, name="feed"),
    path("oncall/cover/", cover.cover_list, name="covers"),
    path("oncall/cover/<int:pk>/", cover.cover_detail, name="cover"),
    path("oncall/cover/<int:pk>/accept/", cover.cover_accept, name="cover-accept"),
    path("oncall/cover/<int:pk>/decline/", cover.cover_decline, name="cover-decline"),
    path("oncall/cover/<int:pk>/withdraw/", cover.cover_withdraw, name="cover-withdraw"),
    path("oncall/leave/", absences.leave_list, name="leave"),
    path("oncall/leave/<int:pk>/remove/", absences.leave_remove, name="leave-remove"),
]
