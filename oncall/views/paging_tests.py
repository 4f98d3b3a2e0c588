"""Paging tests: whether each holds now, writing one, taking one away."""

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Row:
    """A stored test and what comes of it now."""

    test: PagingTest
    outcome: paging_tests.Outcome


@require_safe
def paging_test_list(request: HttpRequest) -> HttpResponse:
    """Every test with its outcome; those of the shown page are run as the page is made."""
    found = list_page(request, PagingTest.objects.order_by("name"), PagingTestFilter, sortable=("name",))
    now = timezone.now()
    context = {
        "list": found,
        "rows": [Row(test, paging_tests.outcome_of(test, now)) for test in found.page],
        "may_configure": permissions.can_configure(actor_of(request)),
    }
    return render(request, "oncall/paging_test_list.html", context)


def paging_test_form(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Writes a test or changes one."""
    actor = actor_of(request)
    require(permissions.can_configure(actor), permissions.NOT_A_MANAGER)
    test = get_object_or_404(PagingTest, pk=pk) if pk else None
    form = PagingTestForm(request.POST or None, initial=PagingTestForm.initial_of(test) if test else None)
    if request.method == "POST" and form.is_valid():
        save = partial(paging_tests.save_paging_test, actor=actor, test=test, **form.cleaned_data)
        saved = try_action(form, save)
        if saved is not None:
            messages.success(request, _("The paging test is saved."))
            return redirect("oncall:paging-tests")
    context = {"form": form, "test": test, "outcome": paging_tests.outcome_of(test, timezone.now()) if test else None}
    return render(request, "oncall/paging_test_form.html", context)


@require_POST
def paging_test_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a test away."""
    test = get_object_or_404(PagingTest, pk=pk)
    paging_tests.remove_paging_test(actor=actor_of(request), test=test)
    messages.success(request, _("The paging test is gone."))
    return redirect("oncall:paging-tests")
