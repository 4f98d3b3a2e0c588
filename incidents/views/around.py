"""What stands around an incident on screen: custom fields, who stands by for its services, what resembles it."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.actor import actor_of
from catalog.blast import blast_radius
from events.errors import Invalid
from incidents import fields as custom_fields
from incidents import paging
from incidents.forms.changes import PageServiceForm, first_error
from incidents.forms.fields import FieldsForm
from incidents.models import Incident
from incidents.permissions import can_respond
from incidents.related import related_incidents
from incidents.standby import standby_of
from incidents.views.finding import visible


def fields(request: HttpRequest, number: int) -> HttpResponse:
    """Sets all custom fields at once; asked for by GET, the form as they stand at this moment."""
    incident = visible(request, number)
    asked = custom_fields.fields_of(incident.incident_type)
    form = FieldsForm(request.POST or None, fields=asked, values=incident.fields)
    if request.method != "POST":
        context = {"form": form, "was": json.dumps(incident.fields)}
        return render(request, "incidents/dialogs/_fields_form.html", context)
    if not form.is_valid():
        error = first_error(form)
        raise Invalid(error["message"], field=error["field"])
    custom_fields.set_fields(
        actor=actor_of(request),
        incident=incident,
        values=_changed(form.values, incident),
        was=_seen(request.POST.get("was", "")),
        now=timezone.now(),
    )
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return HttpResponse(status=204, headers={"HX-Trigger": "closeDialog"})
    return HttpResponseRedirect(incident.get_absolute_url())


def _changed(values: dict[str, Any], incident: Incident) -> dict[str, Any]:
    """Without what stands already: a value that is no longer offered may stay."""
    return {slug: value for slug, value in values.items() if str(value or "") != str(incident.fields.get(slug) or "")}


def _seen(text: str) -> dict[str, Any] | None:
    try:
        seen = json.loads(text)
    except ValueError:
        return None
    return seen if isinstance(seen, dict) else None


@require_GET
def blast(request: HttpRequest, number: int) -> HttpResponse:
    """Who owns the affected services and is on call for them now, and how far the fault reaches."""
    incident = visible(request, number)
    standby = standby_of(incident, timezone.now())
    context = {
        "incident": incident,
        "standby": standby,
        "radius": blast_radius(each.service for each in standby),
        "can_page": incident.is_open and can_respond(actor_of(request), incident),
    }
    return render(request, "incidents/side/_blast_loaded.html", context)


@require_GET
def similar(request: HttpRequest, number: int) -> HttpResponse:
    """Incidents that resemble it, as far as the viewer may see them."""
    incident = visible(request, number)
    found = related_incidents(actor_of(request), incident)
    return render(request, "incidents/side/_similar_loaded.html", {"related": found})


@require_POST
def page_service(request: HttpRequest, number: int) -> HttpResponse:
    """Pages whoever is on call for a service, and says when that is happening already."""
    incident = visible(request, number)
    form = PageServiceForm(request.POST)
    if not form.is_valid():
        error = first_error(form)
        raise Invalid(error["message"], field=error["field"])
    service = form.cleaned_data["service"]
    paged = paging.page_service(actor=actor_of(request), incident=incident, service=service, now=timezone.now())
    if not request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return HttpResponseRedirect(reverse("incidents:detail", args=[incident.number]))
    names = {"service": service.name, "policy": paged.escalation.path["policy"]}
    said = _("Paging %(policy)s for %(service)s.") if paged.is_new else _("%(policy)s is being paged already.")
    news = {"toast": {"message": said % names, "level": "success" if paged.is_new else "info"}}
    return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(news)})
