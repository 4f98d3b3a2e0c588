"""Commands about people: who plays what, who is paged, who may see it, who hears of it."""

from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from catalog.models import Service
from events.errors import Conflict
from incidents import followers, membership, paging, roles
from incidents.commands.arguments import PAGED, PERSON, PERSON_OR_NOBODY, ROLE, TEXT, WORD
from incidents.commands.registry import Answer, Asking, Parameter, command
from incidents.models import Incident, IncidentRole
from oncall.models import EscalationPolicy


@command(
    "assign",
    Parameter("role", ROLE),
    Parameter("person", PERSON_OR_NOBODY),
    help=_("Gives a role to a person, to me or to nobody."),
    example="/assign comms @bob",
)
def assign(asking: Asking, role: IncidentRole, person: User | None) -> Answer:
    roles.assign_role(actor=asking.actor, incident=asking.incident, role=role, user=person, now=asking.now)
    return Answer(" ".join(roles.role_warnings(role, person)))


@command("take", Parameter("role", ROLE), help=_("You take a role."), example="/take lead")
def take(asking: Asking, role: IncidentRole) -> Answer:
    roles.take_role(actor=asking.actor, incident=asking.incident, role=role, now=asking.now)
    return Answer(" ".join(roles.role_warnings(role, User.objects.filter(pk=asking.actor.person_id).first())))


@command(
    "page",
    Parameter("target", PAGED, label="service, policy, team or @person"),
    Parameter("message", TEXT, is_optional=True),
    help=_("Pages whoever is on call for a service, along a policy, or one person."),
    example="/page payments the queue is filling up",
)
def page(asking: Asking, target: Service | EscalationPolicy | Team | User, message: str | None) -> Answer:
    actor, incident, now, words = asking.actor, asking.incident, asking.now, message or ""
    if isinstance(target, Service):
        paging.page_service(actor=actor, incident=incident, service=target, message=words, now=now)
    elif isinstance(target, User):
        paging.page_for_incident(actor=actor, incident=incident, user=target, message=words, now=now)
    else:
        policy = policy_of(target) if isinstance(target, Team) else target
        paging.page_for_incident(actor=actor, incident=incident, policy=policy, message=words, now=now)
    return Answer()


def policy_of(team: Team) -> EscalationPolicy:
    """The policy by which a team is paged: its only one; raises Conflict if it has none or several."""
    policies = list(team.escalation_policies.all()[:2])
    if not policies:
        raise Conflict(f"{team} has no escalation policy.", remedy="Page one of its services or its people.")
    if len(policies) > 1:
        names = ", ".join(team.escalation_policies.values_list("slug", flat=True))
        raise Conflict(f"{team} has several escalation policies.", remedy=f"Page one of {names}.")
    return policies[0]


@command(
    "private", Parameter("what", WORD, is_optional=True, label="off"), help=_("Only its members see it; off opens it.")
)
def private(asking: Asking, what: str | None) -> None:
    visibility = Incident.Visibility.PUBLIC if (what or "").lower() == "off" else Incident.Visibility.PRIVATE
    membership.set_visibility(actor=asking.actor, incident=asking.incident, visibility=visibility, now=asking.now)


@command(
    "invite",
    Parameter("person", PERSON),
    Parameter("what", WORD, is_optional=True, label="off"),
    help=_("Lets a person see a private incident; off takes that away."),
    example="/invite @dan",
)
def invite(asking: Asking, person: User, what: str | None) -> Answer:
    if not asking.incident.is_private:
        return Answer("Everybody here may see this incident.")
    change = membership.remove_member if (what or "").lower() == "off" else membership.add_member
    change(actor=asking.actor, incident=asking.incident, user=person, now=asking.now)
    return Answer()


@command(
    "follow",
    Parameter("what", WORD, is_optional=True, label="off"),
    help=_("Tells you of each update; off stops that."),
    is_for_readers=True,
)
def follow(asking: Asking, what: str | None) -> Answer:
    me = User.objects.get(pk=asking.actor.person_id)
    if (what or "").lower() == "off":
        followers.unfollow(actor=asking.actor, incident=asking.incident, user=me, now=asking.now)
        return Answer("You no longer follow this incident.")
    followers.follow(actor=asking.actor, incident=asking.incident, user=me, now=asking.now)
    return Answer("You follow this incident.")
