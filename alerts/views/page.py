"""Paging people by hand."""

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actor import actor_of
from accounts.models import User
from alerts.by_hand import page_by_hand
from alerts.forms.page import PageForm
from catalog.models import Service
from events.errors import require
from events.forms import try_action
from oncall.models import EscalationPolicy
from oncall.permissions import can_page


def page(request: HttpRequest) -> HttpResponse:
    """Pages somebody; `?user=7`, `?service=payments` and `?policy=payments` choose whom to begin with."""
    actor = actor_of(request)
    require(can_page(actor), "Viewers may not page people.")
    asked = {name: request.GET.get(name, "") for name in ("user", "service", "policy")}
    initial = {
        "user": User.objects.filter(pk=int(asked["user"])).first() if asked["user"].isdecimal() else None,
        "service": Service.objects.filter(slug=asked["service"]).first(),
        "policy": EscalationPolicy.objects.filter(slug=asked["policy"]).first(),
    }
    form = PageForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        started = try_action(form, partial(page_by_hand, actor=actor, now=timezone.now(), **form.cleaned_data))
        if started is not None:
            messages.success(request, _("They are being paged."))
            return redirect("oncall:escalation", started.pk)
    return render(request, "alerts/page.html", {"form": form}, status=422 if request.method == "POST" else 200)
