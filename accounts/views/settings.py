"""The index of everything that can be set."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def settings_index(request: HttpRequest) -> HttpResponse:
    """What can be set, in words, with where."""
    return render(request, "accounts/settings.html")
