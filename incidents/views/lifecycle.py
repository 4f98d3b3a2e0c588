"""The lifecycle on screen: each view reads a form and calls one action."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.actor import Actor
from events.errors import Invalid
from incidents import actions, kinds, merging, pausing, streams, times, triage
from incidents.forms.lifecycle import (
    AcceptForm,
    ConfirmForm,
    EndForm,
    MergeForm,
    ReasonForm,
    StreamForm,
    TimeForm,
    TypeForm,
)
from incidents.models import Incident
from incidents.views.changing import Act, change


def _doing(verb: Any) -> Act:
    """The action with what the form says."""

    def act(actor: Actor, incident: Incident, data: dict[str, Any], now: datetime) -> object:
        return verb(actor=actor, incident=incident, now=now, **data)

    return act


def _merge(actor: Actor, incident: Incident, data: dict[str, Any], now: datetime) -> object:
    into = Incident.objects.visible_to(actor).filter(number=data.pop("into")).first()
    if into is None:
        raise Invalid(_("There is no such incident."), field="into", remedy=_("Give the number of one that you see."))
    return merging.merge_incident(actor=actor, incident=incident, into=into, now=now, **data)


accept = change(AcceptForm, _doing(triage.accept_incident))
decline = change(ReasonForm, _doing(triage.decline_incident))
cancel = change(EndForm, _doing(triage.cancel_incident))
resolve = change(ConfirmForm, _doing(actions.resolve_incident))
close = change(ConfirmForm, _doing(triage.close_incident))
reopen = change(None, _doing(actions.reopen_incident))
mitigate = change(None, _doing(actions.mitigate_incident))
merge = change(MergeForm, _merge)
unmerge = change(ReasonForm, _doing(merging.unmerge_incident))
declare_stream = change(StreamForm, _doing(streams.declare_stream))
pause = change(ReasonForm, _doing(pausing.pause_incident))
resume = change(None, _doing(pausing.resume_incident))
change_type = change(TypeForm, _doing(kinds.change_type))
set_time = change(TimeForm, _doing(times.set_time))
