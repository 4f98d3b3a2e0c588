"""Commands that write: updates, notes, decisions, findings, and the facts of the incident."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from events.errors import Conflict
from incidents import actions, entries, links, updates
from incidents.commands.arguments import ENTRY, LENGTH_OF_TIME, TEXT, WORD
from incidents.commands.registry import Answer, Asking, Parameter, command
from incidents.models import TimelineEntry

Kind = TimelineEntry.Kind


def _write(asking: Asking, text: str, kind: TimelineEntry.Kind) -> Answer:
    entry = entries.write_entry(actor=asking.actor, incident=asking.incident, text=text, kind=kind, now=asking.now)
    return Answer(entry=entry)


@command("note", Parameter("text", TEXT), help=_("Writes a note."), example="/note pool raised to 200 at 14:05")
def note(asking: Asking, text: str) -> Answer:
    return _write(asking, text, Kind.NOTE)


@command("decision", Parameter("text", TEXT), help=_("Writes down what was decided."), example="/decision we roll back")
def decision(asking: Asking, text: str) -> Answer:
    return _write(asking, text, Kind.DECISION)


@command(
    "finding", Parameter("text", TEXT), help=_("Writes down what was found out."), example="/finding the pool is full"
)
def finding(asking: Asking, text: str) -> Answer:
    return _write(asking, text, Kind.FINDING)


@command(
    "update",
    Parameter("text", TEXT),
    help=_("Posts an update for everybody who follows."),
    example="/update Payments fail for one in ten. We are raising the pool",
)
def update(asking: Asking, text: str) -> None:
    updates.post_update(actor=asking.actor, incident=asking.incident, text=text, now=asking.now)


@command(
    "correct",
    Parameter("text", TEXT),
    help=_("Corrects what the newest update says. Its author may, and managers."),
    example="/correct Payments fail for one in twenty",
)
def correct(asking: Asking, text: str) -> None:
    newest = asking.incident.updates.order_by("-created_at", "-pk").first()
    if newest is None:
        raise Conflict("There is no update yet.", remedy="Post one with /update.")
    updates.correct_update(actor=asking.actor, update=newest, text=text, now=asking.now)


@command(
    "timer",
    Parameter("length", LENGTH_OF_TIME, label="15m or off"),
    help=_("Says how often an update is due, or that none is."),
    example="/timer 30",
)
def timer(asking: Asking, length: timedelta | None) -> None:
    if length is None:
        updates.stop_update_timer(actor=asking.actor, incident=asking.incident, now=asking.now)
    else:
        updates.start_update_timer(actor=asking.actor, incident=asking.incident, interval=length, now=asking.now)


@command("pin", Parameter("entry", ENTRY), help=_("Pins an entry, by its number."), example="/pin #12")
def pin(asking: Asking, entry: TimelineEntry) -> Answer:
    return Answer(entry=entries.edit_entry(actor=asking.actor, entry=entry, is_pinned=True, now=asking.now))


@command("name", Parameter("name", TEXT), help=_("Names the incident anew."), example="/name Card payments fail")
def name(asking: Asking, name: str) -> None:
    actions.edit_incident(actor=asking.actor, incident=asking.incident, name=name, now=asking.now)


@command("summary", Parameter("text", TEXT), help=_("Writes the summary anew."), example="/summary The pool ran full")
def summary(asking: Asking, text: str) -> None:
    actions.edit_incident(actor=asking.actor, incident=asking.incident, summary=text, now=asking.now)


@command(
    "link",
    Parameter("url", WORD, label="address"),
    Parameter("title", TEXT, is_optional=True),
    help=_("Attaches a pull request, a dashboard, a document, a ticket."),
    example="/link https://github.com/example/payments/pull/812",
)
def link(asking: Asking, url: str, title: str | None) -> None:
    links.add_link(actor=asking.actor, incident=asking.incident, url=url, title=title or "", now=asking.now)


@command(
    "call",
    Parameter("url", WORD, label="address or off"),
    help=_("Says where people talk."),
    example="/call https://meet.example.com/inc-142",
)
def call(asking: Asking, url: str) -> None:
    address = "" if url.lower() == "off" else links.checked_url(url)
    actions.edit_incident(actor=asking.actor, incident=asking.incident, call_url=address, now=asking.now)
