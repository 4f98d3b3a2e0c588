"""The screens of the catalog: parse, find, call one action, render."""

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
from catalog import actions, forms
from catalog.blast import blast_radius
from catalog.filters import FunctionalityFilter, ServiceFilter
from catalog.mitigations import suggested_mitigations
from catalog.models import Functionality, Service
from catalog.permissions import can_change_service, can_configure
from events.errors import require
from events.forms import try_action
from oncall.ladder import ladder


def service_list(request: HttpRequest) -> HttpResponse:
    services = Service.objects.select_related("team", "escalation_policy")
    listing = list_page(request, services, ServiceFilter, sortable=("name", "tier"))
    return render(
        request, "catalog/service_list.html", {"list": listing, "can_configure": can_configure(actor_of(request))}
    )


def service_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Who owns it, who is on call for it, what it needs and who needs it, what is wrong with it now."""
    service = get_object_or_404(
        Service.objects.select_related("team", "escalation_policy").prefetch_related("links", "functionalities"),
        slug=slug,
    )
    policy = service.escalation_policy
    context = {
        "service": service,
        "needs": service.dependencies.select_related("needs"),
        "needed_by": service.dependents.select_related("service"),
        "radius": blast_radius([service]),
        "mitigations": service.mitigations.all(),
        "rungs": ladder(policy, timezone.now()) if policy else [],
        "can_change": can_change_service(actor_of(request), service),
        "can_remove": can_configure(actor_of(request)),
    }
    return render(request, "catalog/service_detail.html", context)


def service_edit(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Makes a service, or changes one."""
    actor = actor_of(request)
    service = get_object_or_404(Service, slug=slug) if slug else None
    require(
        can_change_service(actor, service) if service else can_configure(actor),
        "Only managers and the team that owns a service may change it.",
    )
    initial: dict[str, Any] = {"tier": Service.Tier.MEDIUM}
    initial_links: list[dict[str, str]] = []
    initial_mitigations: list[dict[str, str]] = []
    if service:
        names = ("name", "slug", "description", "tier", "lifecycle", "team", "escalation_policy", "urgency")
        initial = {name: getattr(service, name) for name in names}
        initial["needs"] = [row.needs_id for row in service.dependencies.all()]
        initial["functionalities"] = [row.pk for row in service.functionalities.all()]
        initial_links = [{"kind": link.kind, "label": link.label, "url": link.url} for link in service.links.all()]
        initial_mitigations = [
            {"label": row.label, "command": row.command, "url": row.url} for row in service.mitigations.all()
        ]
    form = forms.ServiceForm(request.POST or None, initial=initial)
    rows = forms.LinkFormSet(request.POST or None, initial=initial_links, prefix="links")
    helps = forms.MitigationFormSet(request.POST or None, initial=initial_mitigations, prefix="mitigations")
    if request.method == "POST" and form.is_valid() and rows.is_valid() and helps.is_valid():
        data = form.cleaned_data
        data["slug"] = data["slug"] or slugify(data["name"])
        links = [draft for row in rows if (draft := row.draft())]
        data["mitigations"] = [drawn for row in helps if (drawn := row.draft())]
        saved = try_action(form, lambda: actions.save_service(actor=actor, service=service, links=links, **data))
        if saved is not None:
            return HttpResponseRedirect(reverse("catalog:service", args=[saved.slug]))
    suggestions = suggested_mitigations(service)
    context = {"form": form, "rows": rows, "helps": helps, "service": service, "suggestions": suggestions}
    return render(request, "catalog/service_form.html", context, status=422 if request.method == "POST" else 200)


@require_POST
def service_remove(request: HttpRequest, slug: str) -> HttpResponse:
    actions.remove_service(actor=actor_of(request), service=get_object_or_404(Service, slug=slug))
    messages.success(request, _("The service is gone."))
    return HttpResponseRedirect(reverse("catalog:services"))


def functionality_list(request: HttpRequest) -> HttpResponse:
    listing = list_page(
        request, Functionality.objects.prefetch_related("services"), FunctionalityFilter, sortable=("name",)
    )
    context = {"list": listing, "can_configure": can_configure(actor_of(request))}
    return render(request, "catalog/functionality_list.html", context)


def functionality_edit(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Makes a functionality, or changes one."""
    actor = actor_of(request)
    require(can_configure(actor), "Only managers may change functionalities.")
    functionality = get_object_or_404(Functionality, slug=slug) if slug else None
    initial = {name: getattr(functionality, name) for name in ("name", "slug", "description")} if functionality else {}
    form = forms.FunctionalityForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        data["slug"] = data["slug"] or slugify(data["name"])
        saved = try_action(form, lambda: actions.save_functionality(actor=actor, functionality=functionality, **data))
        if saved is not None:
            return HttpResponseRedirect(reverse("catalog:functionalities"))
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "functionality": functionality}
    return render(request, "catalog/functionality_form.html", context, status=status)
