"""Commands about the work: things to do now, affected services, and which commands there are."""

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Service
from incidents import actions, todo
from incidents.commands.arguments import ACTION, IMPACT, PERSON, SERVICE, TEXT
from incidents.commands.registry import Answer, Asking, Parameter, all_commands, command
from incidents.models import IncidentAction, IncidentService


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
