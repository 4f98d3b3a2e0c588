"""The demo organisation: what a newcomer finds after the first start, made through the actions."""

from datetime import datetime, time, timedelta

from django.conf import settings
from django.db import transaction

from accounts.actions import invite_user, save_team
from accounts.actor import Actor
from accounts.models import Role, Team, User
from alerts.actions import save_source
from alerts.addresses import curl_line as curl_line_of
from alerts.models import AlertRoute, AlertSource
from alerts.routes import save_route
from catalog.actions import LinkDraft, save_functionality, save_service
from catalog.models import Functionality, Service, ServiceLink
from incidents.models import Severity
from oncall.contact_methods import add_contact_method
from oncall.models import ContactMethod, EscalationPolicy, Schedule, Weekday
from oncall.policies import LevelDraft, on_call, person, save_policy
from oncall.rotations import RotationDraft
from oncall.scheduling import save_schedule
from statuspage.actions import save_component, save_page
from statuspage.models import StatusPage

ACTOR = Actor.system("Demo", via="command")
SOURCE_SLUG = "demo"
PAGE_SLUG = "example"
PEOPLE = {
    "ana@example.com": ("Ana Ferreira", Role.MANAGER, "Europe/Lisbon"),
    "bob@example.com": ("Bob Okafor", Role.RESPONDER, "Europe/London"),
    "chai@example.com": ("Chai Srisuk", Role.RESPONDER, "Asia/Bangkok"),
    "dan@example.com": ("Dan Novak", Role.RESPONDER, "Europe/Prague"),
    "vera@example.com": ("Vera Lindqvist", Role.VIEWER, "Europe/Stockholm"),
}
SERVICES = [
    # slug, name, tier, what it does, what it needs, what it serves
    ("postgres", "PostgreSQL", 1, "The primary database cluster.", [], []),
    ("payments", "Payments", 1, "Takes cards, wallets and bank transfers.", ["postgres"], ["payment"]),
    ("checkout", "Checkout", 1, "From basket to order.", ["payments", "postgres"], ["payment"]),
    ("identity", "Identity", 1, "Sign-in and sessions.", ["postgres"], ["login"]),
    ("search", "Search", 2, "Finds products.", [], ["search"]),
    ("invoices", "Invoices", 3, "Writes and mails invoices.", ["payments"], []),
]
COMPONENTS = [
    ("Payments", ["payments", "checkout"]),
    ("Sign-in", ["identity"]),
    ("Search", ["search"]),
    ("API", ["postgres"]),
]


@transaction.atomic
def load_demo(now: datetime) -> bool:
    """Adds the demo organisation around the people who are already here; False if it was added before."""
    if AlertSource.objects.filter(slug=SOURCE_SLUG).exists():
        return False
    people = _people(now)
    payments, platform = _teams(people)
    policy = _on_call(people, payments, platform, now)
    services = _services(payments, platform, policy)
    _alerting(policy, platform, now)
    _status_page(services, now)
    return True


def _people(now: datetime) -> dict[str, User]:
    """The owner first: whoever tries Sitrep is the one who is paged."""
    people: dict[str, User] = {}
    owner = User.objects.filter(role=Role.OWNER, is_active=True).order_by("id").first()
    if owner is not None:
        people[owner.email] = owner
    for email, (name, role, time_zone) in PEOPLE.items():
        user = User.objects.filter(email__iexact=email).first()
        people[email] = user or invite_user(actor=ACTOR, email=email, name=name, role=role, time_zone=time_zone)
    for user in people.values():
        add_contact_method(actor=ACTOR, user=user, kind=ContactMethod.Kind.EMAIL, address=user.email, now=now)
        add_contact_method(actor=ACTOR, user=user, kind=ContactMethod.Kind.WEB, now=now)
    return people


def _teams(people: dict[str, User]) -> tuple[Team, Team]:
    owner = next(iter(people.values()))
    by_name = {email.partition("@")[0]: user for email, user in people.items()}
    payments = save_team(
        actor=ACTOR,
        name="Payments",
        slug="payments",
        description="Owns everything that moves money.",
        members=[owner, by_name["ana"], by_name["bob"]],
    )
    platform = save_team(
        actor=ACTOR,
        name="Platform",
        slug="platform",
        description="Owns what everything else stands on.",
        members=[by_name["chai"], by_name["dan"]],
    )
    return payments, platform


