"""The page that tells what became of everything that was accepted, and what people do about what failed."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from accounts.actor import actor_of
from alerts.audit import Ledger, audit_alerts
from alerts.failed_events import NOT_A_MANAGER, retry_failed, retry_raw_event, set_aside_raw_event
from alerts.models import AlertSource, Outcome, RawEvent, Rejection
from alerts.permissions import can_configure
from events.errors import require

PERIODS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
FAILED_SHOWN = 50
REJECTIONS_SHOWN = 50


class PeriodForm(forms.Form):
    """Which stretch of time, and which source."""

    period = forms.ChoiceField(
        label=gettext_lazy("Period"),
        required=False,
        choices=[
            ("hour", gettext_lazy("The last hour")),
            ("day", gettext_lazy("The last 24 hours")),
            ("week", gettext_lazy("The last 7 days")),
        ],
    )
    source = forms.ModelChoiceField(
        AlertSource.objects.all(),
        to_field_name="slug",
        label=gettext_lazy("Source"),
        required=False,
        empty_label=gettext_lazy("All sources"),
    )


def outcomes(request: HttpRequest) -> HttpResponse:
    """What was accepted in a period and what became of it, what failed, and what nobody could read."""
    require(can_configure(actor_of(request)), "Only managers may look at outcomes.")
    form = PeriodForm({"period": "day", **request.GET.dict()})
    chosen: dict[str, Any] = form.cleaned_data if form.is_valid() else {"period": "day", "source": None}
    source: AlertSource | None = chosen["source"]
    now = timezone.now()
    since = now - PERIODS[chosen["period"] or "day"]
    ledger = audit_alerts(since, now, now, source_id=source.pk if source else None)
    failed = RawEvent.objects.filter(state=RawEvent.State.FAILED).select_related("source").defer("body", "headers")
    rejections = Rejection.objects.select_related("source")
    if source is not None:
        failed, rejections = failed.filter(source=source), rejections.filter(source=source)
    context = {
        "form": form,
        "ledger": ledger,
        "outcomes": outcome_rows(ledger),
        "sources": source_rows(ledger),
        "failed": failed[:FAILED_SHOWN],
        "failed_count": failed.order_by().count(),
        "rejections": rejections[:REJECTIONS_SHOWN],
        "source": source,
    }
    return render(request, "alerts/outcomes.html", context)


def outcome_rows(ledger: Ledger) -> list[dict[str, Any]]:
    """How many events ended in each outcome, in words, with the share of all that were accepted in percent."""
    labels: dict[str, Any] = dict(Outcome.choices)
    labels |= {
        "failed": _("Failed: see below"),
        "set_aside": _("Failed, and set aside by somebody"),
        "waiting_to_be_processed": _("Being taken in"),
    }
    counted = {**ledger.by_outcome, **{name: number for name, number in ledger.without_outcome.items() if number}}
    return [
        {"name": name, "label": labels.get(name, name), "number": number, "share": 100 * number / ledger.accepted}
        for name, number in counted.items()
        if ledger.accepted
    ]


def source_rows(ledger: Ledger) -> list[dict[str, Any]]:
    """The same for each source: what reached people, what did not on purpose, what changed, what failed."""
    groups = {
        "reached": (Outcome.PAGED, Outcome.ATTACHED, Outcome.GROUPED),
        "quiet": (Outcome.SUPPRESSED, Outcome.RECORDED, Outcome.WAITING),
        "repeated": (Outcome.DEDUPLICATED, Outcome.LATE, Outcome.NOTHING_OPEN),
        "changed": (Outcome.RESOLVED, Outcome.ACKNOWLEDGED, Outcome.CHANGED, Outcome.NOTED),
    }
    of_outcome = {outcome.value: name for name, members in groups.items() for outcome in members}
    rows: dict[int, dict[str, Any]] = {}

    def add(source_id: int, column: str, number: int) -> None:
        row = rows.setdefault(source_id, {**dict.fromkeys(groups, 0), "failed": 0, "waiting": 0, "accepted": 0})
        row[column] = row.get(column, 0) + number
        row["accepted"] += number

    for (source_id, outcome), number in ledger.outcomes.items():
        add(source_id, of_outcome.get(outcome, "failed"), number)
    for column, by_source in (("failed", ledger.failed), ("failed", ledger.set_aside), ("waiting", ledger.waiting)):
        for source_id, number in by_source.items():
            add(source_id, column, number)
    sources = AlertSource.objects.in_bulk(list(rows))
    found = [{"source": sources[source_id], **row} for source_id, row in rows.items() if source_id in sources]
    return sorted(found, key=lambda row: (-row["accepted"], row["source"].name))


def back(request: HttpRequest, otherwise: str) -> HttpResponseRedirect:
    """To the page of ours that the form names, or to another."""
    asked = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(asked if is_ours else otherwise)


@require_POST
def raw_event_retry(request: HttpRequest, pk: int) -> HttpResponse:
    raw_event = get_object_or_404(RawEvent.objects.select_related("source"), pk=pk)
    retry_raw_event(actor=actor_of(request), raw_event=raw_event, now=timezone.now())
    messages.success(request, _("The event is being tried again."))
    return back(request, reverse("alerts:source", args=[raw_event.source.slug]))


@require_POST
def raw_event_set_aside(request: HttpRequest, pk: int) -> HttpResponse:
    raw_event = get_object_or_404(RawEvent.objects.select_related("source"), pk=pk)
    set_aside_raw_event(actor=actor_of(request), raw_event=raw_event)
    messages.success(request, _("Set aside: it is counted, and nobody is reminded of it."))
    return back(request, reverse("alerts:source", args=[raw_event.source.slug]))


@require_POST
def failed_retry(request: HttpRequest) -> HttpResponse:
    """Tries all that have failed again, of one source or of all."""
    actor = actor_of(request)
    require(can_configure(actor), NOT_A_MANAGER)
    slug = request.POST.get("source", "")
    source = get_object_or_404(AlertSource, slug=slug) if slug else None
    number = retry_failed(actor=actor, now=timezone.now(), source_id=source.pk if source else None)
    text = ngettext("%(count)d event is being tried again.", "%(count)d events are being tried again.", number)
    messages.success(request, text % {"count": number})
    return back(request, reverse("alerts:outcomes"))
