"""Every write on saved views of lists."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction
from django.http import QueryDict

from accounts.actor import Actor
from accounts.models import SavedView
from accounts.permissions import can_change_saved_view
from events.actions import publish
from events.errors import Invalid, NotAllowed, require

LONGEST_QUERY = 2000
# Where somebody stood in a list is no part of a view of it.
PLACES = ("page", "cursor")


@transaction.atomic
def save_view(
    *, actor: Actor, list_name: str, name: str, query: str, now: datetime, is_shared: bool = False
) -> SavedView:
    """Keeps a view of a list under a name; one's own of that name is replaced. Raises Invalid."""
    if actor.user_id is None:
        raise NotAllowed("Only people have views of their own.")
    try:
        validate_slug(list_name)
    except ValidationError as error:
        raise Invalid(
            f"{list_name!r} is not a list.", field="list_name", remedy="Use a name such as alerts."
        ) from error
    if not name.strip() or len(name.strip()) > 60:
        raise Invalid("A view needs a name of at most 60 characters.", field="name")
    view, created = SavedView.objects.update_or_create(
        owner_id=actor.user_id,
        list_name=list_name,
        name=name.strip(),
        defaults={"query": _kept(query), "is_shared": is_shared},
        create_defaults={"query": _kept(query), "is_shared": is_shared, "created_at": now},
    )
    told = {"list": list_name, "name": view.name, "shared": is_shared}
    publish("saved_view.created" if created else "saved_view.changed", subject=view, actor=actor, data=told)
    return view


@transaction.atomic
def remove_view(*, actor: Actor, view: SavedView) -> None:
    """Forgets a view."""
    require(can_change_saved_view(actor, view), "This view is somebody else's.", remedy="Save one of your own.")
    publish("saved_view.removed", subject=view, actor=actor, data={"list": view.list_name, "name": view.name})
    view.delete()


def _kept(query: str) -> str:
    """The query without what only says where in the list somebody was."""
    asked = QueryDict(query.removeprefix("?"), mutable=True)
    for place in PLACES:
        asked.pop(place, None)
    kept = asked.urlencode()
    if len(kept) > LONGEST_QUERY:
        raise Invalid("The view has too many filters to be kept.", field="query", remedy="Take some away.")
    return kept
