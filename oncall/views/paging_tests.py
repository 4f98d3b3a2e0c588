"""Paging tests: what last came of each, checking them now, writing one, taking one away."""

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import actor_of
from accounts.lists import list_page
from events.errors import require
from events.forms import try_action
from oncall import paging_tests, permissions
from oncall.filters import PagingTestFilter
from oncall.forms.simulation import PagingTestForm
from oncall.models import PagingTest


@require_safe
def paging_test_list(request: HttpRequest) -> HttpResponse:
    """Every test with what last came of it."""
    actor = actor_of(request)
    sortable = ("name", "outcome", "checked_at")
    context = {
        "list": list_page(request, PagingTest.objects.order_by("name"), PagingTestFilter, sortable=sortable),
        "may_configure": permissions.can_configure(actor),
        "may_run": permissions.can_run_paging_tests(actor),
    }
    return render(request, "oncall/paging_test_list.html", context)


@require_POST
def paging_test_check(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Checks one test now, or all."""
    tests = [get_object_or_404(PagingTest, pk=pk)] if pk else PagingTest.objects.all()
    outcomes = paging_tests.run_paging_tests(actor=actor_of(request), tests=tests, now=timezone.now())
    if pk:
        held = outcomes[0].holds
        messages.success(request, _("It holds.") if held else _("It does not hold: see what happens instead."))
        return redirect("oncall:paging-test", pk)
    given = {"held": sum(outcome.holds for outcome in outcomes), "count": len(outcomes)}
    messages.success(request, _("%(held)d of %(count)d hold.") % given)
    return redirect("oncall:paging-tests")


def paging_test_form(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Writes a test or changes one."""
    actor = actor_of(request)
    require(permissions.can_configure(actor), permissions.NOT_A_MANAGER)
    test = get_object_or_404(PagingTest, pk=pk) if pk else None
    form = PagingTestForm(request.POST or None, initial=PagingTestForm.initial_of(test) if test else None)
    if request.method == "POST" and form.is_valid():
        save = partial(paging_tests.save_paging_test, actor=actor, test=test, now=timezone.now(), **form.cleaned_data)
        saved = try_action(form, save)
        if saved is not None:
            messages.success(request, _("The paging test is saved."))
            return redirect("oncall:paging-tests")
    return render(request, "oncall/paging_test_form.html", {"form": form, "test": test})


@require_POST
def paging_test_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a test away."""
    test = get_object_or_404(PagingTest, pk=pk)
    paging_tests.remove_paging_test(actor=actor_of(request), test=test)
    messages.success(request, _("The paging test is gone."))
    return redirect("oncall:paging-tests")
