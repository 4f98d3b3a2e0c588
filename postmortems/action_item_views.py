"""The pages on which action items are listed, made and moved on."""

from functools import partial

from django.contrib import messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import Actor, actor_of
from accounts.lists import list_page
from events.errors import require
from events.forms import try_action
from incidents.models import Incident
from incidents.permissions import can_respond
from postmortems.action_items import EDITABLE, create_action_item, update_action_item
from postmortems.filters import ActionItemFilter
from postmortems.forms import ActionItemForm
from postmortems.models import ActionItem
from postmortems.permissions import can_change_action_item

SORTABLE = ("title", "due_on", "priority", "status", "created_at")


def visible(actor: Actor) -> QuerySet[ActionItem]:
    """The action items that the actor may see, with incident and owner."""
    return ActionItem.objects.visible_to(actor).select_related("incident", "incident__postmortem", "owner")


@require_safe
def action_item_list(request: HttpRequest) -> HttpResponse:
    """Action items, those that are due first on top."""
    actor = actor_of(request)
    by_due = visible(actor).order_by(F("due_on").asc(nulls_last=True), "priority", "-id")
    context = {
        "list": list_page(request, by_due, ActionItemFilter, sortable=SORTABLE),
        "today": timezone.localdate(),
        "item_statuses": ActionItem.Status.choices,
    }
    return render(request, "postmortems/action_items.html", context)


def action_item_new(request: HttpRequest, number: int) -> HttpResponse:
    """Adds an action item to an incident."""
    actor = actor_of(request)
    incident = get_object_or_404(Incident.objects.visible_to(actor), number=number)
    require(can_respond(actor, incident), _("Viewers may not add action items."))
    form = ActionItemForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        act = partial(create_action_item, actor=actor, incident=incident, now=timezone.now(), **form.cleaned_data)
        made = try_action(form, act)
        if made is not None:
            messages.success(request, _("The action item is added."))
            return redirect(place_of(incident))
    context = {"form": form, "incident": incident, "back": place_of(incident)}
    return render(request, "postmortems/action_item_form.html", context)


def action_item_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes an action item."""
    actor = actor_of(request)
    action_item = get_object_or_404(visible(actor), pk=pk)
    initial = {field: getattr(action_item, field) for field in EDITABLE}
    form = ActionItemForm(request.POST or None, initial=initial)
    may_change = can_change_action_item(actor, action_item)
    if not may_change:
        for field in form.fields.values():
            field.disabled = True
    if request.method == "POST" and form.is_valid():
        act = partial(update_action_item, actor=actor, action_item=action_item, now=timezone.now(), **form.cleaned_data)
        if try_action(form, act) is not None:
            messages.success(request, _("The action item is saved."))
            return redirect("postmortems:action-items")
    context = {
        "form": form,
        "action_item": action_item,
        "incident": action_item.incident,
        "back": place_of(action_item.incident),
        "may_change": may_change,
    }
    return render(request, "postmortems/action_item_form.html", context)


@require_POST
def action_item_status(request: HttpRequest, pk: int) -> HttpResponse:
    """Moves an action item on from where it is listed; answers htmx with the row as it is now."""
    actor = actor_of(request)
    action_item = get_object_or_404(visible(actor), pk=pk)
    status = request.POST.get("status", "")
    action_item = update_action_item(actor=actor, action_item=action_item, status=status, now=timezone.now())
    if getattr(request, "htmx", False):
        context = {
            "item": action_item,
            "item_statuses": ActionItem.Status.choices,
            "today": timezone.localdate(),
            "show_incident": "show_incident" in request.POST,
        }
        return render(request, "postmortems/_action_item_row.html", context)
    messages.success(request, _("The action item is now: %(status)s.") % {"status": action_item.get_status_display()})
    return redirect("postmortems:action-items")


def place_of(incident: Incident) -> str:
    """Where the incident's action items are read: in its postmortem, else on its own page."""
    postmortem = getattr(incident, "postmortem", None)
    return f"{postmortem.get_absolute_url()}#action-items" if postmortem else incident.get_absolute_url()
