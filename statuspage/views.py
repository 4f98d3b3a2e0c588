"""The pages on which people set up status pages and publish on them."""

from functools import partial

from django.contrib import messages
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
from statuspage import actions
from statuspage.board import load_board, with_updates
from statuspage.filters import PublicIncidentFilter
from statuspage.forms import ComponentForm, MessageForm, PageForm, PublishForm, initial_changes
from statuspage.indicator import impact_of
from statuspage.models import Component, ComponentStatus, PublicIncident, StatusPage, StatusUpdate
from statuspage.permissions import can_manage_pages, can_publish
from statuspage.suggestions import suggest


def may(actor: Actor) -> dict[str, bool]:
    """What the templates ask before they show a button."""
    return {"may_publish": can_publish(actor), "may_manage": can_manage_pages(actor)}


@require_safe
def page_list(request: HttpRequest) -> HttpResponse:
    """All status pages with what they say now."""
    now = timezone.now()
    boards = [load_board(page, now) for page in StatusPage.objects.all()]
    return render(request, "statuspage/page_list.html", {"boards": boards, **may(actor_of(request))})


@require_safe
def page_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One page from behind: components, open public incidents, and the ways to change them."""
    page = get_object_or_404(StatusPage, slug=slug)
    components = page.components.prefetch_related("services")
    context = {
        "page": page,
        "board": load_board(page, timezone.now()),
        "components": components,
        "component_statuses": ComponentStatus.choices,
        **may(actor_of(request)),
    }
    return render(request, "statuspage/page_detail.html", context)


def page_form(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """Makes a page or changes its settings."""
    actor = actor_of(request)
    require(can_manage_pages(actor), actions.MAY_NOT_MANAGE)
    page = get_object_or_404(StatusPage, slug=slug) if slug else None
    fields = ["name", "slug", "description", "time_zone", "support_url"]
    initial = {field: getattr(page, field) for field in fields} if page else {}
    form = PageForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        save = partial(actions.save_page, actor=actor, page=page, now=timezone.now(), **form.cleaned_data)
        saved = try_action(form, save)
        if saved is not None:
            messages.success(request, _("The status page is saved."))
            return redirect("statuspage:detail", saved.slug)
    return render(request, "statuspage/page_form.html", {"form": form, "page": page})


def component_form(request: HttpRequest, slug: str, component_id: int | None = None) -> HttpResponse:
    """Adds a component or changes one."""
    actor = actor_of(request)
    require(can_manage_pages(actor), actions.MAY_NOT_MANAGE)
    page = get_object_or_404(StatusPage, slug=slug)
    component = get_object_or_404(page.components, pk=component_id) if component_id else None
    initial = {}
    if component is not None:
        initial = {field: getattr(component, field) for field in ("name", "description", "position")}
        initial["services"] = component.services.all()
    form = ComponentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        save = partial(
            actions.save_component,
            actor=actor,
            page=page,
            component=component,
            now=timezone.now(),
            **form.cleaned_data,
        )
        if try_action(form, save) is not None:
            messages.success(request, _("The component is saved."))
            return redirect("statuspage:detail", page.slug)
    return render(request, "statuspage/component_form.html", {"form": form, "page": page, "component": component})


@require_POST
def component_remove(request: HttpRequest, slug: str, component_id: int) -> HttpResponse:
    """Takes a component off the page."""
    component = get_object_or_404(Component, page__slug=slug, pk=component_id)
    actions.remove_component(actor=actor_of(request), component=component, now=timezone.now())
    messages.success(request, _("%(name)s is off the page.") % {"name": component.name})
    return redirect("statuspage:detail", slug)


@require_POST
def component_status(request: HttpRequest, slug: str, component_id: int) -> HttpResponse:
    """Changes what the page says of one component."""
    component = get_object_or_404(Component, page__slug=slug, pk=component_id)
    actions.set_component_status(
        actor=actor_of(request), component=component, status=request.POST.get("status", ""), now=timezone.now()
    )
    messages.success(request, _("The page now says so."))
    return redirect("statuspage:detail", slug)


def publish(request: HttpRequest, slug: str) -> HttpResponse:
    """Publishes an incident; `?incident=142` (its number) starts from an internal one."""
    actor = actor_of(request)
    require(can_publish(actor), actions.MAY_NOT_PUBLISH)
    page = get_object_or_404(StatusPage, slug=slug)
    source = None
    if request.GET.get("incident", "").isdecimal():
        source = get_object_or_404(Incident.objects.visible_to(actor), number=request.GET["incident"])
    suggestion = suggest(page, source)
    initial = {"name": suggestion.name, "body": suggestion.body, **initial_changes(suggestion.components)}
    private = source is not None and source.is_private
    form = PublishForm(request.POST or None, initial=initial, page=page, private=private)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        act = partial(
            actions.publish_incident,
            actor=actor,
            page=page,
            incident=source,
            name=given["name"],
            status=given["status"],
            impact=given["impact"] or None,
            body=given["body"],
            components=form.changes(),
            confirm_private=given.get("confirm_private", False),
            now=timezone.now(),
        )
        published = try_action(form, act)
        if published is not None:
            messages.success(request, _("Published on %(page)s.") % {"page": page.name})
            return redirect("statuspage:incident", page.slug, published.public_id)
    return render(request, "statuspage/publish.html", {"form": form, "page": page, "source": source})


@require_POST
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """The message as the public would read it; nothing is kept."""
    page = get_object_or_404(StatusPage, slug=slug)
    form = PublishForm(request.POST, page=page)
    form.is_valid()
    changes = form.changes()
    incident = PublicIncident(page=page, name=request.POST.get("name", ""), impact=impact_of(changes.values()))
    update = StatusUpdate(status=request.POST.get("status", ""), body=request.POST.get("body", ""))
    context = {"incident": incident, "update": update, "changes": changes, "now": timezone.now()}
    return render(request, "statuspage/_preview.html", context)


@require_safe
def incident_list(request: HttpRequest, slug: str) -> HttpResponse:
    """Everything that was published on a page."""
    actor = actor_of(request)
    page = get_object_or_404(StatusPage, slug=slug)
    published = page.public_incidents.prefetch_related("components", "updates").order_by("-started_at", "-id")
    listing = list_page(request, published, PublicIncidentFilter, sortable=("name", "started_at"))
    context = {"page": page, "list": listing, **may(actor)}
    return render(request, "statuspage/incident_list.html", context)


def incident_detail(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """A public incident from behind, with the form for its next update."""
    actor = actor_of(request)
    found = with_updates(PublicIncident.objects.filter(page__slug=slug))
    public_incident = get_object_or_404(found, public_id=public_id)
    form = MessageForm(
        request.POST or None,
        page=public_incident.page,
        initial={"status": request.GET.get("status", public_incident.status)},
    )
    if request.method == "POST" and form.is_valid():
        act = partial(
            actions.publish_update,
            actor=actor,
            public_incident=public_incident,
            status=form.cleaned_data["status"],
            body=form.cleaned_data["body"],
            components=form.changes(),
            now=timezone.now(),
        )
        if try_action(form, act) is not None:
            messages.success(request, _("Published on %(page)s.") % {"page": public_incident.page.name})
            return redirect("statuspage:incident", slug, public_id)
    context = {
        "page": public_incident.page,
        "public_incident": public_incident,
        "source": source_of(public_incident, actor),
        "form": form,
        **may(actor),
    }
    return render(request, "statuspage/incident_detail.html", context)


def source_of(public_incident: PublicIncident, actor: Actor) -> Incident | None:
    """The internal incident behind it, if there is one and the actor may know."""
    if public_incident.incident_id is None:
        return None
    return Incident.objects.visible_to(actor).filter(pk=public_incident.incident_id).first()
