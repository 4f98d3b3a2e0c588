"""Updates: words to start with, corrections, the timer; following, and the link in a mail that ends it."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actor import Actor, actor_of
from events.errors import Invalid
from incidents import followers, updates
from incidents.forms.changes import first_error
from incidents.forms.work import CorrectForm, FollowForm, TimerForm
from incidents.models import Incident, IncidentUpdate
from incidents.update_words import starts_for
from incidents.views.changing import change
from incidents.views.finding import visible
from oncall.views.signed_in import user_of


@require_safe
def starts(request: HttpRequest, number: int) -> HttpResponse:
    """The templates, filled from the incident as it is at this moment: for the dialog of an update."""
    incident = visible(request, number)
    return render(request, "incidents/_starts.html", {"starts": starts_for(incident, request.LANGUAGE_CODE)})


@require_safe
def correct_form(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """The fields that correct an update, as it is at this moment."""
    update = get_object_or_404(IncidentUpdate, incident=visible(request, number), pk=pk)
    initial = {"update": update.pk, "text": update.text, "doing": update.doing}
    return HttpResponse(CorrectForm(initial=initial, auto_id="correct-%s").render())


def _correct(actor: Actor, incident: Incident, data: dict[str, Any], now: datetime) -> None:
    update = IncidentUpdate.objects.select_related("incident").filter(incident=incident, pk=data.pop("update")).first()
    if update is None:
        raise Http404
    updates.correct_update(actor=actor, update=update, now=now, **data)


def _timer(actor: Actor, incident: Incident, data: dict[str, Any], now: datetime) -> None:
    if data["minutes"]:
        interval = timedelta(minutes=data["minutes"])
        updates.start_update_timer(actor=actor, incident=incident, interval=interval, now=now)
    else:
        updates.stop_update_timer(actor=actor, incident=incident, now=now)


correct = change(CorrectForm, _correct)
timer = change(TimerForm, _timer)


@require_POST
def follow(request: HttpRequest, number: int) -> HttpResponse:
    """The viewer follows the incident, at a pace of theirs."""
    form = FollowForm(request.POST)
    if not form.is_valid():
        error = first_error(form)
        raise Invalid(error["message"], field=error["field"])
    incident, user = visible(request, number), user_of(request)
    pace = form.cleaned_data["pace"] or None
    followers.follow(actor=actor_of(request), incident=incident, user=user, now=timezone.now(), pace=pace)
    return _followed(request, incident)


@require_POST
def unfollow(request: HttpRequest, number: int) -> HttpResponse:
    """The viewer follows it no more."""
    incident = visible(request, number)
    followers.unfollow(actor=actor_of(request), incident=incident, user=user_of(request), now=timezone.now())
    return _followed(request, incident)


def _followed(request: HttpRequest, incident: Incident) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return render(request, "incidents/_follow.html", {"incident": incident})
    return redirect(incident.get_absolute_url())


@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unfollow_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind a mail's link, without signing in: pressing its button ends the following. Only POST counts.

    A mail program may POST by itself (RFC 8058).
    """
    follower = followers.followed_of_token(token)
    if request.method == "POST" and follower is not None:
        actor = Actor.of_user(follower.user, via="mail")
        followers.unfollow(actor=actor, incident=follower.incident, user=follower.user, now=timezone.now())
        follower = None
    context = {"follower": follower, "is_done": request.method == "POST"}
    return render(request, "incidents/unfollow.html", context)
