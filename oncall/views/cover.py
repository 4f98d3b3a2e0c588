"""Cover requests and swaps: ask, answer, withdraw, exchange turns, give them back."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import Actor, actor_of
from accounts.lists import list_page
from events.errors import require
from events.forms import try_action
from oncall import covering, permissions, swaps
from oncall.filters import CoverRequestFilter
from oncall.foresight import names_of, stretch_in_words
from oncall.forms.cover import CoverForm, SwapForm
from oncall.models import CoverRequest, Schedule
from oncall.standings import spec_of
from oncall.views.overrides import asked_stretch, asked_zone
from oncall.views.signed_in import user_of

SWAP_HORIZON = timedelta(weeks=16)


@require_safe
def cover_list(request: HttpRequest) -> HttpResponse:
    """Every request for cover; those that wait for the viewer first."""
    now = timezone.now()
    found = CoverRequest.objects.select_related("schedule", "user", "covered_by", "team").prefetch_related("asked")
    context = {
        "list": list_page(request, found.order_by("-id"), CoverRequestFilter, sortable=("starts_at",)),
        "waiting": covering.open_requests_for(user_of(request), now),
    }
    return render(request, "oncall/cover_list.html", context)


@require_safe
def cover_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One request: who asks whom, for when, and what the viewer can do about it."""
    found = CoverRequest.objects.select_related("schedule", "user", "covered_by", "team", "created_by")
    cover = get_object_or_404(found, pk=pk)
    actor, user, now = actor_of(request), user_of(request), timezone.now()
    is_open = cover.status == CoverRequest.Status.OPEN and cover.ends_at > now
    context = {
        "cover": cover,
        "asked": list(cover.asked.all()),
        "refusals": cover.refusals.select_related("user").order_by("id"),
        "may_answer": is_open and covering.people_asked(cover).filter(pk=user.pk).exists(),
        "has_declined": cover.refusals.filter(user=user).exists(),
        "may_withdraw": is_open and permissions.can_withdraw_cover(actor, cover),
        "zone": user.time_zone,
    }
    return render(request, "oncall/cover_detail.html", context)


def cover_form(request: HttpRequest, slug: str) -> HttpResponse:
    """Asks for cover; `?starts_at=…&ends_at=…&replaces=…` says what to begin with."""
    schedule = get_object_or_404(Schedule, slug=slug)
    actor, user, now = actor_of(request), user_of(request), timezone.now()
    require(permissions.can_override(actor), "Viewers may not ask for cover.")
    may_ask_for_others = permissions.can_configure(actor)
    zone = asked_zone(request, schedule)
    asked = request.GET.get("replaces", "")
    whose = asked if asked.isdecimal() and may_ask_for_others else user.pk
    stretch = asked_stretch(request, now)
    form = CoverForm(
        request.POST or None,
        initial={"user": whose, **CoverForm.initial_for(*stretch, zone)},
        zone=zone,
        viewer=user,
        may_ask_for_others=may_ask_for_others,
        stretch=stretch,
    )
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("user", "asked", "team", "note")}
        ask = partial(covering.ask_for_cover, actor=actor, schedule=schedule, now=now, **form.stretch(), **given)
        made = try_action(form, ask)
        if made is not None:
            messages.success(request, _("They are asked by mail. You are told when somebody accepts."))
            return redirect("oncall:cover", made.pk)
    context = {"form": form, "schedule": schedule, "zone": zone.key, "query": request.GET.urlencode()}
    return render(request, "oncall/cover_form.html", context)


def _answer(request: HttpRequest, pk: int, action: Callable[..., CoverRequest], words: str) -> HttpResponse:
    cover = get_object_or_404(CoverRequest, pk=pk)
    actor: Actor = actor_of(request)
    action(actor=actor, request=cover, now=timezone.now())
    messages.success(request, words)
    return redirect("oncall:cover", pk)


@require_POST
def cover_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """The viewer takes it."""
    return _answer(request, pk, covering.accept_cover, _("Thank you: you are on call for that time."))


@require_POST
def cover_decline(request: HttpRequest, pk: int) -> HttpResponse:
    """The viewer can't."""
    return _answer(request, pk, covering.decline_cover, _("They know that you can't."))


@require_POST
def cover_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Nobody needs to cover any more."""
    return _answer(request, pk, covering.withdraw_cover, _("The request is withdrawn."))


def swap_form(request: HttpRequest, slug: str) -> HttpResponse:
    """Exchanges two coming turns: one's own for another's; managers exchange anybody's."""
    schedule = get_object_or_404(Schedule, slug=slug)
    actor, user, now = actor_of(request), user_of(request), timezone.now()
    require(permissions.can_override(actor), "Viewers may not change who is on call.")
    zone = asked_zone(request, schedule)
    turns = swaps.coming_turns(spec_of(schedule, now, now + SWAP_HORIZON), now, SWAP_HORIZON)
    names = names_of(user_id for user_id, _half in turns)
    words = [
        (
            user_id,
            SwapForm.key(user_id, half.anchor),
            f"{names[user_id]}: {stretch_in_words(half.begin, half.end, zone)}",
        )
        for user_id, half in turns
    ]
    may_swap_others = permissions.can_configure(actor)
    own = [(key, text) for user_id, key, text in words if may_swap_others or user_id == user.pk]
    others = [(key, text) for user_id, key, text in words if may_swap_others or user_id != user.pk]
    form = SwapForm(request.POST or None, own=own, others=others)
    if request.method == "POST" and form.is_valid():
        (giver, at), (taker, other_at) = form.turn("given"), form.turn("taken")
        swap = partial(
            swaps.swap_turns,
            actor=actor,
            schedule=schedule,
            user=giver,
            at=at,
            other=taker,
            other_at=other_at,
            now=now,
            reason=form.cleaned_data["reason"],
        )
        if try_action(form, swap) is not None:
            messages.success(request, _("The turns have changed hands."))
            return redirect("oncall:schedule", slug)
    context = {
        "form": form,
        "schedule": schedule,
        "zone": zone.key,
        "has_own": bool(own),
        "query": request.GET.urlencode(),
    }
    return render(request, "oncall/swap_form.html", context)


@require_POST
def swap_undo(request: HttpRequest, slug: str, swap: uuid.UUID) -> HttpResponse:
    """Gives both turns back."""
    schedule = get_object_or_404(Schedule, slug=slug)
    swaps.undo_swap(actor=actor_of(request), schedule=schedule, swap=swap, now=timezone.now())
    messages.success(request, _("Both turns are back where they were."))
    return redirect("oncall:schedule", slug)
