"""Teams: the list, one team, setting one up."""

from functools import partial

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import actions, permissions
from accounts.actor import actor_of
from accounts.filters import TeamFilter
from accounts.forms import TeamForm
from accounts.lists import list_page
from accounts.models import Team
from events.errors import require
from events.forms import try_action


@require_safe
def team_list(request: HttpRequest) -> HttpResponse:
    """All teams."""
    teams = Team.objects.prefetch_related("members").annotate(member_count=Count("members")).order_by("name")
    context = {
        "list": list_page(request, teams, TeamFilter, sortable=("name",)),
        "may_manage": permissions.can_manage_teams(actor_of(request)),
    }
    return render(request, "accounts/team_list.html", context)


@require_safe
def team_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One team: its people and what it owns."""
    team = get_object_or_404(Team, slug=slug)
    context = {
        "team": team,
        "memberships": team.memberships.select_related("user").order_by("user__name"),
        "may_change": permissions.can_change_team(actor_of(request), team),
    }
    return render(request, "accounts/team.html", context)


def team_form(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """Makes a team or changes one."""
    actor = actor_of(request)
    team = get_object_or_404(Team, slug=slug) if slug else None
    may = permissions.can_change_team(actor, team) if team else permissions.can_manage_teams(actor)
    require(may, "You may not change this team.")
    initial = {name: getattr(team, name) for name in ("name", "slug", "description")} if team else {}
    if team:
        initial["members"] = list(team.members.values_list("pk", flat=True))
    form = TeamForm(request.POST or None, initial=initial, team=team)
    if request.method == "POST" and form.is_valid():
        saved = try_action(form, partial(actions.save_team, actor=actor, team=team, **form.cleaned_data))
        if saved is not None:
            messages.success(request, _("The team is saved."))
            return redirect("accounts:team", saved.slug)
    return render(request, "accounts/team_form.html", {"form": form, "team": team})
