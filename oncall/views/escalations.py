"""Running escalations: the list, one with everything it did, every verb."""

from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import Count, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import Actor, actor_of
from accounts.lists import list_page
from events.errors import Invalid
from oncall import actions, permissions
from oncall.filters import EscalationFilter
from oncall.forms.escalations import HelpForm, ReassignForm, SnoozeForm
from oncall.models import Escalation, Page, PageAttempt
from oncall.progress import steps_of
from oncall.sealing import broken_chain
from oncall.views.signed_in import user_of

Form = TypeVar("Form", ReassignForm, HelpForm, SnoozeForm)
SNOOZES = ((30, "30 min"), (60, "1 h"), (240, "4 h"))
Status = Escalation.Status


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
    """One escalation: its path, its pages with every attempt, receipt and answer, and the ledger that proves it."""
    actor, now = actor_of(request), timezone.now()
    found = Escalation.objects.visible_to(actor).select_related("policy", "acknowledged_by")
    escalation = get_object_or_404(found, pk=pk)
    attempts = Prefetch("attempts", PageAttempt.objects.order_by("number").prefetch_related("receipts"))
    pages = Page.objects.filter(escalation=escalation).select_related("user").prefetch_related(attempts)
    entries = list(escalation.entries.order_by("number"))
    zone = ZoneInfo(user_of(request).time_zone)
    context = {
        "escalation": escalation,
        "steps": steps_of(escalation),
        "pages": pages.order_by("run", "round", "level", "id"),
        "answers": escalation.answers.select_related("user").order_by("at"),
        "entries": entries,
        "problems": list(broken_chain(entries, escalation.entry_count, escalation.entry_hash)),
        "may": verbs_of(actor, escalation),
        "snoozes": SNOOZES,
        "reassign_form": ReassignForm(auto_id="reassign-%s"),
        "help_form": HelpForm(auto_id="help-%s"),
        "snooze_form": SnoozeForm(initial=SnoozeForm.initial_for(now, zone), auto_id="snooze-%s"),
        "zone": zone.key,
    }
    return render(request, "oncall/escalation_detail.html", context)


def verbs_of(actor: Actor, escalation: Escalation) -> dict[str, bool]:
    """What the viewer is offered to do; the actions decide."""
    answers = permissions.can_answer(actor, escalation)
    pages = answers and permissions.can_page(actor)
    status, is_over = escalation.status, escalation.status == Status.RESOLVED
    is_asked = actor.user_id is not None and escalation.pages.filter(user_id=actor.user_id).exists()
    has_levels = escalation.stage < len(escalation.path["stages"])
    return {
        "acknowledge": answers and status in {Status.TRIGGERED, Status.EXHAUSTED},
        "decline": answers and is_asked and status == Status.TRIGGERED,
        "escalate": answers and escalation.is_open and has_levels,
        "reassign": pages and not is_over,
        "help": pages and not is_over,
        "snooze": answers and not is_over,
        "again": answers and status == Status.ACKNOWLEDGED,
        "resolve": not is_over and permissions.can_resolve(actor, escalation),
    }


def _asked(request: HttpRequest, pk: int) -> dict[str, Any]:
    """Who does it, to which escalation, and when: what every verb takes."""
    actor = actor_of(request)
    escalation = get_object_or_404(Escalation.objects.visible_to(actor), pk=pk)
    return {"actor": actor, "escalation": escalation, "now": timezone.now()}


@require_POST
def escalation_acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    """The viewer has it."""
    escalation = actions.acknowledge_escalation(**_asked(request, pk))
    if escalation.status == Status.ACKNOWLEDGED:
        messages.success(request, _("You have it: nobody else is paged for this."))
    else:
        messages.success(request, _("Your answer is kept: others have to answer too."))
    return _back(request, pk)


@require_POST
def escalation_decline(request: HttpRequest, pk: int) -> HttpResponse:
    """The viewer can't take it."""
    actions.decline_escalation(**_asked(request, pk))
    messages.success(request, _("You are left alone with this."))
    return _back(request, pk)


@require_POST
def escalation_escalate(request: HttpRequest, pk: int) -> HttpResponse:
    """On to the next level now."""
    actions.escalate_now(**_asked(request, pk))
    messages.success(request, _("The next level is being paged."))
    return _back(request, pk)


@require_POST
def escalation_reassign(request: HttpRequest, pk: int) -> HttpResponse:
    """Handed to a person or a policy."""
    form = _valid(ReassignForm(request.POST))
    actions.reassign_escalation(**_asked(request, pk), **form.cleaned_data)
    messages.success(request, _("It is handed over: they are being paged."))
    return _back(request, pk)


@require_POST
def escalation_help(request: HttpRequest, pk: int) -> HttpResponse:
    """One more person is paged."""
    form = _valid(HelpForm(request.POST))
    actions.add_responder(**_asked(request, pk), **form.cleaned_data)
    messages.success(request, _("%(name)s is being paged.") % {"name": form.cleaned_data["user"]})
    return _back(request, pk)


@require_POST
def escalation_snooze(request: HttpRequest, pk: int) -> HttpResponse:
    """Still for a while."""
    form = _valid(SnoozeForm(request.POST))
    asked = _asked(request, pk)
    now: datetime = asked["now"]
    until = form.until(now, ZoneInfo(user_of(request).time_zone))
    actions.snooze_escalation(**asked, until=until)
    messages.success(request, _("You have it; it pages again when the time is over."))
    return _back(request, pk)


@require_POST
def escalation_again(request: HttpRequest, pk: int) -> HttpResponse:
    """The acknowledgement is taken back."""
    actions.page_again(**_asked(request, pk))
    messages.success(request, _("The same level is being paged again."))
    return _back(request, pk)


@require_POST
def escalation_resolve(request: HttpRequest, pk: int) -> HttpResponse:
    """It is over."""
    actions.resolve_escalation(**_asked(request, pk))
    messages.success(request, _("The escalation has ended."))
    return _back(request, pk)


def _valid(form: Form) -> Form:
    """The form, filled in rightly; a small form in a dialog tells what is wrong where the viewer came from."""
    for field, errors in form.errors.items():
        raise Invalid(str(errors[0]), field=field, remedy=_("Choose again."))
    return form


def _back(request: HttpRequest, pk: int) -> HttpResponse:
    """To the page on which the button was pressed."""
    address = request.POST.get("next", "")
    if address and url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        return redirect(address)
    return redirect("oncall:escalation", pk)
