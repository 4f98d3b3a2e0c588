"""Settings, Incidents: one set of screens for all that is configured."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import actor_of
from accounts.models import User
from events.conditions import in_words
from events.errors import require
from events.forms import try_action
from incidents import configuring
from incidents.announcements import MOMENTS, audiences
from incidents.configurable import KINDS, Kind
from incidents.facts import known_facts
from incidents.forms.settings import MOMENT_LABELS, ConfiguredForms
from incidents.models import AnnouncementRule, Incident, Qualification
from incidents.permissions import can_configure


def found_kind(request: HttpRequest, slug: str) -> Kind:
    """The kind of that name; what holds secrets is for administrators only."""
    kind = KINDS.get(slug)
    if kind is None:
        raise Http404
    if kind.is_secret:
        require(can_configure(actor_of(request)), configuring.NOT_AN_ADMINISTRATOR)
    return kind


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The first of the lists."""
    return redirect("incidents:configured", next(iter(KINDS)))


@require_safe
def listed(request: HttpRequest, slug: str) -> HttpResponse:
    """The rows of a kind, in their order, what is archived last."""
    kind = found_kind(request, slug)
    rows = list(kind.rows)
    in_use = [row for row in rows if not kind.is_archived(row)]
    context = {
        "kinds": KINDS.values(),
        "kind": kind,
        "rows": [{"row": row, "said": said_of(row)} for row in in_use],
        "archived": [row for row in rows if kind.is_archived(row)],
        "may": can_configure(actor_of(request)),
    }
    return render(request, "incidents/settings/list.html", context)


def said_of(row: Any) -> str:
    """What the list says of a row beside its name."""
    if isinstance(row, AnnouncementRule):
        moments = ", ".join(str(MOMENT_LABELS.get(moment, moment)) for moment in row.moments)
        return f"{in_words(row.conditions)} · {moments}"
    for name in ("text", "description"):
        if getattr(row, name, ""):
            return str(getattr(row, name))
    for name in ("category", "kind", "done_by"):
        if hasattr(row, name):
            return str(getattr(row, f"get_{name}_display")())
    return ""


def edit(request: HttpRequest, slug: str, pk: int | None = None) -> HttpResponse:
    """Makes a row, or changes one."""
    kind, actor = found_kind(request, slug), actor_of(request)
    require(can_configure(actor), configuring.NOT_AN_ADMINISTRATOR)
    row = get_object_or_404(kind.rows, pk=pk) if pk else None
    forms = ConfiguredForms(kind, request.POST if request.method == "POST" else None, row)
    if request.method == "POST" and forms.is_valid():
        saved = try_action(
            forms.form,
            lambda: configuring.save_configured(
                actor=actor, kind=kind, row=row, values=forms.values(), now=timezone.now()
            ),
        )
        if saved is not None:
            messages.success(request, _("“%(name)s” is saved.") % {"name": saved})
            return redirect("incidents:configured", kind.slug)
    context = {
        "kind": kind,
        "row": row,
        "is_archived": row is not None and kind.is_archived(row),
        "forms": forms,
        "form": forms.form,
        "facts": known_facts() if forms.has_conditions else [],
    }
    if isinstance(row, Qualification):
        context["people"] = row.people.select_related("user").order_by("user__name")
        context["others"] = User.objects.filter(is_active=True).exclude(qualifications__qualification=row)
    status = 422 if request.method == "POST" else 200
    return render(request, "incidents/settings/form.html", context, status=status)


@require_POST
def archive(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Takes a row out of use."""
    row = get_object_or_404(found_kind(request, slug).rows, pk=pk)
    configuring.archive_configured(actor=actor_of(request), row=row, now=timezone.now())
    messages.success(request, _("“%(name)s” is archived. What has it keeps it.") % {"name": row})
    return redirect("incidents:configured", slug)


@require_POST
def restore(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Takes a row back into use."""
    row = get_object_or_404(found_kind(request, slug).rows, pk=pk)
    configuring.restore_configured(actor=actor_of(request), row=row, now=timezone.now())
    return redirect("incidents:configured", slug)


@require_POST
def remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Removes a row that nothing uses."""
    row = get_object_or_404(found_kind(request, slug).rows, pk=pk)
    configuring.remove_configured(actor=actor_of(request), row=row, now=timezone.now())
    messages.success(request, _("“%(name)s” is gone.") % {"name": row})
    return redirect("incidents:configured", slug)


@require_POST
def move(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Moves a row one place up or down among those in use."""
    kind = found_kind(request, slug)
    ordered = [row for row in kind.rows if not kind.is_archived(row)]
    index = next((number for number, row in enumerate(ordered) if row.pk == pk), None)
    if index is None:
        raise Http404
    other = index - 1 if request.POST.get("direction") == "up" else index + 1
    if 0 <= other < len(ordered):
        ordered[index], ordered[other] = ordered[other], ordered[index]
    configuring.order_configured(actor=actor_of(request), kind=kind, rows=ordered, now=timezone.now())
    return redirect("incidents:configured", slug)


@require_POST
def order(request: HttpRequest, slug: str) -> HttpResponse:
    """Puts the rows in the order of `routes`, their ids, as the script that moves rows sends them."""
    kind = found_kind(request, slug)
    asked = [int(pk) for pk in request.POST.getlist("routes") if pk.isdecimal()]
    rows = kind.rows.in_bulk(asked)
    ordered = [rows[pk] for pk in asked if pk in rows]
    configuring.order_configured(actor=actor_of(request), kind=kind, rows=ordered, now=timezone.now())
    return HttpResponse(status=204)


@require_POST
def grant(request: HttpRequest, pk: int) -> HttpResponse:
    """Says that a person is qualified."""
    qualification, user = _qualified(request, pk)
    actor, now = actor_of(request), timezone.now()
    configuring.grant_qualification(actor=actor, user=user, qualification=qualification, now=now)
    return redirect("incidents:configured-edit", "qualifications", pk)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Says that a person is no longer qualified."""
    qualification, user = _qualified(request, pk)
    actor, now = actor_of(request), timezone.now()
    configuring.revoke_qualification(actor=actor, user=user, qualification=qualification, now=now)
    return redirect("incidents:configured-edit", "qualifications", pk)


def _qualified(request: HttpRequest, pk: int) -> tuple[Qualification, User]:
    asked = request.POST.get("user", "")
    user = get_object_or_404(User, pk=int(asked) if asked.isdecimal() else 0)
    return get_object_or_404(Qualification, pk=pk), user


@require_safe
def preview(request: HttpRequest) -> HttpResponse:
    """Who would hear of an incident, at each moment: nobody is told."""
    found_kind(request, "announcements")
    asked = request.GET.get("incident", "").upper().removeprefix("INC-").strip()
    number = int(asked) if asked.isdecimal() and len(asked) < 10 else 0
    visible = Incident.objects.visible_to(actor_of(request)).select_related("severity", "status", "incident_type")
    incident = visible.filter(number=number).first()
    heard = [
        {"label": MOMENT_LABELS[moment], "audiences": audiences(incident, moment)} for moment in MOMENTS if incident
    ]
    return render(request, "incidents/settings/_preview.html", {"asked": asked, "incident": incident, "heard": heard})
