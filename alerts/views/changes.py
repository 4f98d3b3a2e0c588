"""The screens of changes."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from accounts.lists import list_page
from alerts.filters import ChangeFilter
from alerts.models import Change


def change_list(request: HttpRequest) -> HttpResponse:
    """What was changed, the newest first."""
    changes = Change.objects.select_related("service", "source").order_by("-at", "-pk")
    listing = list_page(request, changes, ChangeFilter, sortable=("at", "kind", "author"))
    return render(request, "alerts/change_list.html", {"list": listing})


def change_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One change: what, when, by whom, and whatever its sender told of it."""
    change = get_object_or_404(Change.objects.select_related("service", "source"), pk=pk)
    details = json.dumps(change.details, indent=2, ensure_ascii=False) if change.details else ""
    return render(request, "alerts/change_detail.html", {"change": change, "details": details})
