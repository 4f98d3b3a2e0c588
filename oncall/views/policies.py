"""Escalation policies: the list, the ladder in words, setting one up."""

from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import actor_of
from accounts.lists import list_page
from events.errors import Conflict, Invalid, require
from events.forms import try_action
from oncall import permissions, policies
from oncall.filters import PolicyFilter
from oncall.foresight import CoverageGetsWorse
from oncall.forms.policies import LevelFormSet, PolicyForm, level_initial, target_choices
from oncall.ladder import ladder
from oncall.models import Escalation, EscalationPolicy, Schedule
from oncall.policy_preview import LevelDifference

RECENT = 10
DIFFERENCES_SHOWN = 12


@require_safe
def policy_list(request: HttpRequest) -> HttpResponse:
    """All escalation policies."""
    policies = EscalationPolicy.objects.select_related("team").annotate(level_count=Count("levels")).order_by("name")
    context = {
        "list": list_page(request, policies, PolicyFilter, sortable=("name",)),
        "may_configure": permissions.can_configure(actor_of(request)),
    }
    return render(request, "oncall/policy_list.html", context)


@require_safe
def policy_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """The ladder in words, each rung with who that is right now."""
    policy = get_object_or_404(EscalationPolicy.objects.select_related("team", "next_policy"), slug=slug)
    actor = actor_of(request)
    recent = Escalation.objects.visible_to(actor).filter(policy=policy).select_related("acknowledged_by")
    context = {
        "policy": policy,
        "rungs": ladder(policy, timezone.now()),
        "escalations": recent[:RECENT],
        "may_configure": permissions.can_configure(actor),
        "may_page": permissions.can_page(actor),
    }
    return render(request, "oncall/policy_detail.html", context)


def policy_form(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """Makes an escalation policy or changes one, with its levels."""
    actor = actor_of(request)
    require(permissions.can_configure(actor), permissions.NOT_A_MANAGER)
    policy = get_object_or_404(EscalationPolicy, slug=slug) if slug else None
    form = PolicyForm(
        request.POST or None,
        initial={name: getattr(policy, name, "") for name in PolicyForm.base_fields} if policy else None,
    )
    levels = LevelFormSet(
        request.POST or None,
        prefix="levels",
        initial=_levels(policy) if policy else None,
        form_kwargs={"choices": target_choices(policy)},
    )
    asks_to_confirm = "confirm" in request.POST
    if request.method == "POST" and form.is_valid() and levels.is_valid():
        given = {"levels": levels.drafts(), **form.cleaned_data}
        saved = try_action(form, partial(_save_or_ask, actor=actor, policy=policy, now=timezone.now(), **given))
        if isinstance(saved, CoverageGetsWorse):
            form.add_error(None, f"{saved.message} {saved.remedy}")
            asks_to_confirm = True
        elif saved is not None:
            messages.success(request, _("The policy is saved. Escalations that already run keep the old one."))
            return redirect("oncall:policy", saved.slug)
    context = {
        "form": form,
        "levels": levels,
        "policy": policy,
        "facts": condition_facts(),
        "asks_to_confirm": asks_to_confirm,
    }
    return render(request, "oncall/policy_form.html", context)


def _save_or_ask(**given: Any) -> EscalationPolicy | CoverageGetsWorse:
    try:
        return policies.save_policy(**given)
    except CoverageGetsWorse as worse:
        return worse


@require_POST
def policy_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """What a save of the form would change in the next 90 days; nothing is stored."""
    actor = actor_of(request)
    require(permissions.can_configure(actor), permissions.NOT_A_MANAGER)
    policy = get_object_or_404(EscalationPolicy, slug=slug)
    form = PolicyForm(request.POST)
    levels = LevelFormSet(request.POST, prefix="levels", form_kwargs={"choices": target_choices(policy)})
    if not (form.is_valid() and levels.is_valid()):
        return render(request, "oncall/_policy_preview.html", {"is_unfinished": True})
    given = {"levels": levels.drafts(), **form.cleaned_data}
    try:
        preview = policies.preview_policy(actor=actor, policy=policy, now=timezone.now(), **given)
    except (Invalid, Conflict) as error:
        return render(request, "oncall/_policy_preview.html", {"error": error})
    context = {
        "preview": preview,
        "differences": [
            (each.difference, _level_in_words(each, preview.zone)) for each in preview.differences[:DIFFERENCES_SHOWN]
        ],
        "more": max(len(preview.differences) - DIFFERENCES_SHOWN, 0),
    }
    return render(request, "oncall/_policy_preview.html", context)


def _level_in_words(change: LevelDifference, zone: ZoneInfo) -> str:
    words = change.difference.in_words(zone)
    return _("Level %(level)d, %(words)s") % {"level": change.level, "words": words}


@require_POST
def policy_remove(request: HttpRequest, slug: str) -> HttpResponse:
    """Takes a policy away."""
    policy = get_object_or_404(EscalationPolicy, slug=slug)
    policies.remove_policy(actor=actor_of(request), policy=policy)
    messages.success(request, _("%(name)s is gone.") % {"name": policy.name})
    return redirect("oncall:policies")


def _levels(policy: EscalationPolicy) -> list[dict[str, object]]:
    return [level_initial(level) for level in policy.levels.prefetch_related("targets").order_by("position")]


def condition_facts() -> list[str]:
    """What a level's condition may ask for."""
    slugs = Schedule.objects.order_by("slug").values_list("slug", flat=True)
    return [
        *("urgency", "severity", "service", "weekday", "hour", "time"),
        *(f"working_hours.{slug}" for slug in slugs),
    ]