def _on_call(people: dict[str, User], payments: Team, platform: Team, now: datetime) -> EscalationPolicy:
    responders = [user for user in people.values() if user.has_role(Role.RESPONDER)]
    first_week = (now - timedelta(days=now.weekday())).date()

    def schedule(name: str, team: Team, members: list[User]) -> Schedule:
        draft = RotationDraft(
            name="Weekly",
            members=members,
            handovers=[(Weekday.MONDAY, time(9))],
            starts_on=first_week - timedelta(days=7) if now.weekday() == 0 else first_week,
        )
        slug = name.lower().replace(" ", "-")
        return save_schedule(
            actor=ACTOR, name=name, slug=slug, time_zone="Europe/Berlin", rotations=[draft], team=team, now=now
        )

    primary = schedule("Primary on call", payments, responders)
    secondary = schedule("Secondary on call", platform, responders[2:] + responders[:2])
    return save_policy(
        actor=ACTOR,
        name="Production critical",
        slug="production-critical",
        description="For everything that users notice.",
        team=payments,
        now=now,
        levels=[
            LevelDraft(5, [on_call(primary)]),
            LevelDraft(5, [on_call(secondary)]),
            LevelDraft(10, [person(people["ana@example.com"])]),
        ],
    )


def _services(payments: Team, platform: Team, policy: EscalationPolicy) -> dict[str, Service]:
    functionalities: dict[str, Functionality] = {
        slug: save_functionality(actor=ACTOR, name=name, slug=slug, description=description)
        for slug, name, description in (
            ("payment", "Payment", "A customer pays for an order."),
            ("login", "Login", "A customer signs in."),
            ("search", "Search", "A customer finds a product."),
        )
    }
    services: dict[str, Service] = {}
    for slug, name, tier, description, needs, serves in SERVICES:
        services[slug] = save_service(
            actor=ACTOR,
            name=name,
            slug=slug,
            description=description,
            tier=tier,
            team=payments if slug in {"payments", "checkout", "invoices"} else platform,
            escalation_policy=policy,
            needs=[services[other] for other in needs],
            functionalities=[functionalities[other] for other in serves],
            links=[
                LinkDraft(ServiceLink.Kind.RUNBOOK, f"{name} runbook", f"https://wiki.example.com/runbooks/{slug}"),
                LinkDraft(ServiceLink.Kind.DASHBOARD, f"{name} dashboard", f"https://grafana.example.com/d/{slug}"),
            ],
        )
    return services


def _alerting(policy: EscalationPolicy, team: Team, now: datetime) -> None:
    save_source(
        actor=ACTOR,
        name="Demo source",
        slug=SOURCE_SLUG,
        dialect="generic",
        team=team,
        description="Any script can post JSON here.",
        now=now,
    )
    save_source(actor=ACTOR, name="Alertmanager", slug="alertmanager", dialect="alertmanager", team=team, now=now)

    def priority_is(number: int) -> dict[str, object]:
        # (whatever a sender calls its severity: critical, P1, disaster)
        return {"fact": "priority", "operator": "is", "value": number}

    save_route(
        actor=ACTOR,
        name="Critical: page and declare",
        conditions=priority_is(1),
        paging=AlertRoute.Paging.SERVICE,
        now=now,
        escalation_policy=policy,
        declares_incident=True,
        severity=Severity.objects.order_by("-rank").first(),
    )
    save_route(
        actor=ACTOR,
        name="Errors: page",
        conditions=priority_is(2),
        paging=AlertRoute.Paging.SERVICE,
        now=now,
        escalation_policy=policy,
    )
    save_route(
        actor=ACTOR, name="Everything else: record only", conditions={}, paging=AlertRoute.Paging.NOBODY, now=now
    )


def _status_page(services: dict[str, Service], now: datetime) -> StatusPage:
    page = save_page(actor=ACTOR, name="Example", slug=PAGE_SLUG, time_zone="Europe/Berlin", now=now)
    for position, (name, slugs) in enumerate(COMPONENTS, 1):
        save_component(
            actor=ACTOR, page=page, name=name, position=position, services=[services[slug] for slug in slugs], now=now
        )
    return page


def curl_line() -> str:
    """A command that fires an alert at the demo source, to paste as it is; empty without the demo."""
    source = AlertSource.objects.filter(slug=SOURCE_SLUG).first()
    return curl_line_of(source) if source else ""


def status_page_address() -> str:
    """Where the demo's public page is."""
    return f"{settings.PUBLIC_URL}/status/{PAGE_SLUG}/"
