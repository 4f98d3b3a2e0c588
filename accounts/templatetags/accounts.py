"""What templates ask of people and keys: `{% load accounts %}`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template

from accounts.actor import actor_of
from accounts.models import ApiKey, SavedView
from accounts.permissions import can_change_saved_view

register = template.Library()


@register.simple_tag
def key_state(api_key: ApiKey, now: datetime) -> str:
    """Whether a key works: active, expired or revoked."""
    return api_key.state_at(now)


@register.inclusion_tag("components/saved_views.html", takes_context=True)
def saved_views(context: Mapping[str, Any], list_name: str) -> dict[str, Any]:
    """`{% saved_views "alerts" %}`: the views that people keep of a list, and a menu that keeps the one shown."""
    request = context["request"]
    actor = actor_of(request)
    asked = request.GET.copy()
    for place in ("page", "cursor"):
        asked.pop(place, None)
    query = asked.urlencode()
    found = SavedView.objects.visible_to(actor).filter(list_name=list_name).order_by("name", "id")
    return {
        "request": request,
        "csrf_token": context.get("csrf_token"),
        "list_name": list_name,
        "query": query,
        "views": [
            {
                "view": view,
                "url": f"{request.path}?{view.query}",
                "is_current": view.query == query,
                "may_remove": can_change_saved_view(actor, view),
            }
            for view in found
        ],
    }
