"""Commands about how bad it is and how far it has come."""

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents import actions, merging, pausing, streams, triage
from incidents.commands.arguments import INCIDENT, PERSON, SEVERITY, STATUS, TEXT
from incidents.commands.registry import Answer, Asking, Parameter, command
from incidents.models import Incident, IncidentStatus, Severity
from incidents.updates import post_update


@command(
    "severity", Parameter("severity", SEVERITY), help=_("Raises or lowers the severity."), example="/severity sev1"
)
def severity(asking: Asking, severity: Severity) -> None:
    actions.change_severity(actor=asking.actor, incident=asking.incident, severity=severity, now=asking.now)


@command(
    "status",
    Parameter("status", STATUS),
    Parameter("text", TEXT, is_optional=True, label="update"),
    help=_("Changes the status; with words it posts them as an update."),
    example="/status monitoring The pool is at 200, errors are falling",
)
def status(asking: Asking, status: IncidentStatus, text: str | None) -> None:
    if text:
        post_update(actor=asking.actor, incident=asking.incident, text=text, status=status, now=asking.now)
    else:
        actions.change_status(actor=asking.actor, incident=asking.incident, status=status, now=asking.now)


@command("mitigate", help=_("The impact is over, the cause may remain."))
def mitigate(asking: Asking) -> None:
    actions.mitigate_incident(actor=asking.actor, incident=asking.incident, now=asking.now)


@command("resolve", help=_("The cause is fixed."))
def resolve(asking: Asking) -> None:
    actions.resolve_incident(actor=asking.actor, incident=asking.incident, now=asking.now)


@command("reopen", help=_("Takes it back into work."))
def reopen(asking: Asking) -> None:
    actions.reopen_incident(actor=asking.actor, incident=asking.incident, now=asking.now)


@command("close", help=_("All follow-up is done."))
def close(asking: Asking) -> None:
    triage.close_incident(actor=asking.actor, incident=asking.incident, now=asking.now)


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
    "cancel", Parameter("reason", TEXT), help=_("It was declared by mistake: ends it."), example="/cancel wrong service"
)
def cancel(asking: Asking, reason: str) -> None:
    triage.cancel_incident(actor=asking.actor, incident=asking.incident, reason=reason, now=asking.now)


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
    help=_("Makes it a part of another incident."),
    example="/merge #142",
)
def merge(asking: Asking, into: Incident) -> None:
    merging.merge_incident(actor=asking.actor, incident=asking.incident, into=into, now=asking.now)


@command("unmerge", help=_("Takes a merge back."))
def unmerge(asking: Asking) -> None:
    merging.unmerge_incident(actor=asking.actor, incident=asking.incident, now=asking.now)


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
