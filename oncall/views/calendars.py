"""Calendars in and out: secret addresses that calendar programs read, and calendars that a schedule reads."""

import hashlib

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.utils.http import parse_etags, quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import actor_of
from events.errors import require
from events.forms import try_action
from oncall import calendars, feeds, permissions
from oncall.forms.calendars import CalendarForm
from oncall.models import CalendarFeed, ImportedCalendar, ImportedShift, Schedule
from oncall.views.signed_in import user_of

UNKNOWN_SHOWN = 50


@login_not_required
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """A feed as iCalendar; 304 while it is as the program that asks has it already."""
    found = feeds.feed_of_token(token)
    if found is None:
        raise Http404
    with translation.override(found.user.locale):
        content = feeds.calendar_of(found, timezone.now())
    etag = quote_etag(hashlib.sha256(content).hexdigest()[:32])
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        answer = HttpResponse(status=304)
    else:
        answer = HttpResponse(content, content_type="text/calendar; charset=utf-8")
        answer["Content-Disposition"] = 'inline; filename="on-call.ics"'
    answer["ETag"] = etag
    patch_cache_control(answer, private=True, max_age=300)
    return answer


@require_safe
def feed_list(request: HttpRequest) -> HttpResponse:
    """The viewer's own feeds with their addresses."""
    own = CalendarFeed.objects.filter(user=user_of(request)).select_related("schedule", "user").order_by("id")
    context = {
        "feeds": [(each, feeds.address_of(each)) for each in own],
        "schedules": Schedule.objects.exclude(pk__in=[each.schedule_id for each in own if each.schedule_id]),
        "has_own": any(each.schedule_id is None for each in own),
    }
    return render(request, "oncall/feed_list.html", context)


@require_POST
def feed_open(request: HttpRequest) -> HttpResponse:
    """Makes a feed of `schedule`, a slug, or of one's own shifts."""
    slug = request.POST.get("schedule", "")
    schedule = get_object_or_404(Schedule, slug=slug) if slug else None
    feeds.open_feed(actor=actor_of(request), user=user_of(request), schedule=schedule, now=timezone.now())
    messages.success(request, _("Copy the address into your calendar program. Whoever knows it can read it."))
    return redirect("oncall:feeds")


@require_POST
def feed_rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives a feed another address."""
    found = get_object_or_404(CalendarFeed.objects.select_related("user"), pk=pk, user=user_of(request))
    feeds.rotate_feed(actor=actor_of(request), feed=found, now=timezone.now())
    messages.success(request, _("It has another address; the old one works no more."))
    return redirect("oncall:feeds")


@require_POST
def feed_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a feed away."""
    found = get_object_or_404(CalendarFeed.objects.select_related("user"), pk=pk, user=user_of(request))
    feeds.close_feed(actor=actor_of(request), feed=found)
    messages.success(request, _("The address works no more."))
    return redirect("oncall:feeds")


def calendar_form(request: HttpRequest, slug: str) -> HttpResponse:
    """The calendars that a schedule reads: how that goes, whom they name that nobody knows, another address."""
    schedule = get_object_or_404(Schedule, slug=slug)
    actor, now = actor_of(request), timezone.now()
    require(permissions.can_configure(actor), permissions.NOT_A_MANAGER)
    form = CalendarForm(request.POST or None, initial={"kind": ImportedCalendar.Kind.PRIMARY})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        saved = try_action(form, lambda: calendars.set_calendar(actor=actor, schedule=schedule, now=now, **given))
        if saved is not None:
            messages.success(request, _("It is read within a minute."))
            return redirect("oncall:calendars", slug)
    unknown = ImportedShift.objects.filter(calendar__schedule=schedule, user=None, ends_at__gt=now)
    context = {
        "schedule": schedule,
        "form": form,
        "calendars": schedule.calendars.order_by("-kind"),
        "unknown": unknown.order_by("starts_at")[:UNKNOWN_SHOWN],
    }
    return render(request, "oncall/calendar_form.html", context)


def _calendar(slug: str, pk: int) -> ImportedCalendar:
    return get_object_or_404(ImportedCalendar.objects.select_related("schedule"), schedule__slug=slug, pk=pk)


@require_POST
def calendar_read(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Reads a calendar again within a minute."""
    calendars.read_again(actor=actor_of(request), calendar=_calendar(slug, pk), now=timezone.now())
    messages.success(request, _("It is read within a minute."))
    return redirect("oncall:calendars", slug)


@require_POST
def calendar_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Takes a calendar away with its shifts."""
    calendars.remove_calendar(actor=actor_of(request), calendar=_calendar(slug, pk))
    messages.success(request, _("The calendar says nothing here any more."))
    return redirect("oncall:calendars", slug)
