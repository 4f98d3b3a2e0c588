"""API keys: one's own, made with scopes and an end, shown once, revoked; administrators see everybody's."""

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import actions
from accounts.actor import actor_of
from accounts.filters import ApiKeyFilter
from accounts.forms import ApiKeyForm
from accounts.lists import list_page
from accounts.models import ApiKey, User
from events.errors import NotAllowed
from events.forms import try_action


@require_safe
def api_key_list(request: HttpRequest) -> HttpResponse:
    """The keys that the viewer may revoke, with when they were last used."""
    keys = ApiKey.objects.visible_to(actor_of(request)).select_related("user")
    listing = list_page(request, keys, ApiKeyFilter, sortable=("name", "created_at", "last_used_at"))
    return render(request, "accounts/api_key_list.html", {"list": listing, "now": timezone.now()})


@never_cache
def api_key_new(request: HttpRequest) -> HttpResponse:
    """Makes a key; its secret stands on the answer to this request and nowhere else."""
    user = request.user
    if not isinstance(user, User):
        raise NotAllowed("Sign in first.")
    form = ApiKeyForm(request.POST or None)
    context: dict[str, object] = {"form": form}
    if request.method == "POST" and form.is_valid():
        create = partial(
            actions.create_api_key,
            actor=actor_of(request),
            user=user,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            lifetime=form.lifetime(),
            now=timezone.now(),
        )
        made = try_action(form, create)
        if made is not None:
            context = {"api_key": made[0], "secret": made[1]}
    return render(request, "accounts/api_key_new.html", context)


@require_POST
def api_key_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends a key for good."""
    actor = actor_of(request)
    api_key = get_object_or_404(ApiKey.objects.visible_to(actor), pk=pk)
    actions.revoke_api_key(actor=actor, api_key=api_key, now=timezone.now())
    messages.success(request, _("The key %(name)s works no more.") % {"name": api_key.name})
    return redirect("accounts:api-keys")
