"""Trying payloads and routes, as fragments beside the list and the form of routes. Nothing is stored."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import actor_of
from alerts.actions import NOT_A_MANAGER
from alerts.dialects import DialectError
from alerts.forms.previews import PayloadForm
from alerts.forms.routes import RouteForms
from alerts.history import attributes_of
from alerts.models import AlertRoute, AlertSource
from alerts.permissions import can_configure
from alerts.preview import LOOKS_BACK, Foreseen, backtest, preview, with_draft
from alerts.views.sources import NOT_FOR_YOU
from events.errors import require
from oncall.views.signed_in import user_of

# The route that a form is about, beside its fields: its id, or this for a new one.
NEW = "new"
SHOWN_FACTS = ("severity", "priority", "service", "tier", "team", "tags", "dedup_key", "url", "description")


@require_safe
def payload(request: HttpRequest) -> HttpResponse:
    """The fields of a payload for another source, or another of its events."""
    actor = actor_of(request)
    require(can_configure(actor), NOT_FOR_YOU)
    slug = request.GET.get("payload-source", "")
    source = get_object_or_404(AlertSource, slug=slug) if slug else None
    is_same = request.GET.get("shown") == slug
    chosen = request.GET.get("payload-raw_event", "") if is_same else None
    form = PayloadForm.start(source, timezone.now(), viewer=actor, raw_id=chosen)
    return render(request, "alerts/_payload.html", {"payload": form, "shown": slug, "fixed": "fixed" in request.GET})


@require_POST
def route_preview(request: HttpRequest) -> HttpResponse:
    """What would become of a payload: by the routes as they are, or with the one that is being written."""
    actor, now = actor_of(request), timezone.now()
    require(can_configure(actor), NOT_A_MANAGER)
    form = PayloadForm(request.POST, now=now, viewer=actor)
    context: dict[str, Any] = {"payload": form, "zone": user_of(request).time_zone, "is_draft": "draft" in request.POST}
    if not request.POST.get("payload-source"):
        return render(request, "alerts/_preview.html", {**context, "is_waiting": True})
    draft, problems = _draft(request)
    if problems or not form.is_valid():
        errors = [str(text) for texts in form.errors.values() for text in texts]
        return render(request, "alerts/_preview.html", {**context, "problems": [*problems, *errors]})
    try:
        routes = with_draft(draft) if draft is not None else None
        found = preview(form.raw(), now, routes=routes, viewer=actor)
        context["found"] = [_shown(each, draft) for each in found]
    except DialectError as error:
        context["error"] = error
    return render(request, "alerts/_preview.html", context)


def _shown(foreseen: Foreseen, draft: AlertRoute | None) -> dict[str, Any]:
    """One event as the page shows it: what it would be known by, and what becomes of it."""
    said = ((name, foreseen.facts.get(name)) for name in SHOWN_FACTS)
    facts = [(name, ", ".join(value) if isinstance(value, list) else str(value)) for name, value in said if value]
    attributes = attributes_of(foreseen.alert)
    return {"foreseen": foreseen, "facts": facts, "attributes": attributes, "draft_pk": draft.pk if draft else None}


@require_POST
def route_backtest(request: HttpRequest) -> HttpResponse:
    """What the route that is being written would have made of the alerts of the last 30 days."""
    actor, now = actor_of(request), timezone.now()
    require(can_configure(actor), NOT_A_MANAGER)
    draft, problems = _draft(request)
    context: dict[str, Any] = {"problems": problems, "days": LOOKS_BACK.days}
    if draft is not None:
        context["found"] = backtest(with_draft(draft), now, viewer=actor)
    return render(request, "alerts/_backtest.html", context)


def _draft(request: HttpRequest) -> tuple[AlertRoute | None, list[str]]:
    """The route that the form describes and what is wrong with it; neither where no route is being written."""
    asked = request.POST.get("draft", "")
    if not asked:
        return None, []
    route = None if asked == NEW else get_object_or_404(AlertRoute, pk=int(asked) if asked.isdecimal() else 0)
    data = request.POST.copy()
    data["name"] = data.get("name") or (route.name if route else _("The new route"))
    forms = RouteForms(data, route)
    draft = forms.draft()
    return draft, forms.problems() if draft is None else []
