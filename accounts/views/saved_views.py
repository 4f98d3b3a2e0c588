"""Saving what a list is filtered by, and forgetting it; the list itself shows the views."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import saved_views
from accounts.actor import actor_of
from accounts.models import SavedView


@require_POST
def view_save(request: HttpRequest) -> HttpResponse:
    """Keeps the view that the form tells, and goes back to the list as it then looks."""
    view = saved_views.save_view(
        actor=actor_of(request),
        list_name=request.POST.get("list", ""),
        name=request.POST.get("name", ""),
        query=request.POST.get("query", ""),
        is_shared=request.POST.get("is_shared") == "true",
        now=timezone.now(),
    )
    messages.success(request, _("“%(name)s” is kept.") % {"name": view.name})
    return _back(request, view.query)


@require_POST
def view_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Forgets a view and goes back to its list."""
    actor = actor_of(request)
    view = get_object_or_404(SavedView.objects.visible_to(actor), pk=pk)
    saved_views.remove_view(actor=actor, view=view)
    messages.success(request, _("“%(name)s” is gone.") % {"name": view.name})
    return _back(request, "")


def _back(request: HttpRequest, query: str) -> HttpResponse:
    address = request.POST.get("next", "").partition("?")[0]
    if not url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        address = "/"
    return redirect(f"{address}?{query}" if query else address)
