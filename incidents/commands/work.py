"""Commands about the work: things to do now, affected services, and which commands there are."""

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Service
from incidents import actions, fields, todo
from incidents.commands.arguments import ACTION, FIELD, IMPACT, PERSON, SERVICE, TEXT
from incidents.commands.registry import Answer, Asking, Parameter, all_commands, command
from incidents.mentions import people_called
from incidents.models import CustomField, IncidentAction, IncidentService


@command(
    "action",
    Parameter("person", PERSON, is_optional=True),
    Parameter("title", TEXT),
    help=_("Adds something to do now, for somebody or for whoever takes it."),
    example="/action @dan roll back 2026.11.3",
)
def action(asking: Asking, title: str, person: User | None) -> None:
    todo.add_action(actor=asking.actor, incident=asking.incident, title=title, assignee=person, now=asking.now)


@command(
    "done",
    Parameter("action", ACTION, label="number or words"),
    help=_("Says that something to do is done."),
    example="/done 1",
)
def done(asking: Asking, action: IncidentAction) -> None:
    todo.complete_action(actor=asking.actor, action=action, now=asking.now)


@command(
    "service",
    Parameter("service", SERVICE),
    Parameter("impact", IMPACT, is_optional=True),
    help=_("Says how much a service is affected; none takes it off."),
    example="/service payments major_outage",
)
def service(asking: Asking, service: Service, impact: str | None) -> None:
    meant = IncidentService.Impact.PARTIAL_OUTAGE if impact is None else impact or None
    actions.set_affected_service(
        actor=asking.actor, incident=asking.incident, service=service, impact=meant, now=asking.now
    )


@command("help", help=_("Lists all commands."), is_for_readers=True)
def help_(asking: Asking) -> Answer:
    return Answer("\n".join(f"`{each.usage}` {each.help}" for each in all_commands()))


@command(
    "field",
    Parameter("field", FIELD),
    Parameter("value", TEXT, label="value or none"),
    help=_("Sets a custom field; none clears it."),
    example="/field region eu",
)
def field(asking: Asking, field: CustomField, value: str) -> None:
    values = {field.slug: _value(field, value)}
    fields.set_fields(actor=asking.actor, incident=asking.incident, values=values, now=asking.now)


def _value(field: CustomField, typed: str) -> str | User | None:
    """What is meant by the words; a person may be named as in a message."""
    if typed.lower() == "none" and "none" not in field.options:
        return None
    if field.kind == CustomField.Kind.PERSON and typed.startswith("@"):
        name = typed[1:].strip('"')
        found = people_called([name])[name.lower()]
        return found[0] if len(found) == 1 else name
    return typed
