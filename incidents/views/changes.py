"""The changes of an incident: each reads a form and calls one action."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.actor import Actor
from incidents import actions, entries, membership, paging, updates
from incidents.forms.changes import (
    EditForm,
    MemberForm,
    NoteForm,
    PageForm,
    ServiceForm,
    SeverityForm,
    StatusForm,
    UpdateForm,
    VisibilityForm,
)
from incidents.models import (
    Incident,
)
from incidents.views.changing import change
from incidents.views.dialogs import edit_form
from incidents.views.finding import visible


def _update(actor: Actor, incident: Incident, data: dict[str, Any], now: datetime) -> None:
    minutes = data.pop("next_update_minutes")
    next_update_in = timedelta(minutes=minutes) if minutes else None
    updates.post_update(actor=actor, incident=incident, now=now, next_update_in=next_update_in, **data)


add_note = change(
    NoteForm, lambda actor, incident, data, now: entries.add_note(actor=actor, incident=incident, now=now, **data)
)
post_update = change(UpdateForm, _update)
save_edit = change(
    EditForm,
    lambda actor, incident, data, now: actions.edit_incident(actor=actor, incident=incident, now=now, **data),
)
change_status = change(
    StatusForm,
    lambda actor, incident, data, now: actions.change_status(actor=actor, incident=incident, now=now, **data),
)
change_severity = change(
    SeverityForm,
    lambda actor, incident, data, now: actions.change_severity(actor=actor, incident=incident, now=now, **data),
)
set_service = change(
    ServiceForm,
    lambda actor, incident, data, now: actions.set_affected_service(
        actor=actor, incident=incident, now=now, service=data["service"], impact=data["impact"] or None
    ),
)
page = change(
    PageForm,
    lambda actor, incident, data, now: paging.page_for_incident(actor=actor, incident=incident, now=now, **data),
)
add_member = change(
    MemberForm,
    lambda actor, incident, data, now: membership.add_member(actor=actor, incident=incident, now=now, **data),
)
remove_member = change(
    MemberForm,
    lambda actor, incident, data, now: membership.remove_member(actor=actor, incident=incident, now=now, **data),
)
set_visibility = change(
    VisibilityForm,
    lambda actor, incident, data, now: membership.set_visibility(actor=actor, incident=incident, now=now, **data),
)


def edit(request: HttpRequest, number: int) -> HttpResponse:
    """Saves name, summary and reach; asked for by GET, the fields as they are at this moment."""
    if request.method == "POST":
        return save_edit(request, number)
    return HttpResponse(edit_form(visible(request, number)).render())
