"""Things to do now and the checklist of the first minutes: each form calls one action."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import Http404

from accounts.actor import Actor
from incidents import todo
from incidents.forms.work import ActionForm, AssignActionForm, LineForm, OneActionForm
from incidents.models import Incident, IncidentAction
from incidents.views.changing import Act, change


def _one(act: Callable[..., object]) -> Act:
    """Calls an action with the one of the incident's actions that the form names."""

    def call(actor: Actor, incident: Incident, data: dict[str, Any], now: datetime) -> object:
        found = IncidentAction.objects.select_related("incident").filter(incident=incident, pk=data.pop("action"))
        action = found.first()
        if action is None:
            raise Http404
        return act(actor=actor, action=action, now=now, **data)

    return call


add = change(
    ActionForm, lambda actor, incident, data, now: todo.add_action(actor=actor, incident=incident, now=now, **data)
)
assign = change(AssignActionForm, _one(todo.assign_action))
done = change(OneActionForm, _one(todo.complete_action))
reopen = change(OneActionForm, _one(todo.reopen_action))
remove = change(OneActionForm, _one(todo.remove_action))
tick = change(LineForm, lambda actor, incident, data, now: todo.tick(actor=actor, incident=incident, now=now, **data))
untick = change(
    LineForm, lambda actor, incident, data, now: todo.untick(actor=actor, incident=incident, now=now, **data)
)
