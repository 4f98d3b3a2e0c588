"""The board on a wall: who is on call, behind a secret address, without signing in; and who gives such addresses."""

from functools import partial

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import actor_of
from accounts.lists import list_page
from events.errors import require
from events.forms import try_action
from oncall import permissions
from oncall.board import add_board_address, board, board_behind, board_link, remove_board_address
from oncall.duty_filters import BoardAddressFilter
from oncall.forms.duty import BoardAddressForm
from oncall.models import BoardAddress


@login_not_required
@never_cache
@xframe_options_exempt
@csp_replace({"frame-ancestors": settings.BOARD_FRAME_ANCESTORS})  # type: ignore[arg-type]  # types know no token
@require_safe
def board_embed(request: HttpRequest, token: str) -> HttpResponse:
    """The board for whoever knows its address: names, schedules and times, nothing else."""
    address = board_behind(token)
    if address is None:
        return render(request, "oncall/duty/board_unknown.html", status=404)
    now = timezone.now()
    context = {"board": address, "teams": board(now, address.team), "now": now}
    return render(request, "oncall/duty/board_embed.html", context)


def board_list(request: HttpRequest) -> HttpResponse:
    """The secret addresses that are given out, and a form for one more. For managers."""
    actor = actor_of(request)
    require(permissions.can_configure(actor), "Only managers may show the board outside.")
    form = BoardAddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        add = partial(add_board_address, actor=actor, now=timezone.now(), **form.cleaned_data)
        if try_action(form, add) is not None:
            messages.success(request, _("The board has its address."))
            return redirect("oncall:boards")
    found = BoardAddress.objects.select_related("team", "created_by").order_by("name")
    listing = list_page(request, found, BoardAddressFilter, sortable=("name", "created_at"))
    rows = [(address, board_link(address)) for address in listing.page]
    return render(request, "oncall/duty/board_list.html", {"list": listing, "rows": rows, "form": form})


@require_POST
def board_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """The address shows nothing any more."""
    address = get_object_or_404(BoardAddress, pk=pk)
    remove_board_address(actor=actor_of(request), address=address)
    messages.success(request, _("The address of %(name)s is gone.") % {"name": address.name})
    return redirect("oncall:boards")
