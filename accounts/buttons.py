"""How a button of the Django admin calls an action on each of the chosen rows."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.actor import Actor, actor_of
from events.errors import DomainError


def press(
    request: HttpRequest, queryset: QuerySet[Any], act: Callable[[Actor, Any], object], *, done: str = ""
) -> None:
    """Calls `act(actor, row)` for each row; says which were refused and why, or `done` when none was."""
    actor = actor_of(request, via="admin")
    refused = 0
    for row in queryset:
        try:
            act(actor, row)
        except DomainError as error:
            refused += 1
            messages.error(request, f"{row}: {error}")
    if done and not refused:
        messages.success(request, done)
