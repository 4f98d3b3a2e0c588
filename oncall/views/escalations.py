"""Running escalations: the list, one with everything it did, answering it, starting one by hand."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import Count, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import actor_of
from accounts.lists import list_page
from events.errors import require
from events.forms import try_action
from oncall import actions, permissions
from oncall.filters import EscalationFilter
from oncall.forms import EscalationForm
from oncall.models import Escalation, EscalationPolicy, Page, PageAttempt


@dataclass(frozen=True)
class Step:
    """A level of a frozen path and how far it has come: done, reached or waiting."""

    number: int
    after_minutes: int
    targets: list[dict[str, Any]]
    state: str


@require_safe
def escalation_list(request: HttpRequest) -> HttpResponse:
    """Everything that paged people, the newest first."""
    actor = actor_of(request)
    found = (
        Escalation.objects.visible_to(actor)
        .select_related("policy", "acknowledged_by")
        .annotate(page_count=Count("pages", distinct=True))
        .order_by("-id")
    )
    sortable = ("title", "status", "started_at")
    context = {
        "list": list_page(request, found, EscalationFilter, sortable=sortable),
        "may_page": permissions.can_page(actor),
    }
    return render(request, "oncall/escalation_list.html", context)


@require_safe
def escalation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One escalation: its path, its pages with every attempt, its ledger."""
    actor = actor_of(request)
    found = Escalation.objects.visible_to(actor).select_related("policy", "acknowledged_by")
    escalation = get_object_or_404(found, pk=pk)
    attempts = Prefetch("attempts", PageAttempt.objects.order_by("number"))
    pages = Page.objects.filter(escalation=escalation).select_related("user").prefetch_related(attempts)
    waits = escalation.status in {Escalation.Status.TRIGGERED, Escalation.Status.EXHAUSTED}
    context = {
        "escalation": escalation,
        "steps": steps_of(escalation),
        "pages": pages.order_by("round", "level", "id"),
        "entries": escalation.entries.order_by("id"),
        "may_acknowledge": waits and permissions.can_answer(actor, escalation),
        "may_resolve": escalation.status != Escalation.Status.RESOLVED and permissions.can_resolve(actor, escalation),
    }
    return render(request, "oncall/escalation_detail.html", context)


def steps_of(escalation: Escalation) -> list[Step]:
    """The frozen path with how far it has come in this round."""
    steps, after = [], 0
    for number, level in enumerate(escalation.path["levels"], 1):
        state = "waiting"
        if number < escalation.level or (number == escalation.level and not escalation.is_open):
            state = "done"
        elif number == escalation.level:
            state = "reached"
        steps.append(Step(number, after, level["targets"], state))
        after += level["timeout_seconds"] // 60
    return steps


@require_POST
def escalation_acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    """The viewer has it."""
    actor = actor_of(request)
    escalation = get_object_or_404(Escalation.objects.visible_to(actor), pk=pk)
    actions.acknowledge_escalation(actor=actor, escalation=escalation, now=timezone.now())
    messages.success(request, _("You have it: nobody else is paged for this."))
    return _back(request, pk)


@require_POST
def escalation_resolve(request: HttpRequest, pk: int) -> HttpResponse:
    """It is over."""
    actor = actor_of(request)
    escalation = get_object_or_404(Escalation.objects.visible_to(actor), pk=pk)
    actions.resolve_escalation(actor=actor, escalation=escalation, now=timezone.now())
    messages.success(request, _("The escalation has ended."))
    return _back(request, pk)


def _back(request: HttpRequest, pk: int) -> HttpResponse:
    """To the page on which the button was pressed."""
    address = request.POST.get("next", "")
    if address and url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        return redirect(address)
    return redirect("oncall:escalation", pk)


def escalation_start(request: HttpRequest) -> HttpResponse:
    """Pages people by hand; `?policy=payments` chooses whom to begin with."""
    actor = actor_of(request)
    require(permissions.can_page(actor), "Viewers may not page people.")
    policy = EscalationPolicy.objects.filter(slug=request.GET.get("policy", "")).first()
    form = EscalationForm(request.POST or None, initial={"policy": policy})
    if request.method == "POST" and form.is_valid():
        started = try_action(
            form, partial(actions.start_escalation, actor=actor, now=timezone.now(), **form.cleaned_data)
        )
        if started is not None:
            messages.success(request, _("They are being paged."))
            return redirect("oncall:escalation", started.pk)
    return render(request, "oncall/escalation_form.html", {"form": form})
