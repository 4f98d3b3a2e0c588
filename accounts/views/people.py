"""People: the list, inviting, one person and what they may do."""

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import actions, permissions
from accounts.actor import actor_of
from accounts.filters import PersonFilter
from accounts.forms import InviteForm, PersonForm
from accounts.lists import list_page
from accounts.models import Role, User
from events.errors import require
from events.forms import try_action


@require_safe
def people_list(request: HttpRequest) -> HttpResponse:
    """Everybody with their role and teams."""
    listing = list_page(
        request, User.objects.prefetch_related("teams"), PersonFilter, sortable=("name", "email", "role")
    )
    context = {"list": listing, "may_invite": permissions.can_invite_user(actor_of(request), Role.VIEWER)}
    return render(request, "accounts/people_list.html", context)


def person_invite(request: HttpRequest) -> HttpResponse:
    """Adds a person, who then chooses a password through “forgot password”."""
    actor = actor_of(request)
    require(permissions.can_invite_user(actor, Role.VIEWER), "Only administrators may add people.")
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = {**form.cleaned_data, "role": Role(form.cleaned_data["role"])}
        invited = try_action(form, partial(actions.invite_user, actor=actor, **given))
        if invited is not None:
            messages.success(
                request, _("%(name)s is here. They choose a password through “Forgot password?”.") % {"name": invited}
            )
            return redirect("accounts:person", invited.pk)
    return render(request, "accounts/person_invite.html", {"form": form})


def person_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: teams, what they are on call for; administrators change what they may do."""
    person = get_object_or_404(User.objects.prefetch_related("memberships__team"), pk=pk)
    actor = actor_of(request)
    may_change = permissions.can_change_user(actor, person, Role(person.role))
    form = PersonForm(request.POST or None, initial={"role": person.role, "is_active": person.is_active})
    if request.method == "POST" and form.is_valid():
        change = partial(
            actions.change_user,
            actor=actor,
            user=person,
            now=timezone.now(),
            role=Role(form.cleaned_data["role"]),
            is_active=form.cleaned_data["is_active"],
        )
        if try_action(form, change) is not None:
            messages.success(request, _("Saved."))
            return redirect("accounts:person", pk)
    return render(request, "accounts/person.html", {"person": person, "form": form if may_change else None})
