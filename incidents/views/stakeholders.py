"""The brief: an incident for those who do not work on it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from incidents.brief import brief_of
from incidents.views.finding import visible


@require_safe
def brief(request: HttpRequest, number: int) -> HttpResponse:
    """What is wrong, how bad, since when, what is done, when more is told; refreshes itself, and prints well."""
    incident = visible(request, number)
    return render(request, "incidents/stakeholders.html", {"incident": incident, "brief": brief_of(incident)})
