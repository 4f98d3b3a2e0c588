"""What every change of an incident by a form has in common."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.actor import Actor, actor_of
from events.errors import Invalid
from incidents.forms.changes import first_error
from incidents.models import (
    Incident,
)
from incidents.views.finding import visible

Act = Callable[[Actor, Incident, dict[str, Any], datetime], object]


def change(form_class: type[Form] | None, act: Act, *, done: str = "") -> Callable[[HttpRequest, int], HttpResponse]:
    """A view that changes one incident: it reads the form and calls the action; the live page shows the rest."""

    @require_POST
    def view(request: HttpRequest, number: int) -> HttpResponse:
        incident = visible(request, number)
        data: dict[str, Any] = {}
        if form_class is not None:
            form = form_class(request.POST)
            if not form.is_valid():
                error = first_error(form)
                raise Invalid(error["message"], field=error["field"])
            data = form.cleaned_data
        actor = actor_of(request)
        act(actor, incident, data, timezone.now())
        if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
            return HttpResponse(status=204, headers={"HX-Trigger": "closeDialog"})
        if done:
            messages.success(request, done)
        still_visible = Incident.objects.visible_to(actor).filter(pk=incident.pk).exists()
        return HttpResponseRedirect(incident.get_absolute_url() if still_visible else "/incidents/")

    return view
