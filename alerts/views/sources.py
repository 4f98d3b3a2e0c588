"""The screens of sources and of what they sent."""

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
from alerts.filters import AlertSourceFilter
from alerts.forms.sources import SourceForm
from alerts.models import AlertSource, RawEvent
from alerts.permissions import can_configure
from events.errors import require
from events.forms import try_action

EVENTS_SHOWN = 20


def source_list(request: HttpRequest) -> HttpResponse:
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
            "raw_events": RawEvent.objects.filter(source=source).defer("body", "headers")[:EVENTS_SHOWN],
        }
    return render(request, "alerts/source_detail.html", context)


def source_edit(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Makes a source, or changes one."""
    actor = actor_of(request)
    require(can_configure(actor), actions.NOT_A_MANAGER)
    source = get_object_or_404(AlertSource, slug=slug) if slug else None
    initial = {name: getattr(source, name) for name in SourceForm.base_fields} if source else {}
    form = SourceForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        data["slug"] = data["slug"] or slugify(data["name"])
        saved = try_action(form, lambda: actions.save_source(actor=actor, source=source, now=timezone.now(), **data))
        if saved is not None:
            return HttpResponseRedirect(reverse("alerts:source", args=[saved.slug]))
    status = 422 if request.method == "POST" else 200
    return render(request, "alerts/source_form.html", {"form": form, "source": source}, status=status)


@require_POST
def source_rotate(request: HttpRequest, slug: str) -> HttpResponse:
    source = get_object_or_404(AlertSource, slug=slug)
    actions.rotate_token(actor=actor_of(request), source=source)
    messages.success(request, _("The source has a new address. The old one no longer works."))
    return HttpResponseRedirect(reverse("alerts:source", args=[slug]))


@require_POST
def raw_event_retry(request: HttpRequest, pk: int) -> HttpResponse:
    raw_event = get_object_or_404(RawEvent.objects.select_related("source"), pk=pk)
    actions.retry_raw_event(actor=actor_of(request), raw_event=raw_event, now=timezone.now())
    messages.success(request, _("The event is being tried again."))
    return HttpResponseRedirect(reverse("alerts:source", args=[raw_event.source.slug]))
