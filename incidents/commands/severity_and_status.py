"""Commands about how bad it is and how far it has come."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents import actions, kinds, merging, pausing, streams, times, triage
from incidents.commands.arguments import (
    CONFIRM,
    INCIDENT,
    MOMENT,
    PERSON,
    SEVERITY,
    STATUS,
    TEXT,
    TYPE,
    WHICH_TIME,
)
from incidents.commands.registry import Answer, Asking, Parameter, command
from incidents.models import Incident, IncidentStatus, IncidentType, Severity
from incidents.updates import post_update

# Some steps ask first whether they are meant: what ends with its streams open, what shows what was private.
CONFIRMED = Parameter("confirmed", CONFIRM, is_optional=True)


@command(
    "severity", Parameter("severity", SEVERITY), help=_("Raises or lowers the severity."), example="/severity sev1"
)
def severity(asking: Asking, severity: Severity) -> None:
    actions.change_severity(actor=asking.actor, incident=asking.incident, severity=severity, now=asking.now)


@command(
    "status",
    Parameter("status", STATUS),
    Parameter("text", TEXT, is_optional=True, label="update"),
    CONFIRMED,
    help=_("Changes the status; with words it posts them as an update."),
    example="/status monitoring The pool is at 200, errors are falling",
)
def status(asking: Asking, status: IncidentStatus, text: str | None, *, confirmed: bool) -> None:
    if text:
        post_update(
            actor=asking.actor,
            incident=asking.incident,
            text=text,
            status=status,
            now=asking.now,
            confirmed=confirmed,
        )
    else:
        actions.change_status(
            actor=asking.actor, incident=asking.incident, status=status, now=asking.now, confirmed=confirmed
        )


@command("mitigate", help=_("The impact is over, the cause may remain."))
def mitigate(asking: Asking) -> None:
    actions.mitigate_incident(actor=asking.actor, incident=asking.incident, now=asking.now)


@command("resolve", CONFIRMED, help=_("The cause is fixed."))
def resolve(asking: Asking, *, confirmed: bool) -> None:
    actions.resolve_incident(actor=asking.actor, incident=asking.incident, now=asking.now, confirmed=confirmed)


@command("reopen", help=_("Takes it back into work."))
def reopen(asking: Asking) -> None:
    actions.reopen_incident(actor=asking.actor, incident=asking.incident, now=asking.now)


@command("close", CONFIRMED, help=_("All follow-up is done."))
def close(asking: Asking, *, confirmed: bool) -> None:
    triage.close_incident(actor=asking.actor, incident=asking.incident, now=asking.now, confirmed=confirmed)


@command(
    "accept",
    Parameter("severity", SEVERITY, is_optional=True),
    help=_("It is an incident: takes it out of triage, as bad as you say."),
    example="/accept sev2",
)
def accept(asking: Asking, severity: Severity | None) -> None:
    triage.accept_incident(actor=asking.actor, incident=asking.incident, severity=severity, now=asking.now)


@command(
    "decline",
    Parameter("reason", TEXT),
    help=_("It is no incident: ends what is in triage."),
    example="/decline a load test that nobody announced",
)
def decline(asking: Asking, reason: str) -> None:
    triage.decline_incident(actor=asking.actor, incident=asking.incident, reason=reason, now=asking.now)


@command(
    "cancel",
    Parameter("reason", TEXT),
    CONFIRMED,
    help=_("It was declared by mistake: ends it."),
    example="/cancel wrong service",
)
def cancel(asking: Asking, reason: str, *, confirmed: bool) -> None:
    triage.cancel_incident(
        actor=asking.actor, incident=asking.incident, reason=reason, now=asking.now, confirmed=confirmed
    )


@command(
    "pause",
    Parameter("reason", TEXT, is_optional=True),
    help=_("Stops its timers until it goes on."),
    example="/pause waiting for the bank until Monday",
)
def pause(asking: Asking, reason: str | None) -> None:
    pausing.pause_incident(actor=asking.actor, incident=asking.incident, reason=reason or "", now=asking.now)


@command("continue", help=_("Lets its timers run on."))
def go_on(asking: Asking) -> None:
    pausing.resume_incident(actor=asking.actor, incident=asking.incident, now=asking.now)


@command(
    "merge",
    Parameter("into", INCIDENT, label="incident"),
    Parameter("reason", TEXT, is_optional=True),
    CONFIRMED,
    help=_("Makes it a part of another incident."),
    example="/merge #142 the same disk",
)
def merge(asking: Asking, into: Incident, reason: str | None, *, confirmed: bool) -> None:
    merging.merge_incident(
        actor=asking.actor,
        incident=asking.incident,
        into=into,
        reason=reason or "",
        now=asking.now,
        confirmed=confirmed,
    )


@command("unmerge", Parameter("reason", TEXT, is_optional=True), help=_("Takes a merge back."))
def unmerge(asking: Asking, reason: str | None) -> None:
    merging.unmerge_incident(actor=asking.actor, incident=asking.incident, reason=reason or "", now=asking.now)


@command(
    "type",
    Parameter("incident_type", TYPE, label="type"),
    help=_("Makes it an incident of another type."),
    example="/type security",
)
def change_type(asking: Asking, incident_type: IncidentType) -> None:
    kinds.change_type(actor=asking.actor, incident=asking.incident, incident_type=incident_type, now=asking.now)


@command(
    "time",
    Parameter("which", WHICH_TIME, label="which time"),
    Parameter("value", MOMENT, label="14:05 or unknown"),
    Parameter("reason", TEXT),
    help=_("Corrects when it started, was detected, mitigated and so on; on your clock."),
    example="/time started 14:05 the first errors in the logs",
)
def set_time(asking: Asking, which: str, value: datetime | None, reason: str) -> None:
    times.set_time(
        actor=asking.actor, incident=asking.incident, which=which, value=value, reason=reason, now=asking.now
    )


@command(
    "stream",
    Parameter("lead", PERSON, is_optional=True),
    Parameter("name", TEXT),
    help=_("Opens a stream: a part with a lead and updates of its own."),
    example="/stream @dan Database recovery",
)
def stream(asking: Asking, name: str, lead: User | None) -> Answer:
    opened = streams.declare_stream(actor=asking.actor, incident=asking.incident, name=name, lead=lead, now=asking.now)
    return Answer(f"[{opened.reference} {opened.name}]({opened.get_absolute_url()})")
