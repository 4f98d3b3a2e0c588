"""The screens of sources, of what they sent, and of trying them."""

from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import actor_of
from accounts.lists import list_page
from alerts import actions
from alerts.addresses import curl_line, guides, receive_address, token_apart
from alerts.dialects import DIALECTS
from alerts.filters import AlertSourceFilter
from alerts.forms.sources import SourceForm
from alerts.models import AlertSource, RawEvent
from alerts.permissions import can_configure, can_handle
from alerts.reading import readable_raw_events
from alerts.receive import pretty_body
from alerts.signatures import confirmed_topics
from alerts.traffic import counts_per_day
from alerts.trying import can_be_tried, is_test, resolve_test_event, send_test_event
from events.errors import require
from events.forms import try_action

EVENTS_SHOWN = 20
REJECTIONS_SHOWN = 20
NOT_FOR_YOU = "Only managers may look at what sources sent."


def source_list(request: HttpRequest) -> HttpResponse:
    """All of them, each with its format, its state and when it was last heard of."""
    actor = actor_of(request)
    listing = list_page(
        request,
        AlertSource.objects.select_related("team"),
        AlertSourceFilter,
        sortable=("name", "dialect", "last_event_at"),
    )
    return render(request, "alerts/source_list.html", {"list": listing, "can_configure": can_configure(actor)})


def source_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """How to send to a source, and its last events with what became of them. The token is for managers' eyes."""
    source = get_object_or_404(AlertSource.objects.select_related("team"), slug=slug)
    may_see_token = can_configure(actor_of(request))
    context: dict[str, Any] = {"source": source, "can_configure": may_see_token}
    if may_see_token:
        context |= {
            "address": receive_address(source),
            "token": token_apart(source),
            "curl": curl_line(source),
            "guides": guides(source),
            "can_be_tried": can_be_tried(source),
            "topics": confirmed_topics(source) if DIALECTS[source.dialect].verified_later else [],
            "rejections": source.rejections.all()[:REJECTIONS_SHOWN],
            **newest_events(source),
        }
    return render(request, "alerts/source_detail.html", context)


def newest_events(source: AlertSource) -> dict[str, Any]:
    """The last events of a source, and a mark that changes whenever one of them does."""
    found = list(RawEvent.objects.filter(source=source).defer("body")[:EVENTS_SHOWN])
    told = [f"{raw.pk} {raw.state} {raw.attempts} {raw.outcomes}" for raw in found]
    return {"raw_events": found, "seen": sha256("\n".join(told).encode()).hexdigest()[:16]}


def source_events(request: HttpRequest, slug: str) -> HttpResponse:
    """The last events as they are now; nothing if the page shows them already (204)."""
    require(can_configure(actor_of(request)), NOT_FOR_YOU)
    source = get_object_or_404(AlertSource, slug=slug)
    newest = newest_events(source)
    if newest["seen"] == request.GET.get("seen"):
        return HttpResponse(status=204)
    return render(request, "alerts/_source_events.html", {"source": source, **newest})


def source_days(request: HttpRequest, slug: str) -> HttpResponse:
    """How much a source sent on each of the last days: fetched by its page, for it takes a moment where it was much."""
    require(can_configure(actor_of(request)), NOT_FOR_YOU)
    source = get_object_or_404(AlertSource, slug=slug)
    days = counts_per_day(source, timezone.now())
    most = max((day["events"] for day in days), default=0)
    return render(request, "alerts/_source_days.html", {"source": source, "days": days, "most": most})


def source_new(request: HttpRequest) -> HttpResponse:
    """Who sends? One card for each format; the choice leads on to the form."""
    require(can_configure(actor_of(request)), actions.NOT_A_MANAGER)
    if request.method == "POST" or request.GET.get("dialect") in DIALECTS:
        return source_edit(request)
    found = [dialect for dialect in DIALECTS.values() if dialect.sample is not None]
    return render(request, "alerts/source_new.html", {"dialects": found})


def source_edit(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Makes a source, or changes one."""
    actor = actor_of(request)
    require(can_configure(actor), actions.NOT_A_MANAGER)
    source = get_object_or_404(AlertSource, slug=slug) if slug else None
    initial: dict[str, Any] = {"dialect": request.GET.get("dialect", "")}
    if source:
        initial = {name: getattr(source, name) for name in SourceForm.base_fields}
    elif initial["dialect"]:
        initial["name"] = free_name(DIALECTS[initial["dialect"]].label)
    form = SourceForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        data["slug"] = data["slug"] or slugify(data["name"])
        saved = try_action(form, lambda: actions.save_source(actor=actor, source=source, now=timezone.now(), **data))
        if saved is not None:
            return HttpResponseRedirect(reverse("alerts:source", args=[saved.slug]))
    status = 422 if request.method == "POST" else 200
    return render(request, "alerts/source_form.html", {"form": form, "source": source}, status=status)


def free_name(label: str) -> str:
    """What a new source of a format may be called: its label, with a number if that is taken."""
    taken = set(AlertSource.objects.filter(name__istartswith=label).values_list("name", flat=True))
    names = [label, *(f"{label} {number}" for number in range(2, len(taken) + 3))]
    known = {name.casefold() for name in taken}
    return next(name for name in names if name.casefold() not in known)


@require_POST
def source_rotate(request: HttpRequest, slug: str) -> HttpResponse:
    source = get_object_or_404(AlertSource, slug=slug)
    actions.rotate_token(actor=actor_of(request), source=source)
    messages.success(request, _("The source has a new address. The old one no longer works."))
    return HttpResponseRedirect(reverse("alerts:source", args=[slug]))


@require_POST
def source_test(request: HttpRequest, slug: str) -> HttpResponse:
    """Sends a test event; its page tells what becomes of it."""
    source = get_object_or_404(AlertSource, slug=slug)
    raw_event = send_test_event(actor=actor_of(request), source=source, now=timezone.now())
    messages.success(request, _("A test event was sent."))
    return HttpResponseRedirect(reverse("alerts:raw-event", args=[raw_event.pk]))


def raw_event_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One request of a sender as it came in, and what became of each event in it."""
    actor = actor_of(request)
    require(can_configure(actor), NOT_FOR_YOU)
    raw_event = get_object_or_404(readable_raw_events(actor).select_related("source"), pk=pk)
    context = {
        "raw": raw_event,
        "body": pretty_body(raw_event),
        "is_test": is_test(raw_event),
        "can_handle": can_handle(actor),
        "is_waiting": raw_event.state == RawEvent.State.PENDING,
    }
    template = "alerts/_raw_event.html" if request.headers.get("HX-Request") else "alerts/raw_event.html"
    return render(request, template, context)


@require_POST
def raw_event_resolve(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends what a test event has opened."""
    raw_event = get_object_or_404(RawEvent.objects.select_related("source"), pk=pk)
    resolve_test_event(actor=actor_of(request), raw_event=raw_event, now=timezone.now())
    messages.success(request, _("What the test has opened is resolved."))
    return HttpResponseRedirect(reverse("alerts:raw-event", args=[pk]))
