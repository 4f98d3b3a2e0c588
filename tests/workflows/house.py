"""A small company as the presets expect it: people on call, teams that are told, a service, a status page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.actor import Actor
from accounts.models import Membership, Team, User
from catalog.models import Service
from incidents.actions import declare_incident
from incidents.models import Incident
from oncall.models import Page
from statuspage.models import StatusPage
from tests.factories import accounts, catalog, incidents, oncall, statuspage
from workflows.models import WorkflowRun
from workflows.presets import load_presets


@dataclass
class House:
    """The company and what can be asked of it."""

    ana: Actor
    on_call: User
    second: User
    service: Service
    page: StatusPage

    def declare(self, severity: str, now: datetime, **fields: Any) -> Incident:
        """Ana declares that the service is down."""
        return declare_incident(
            actor=self.ana,
            name="Payment API returning 500 errors",
            severity=incidents.severity(severity),
            services=[self.service],
            now=now,
            **fields,
        )

    def paged(self) -> list[str]:
        """Who has been paged, in order."""
        return [page.user.name for page in Page.objects.select_related("user").order_by("pk")]


def house() -> House:
    """Builds it."""
    incidents.configuration()
    load_presets()
    on_call, second = accounts.user(name="Olga"), accounts.user(name="Sam")
    people = {"leadership": "Vera", "management": "Max", "engineering-managers": "Emma"}
    for user in (on_call, second):
        oncall.contact_method(user)
    for slug, name in people.items():
        told = accounts.user(name=name, email=f"{name.lower()}@example.com")
        oncall.contact_method(told)
        Membership.objects.create(team=Team.objects.get(slug=slug), user=told)
    policy = oncall.policy(oncall.level(on_call, minutes=60), oncall.level(second, minutes=60))
    service = catalog.service(name="Payments", slug="payments", escalation_policy=policy)
    page = statuspage.page()
    statuspage.component(page, "Checkout", services=[service])
    return House(accounts.actor(name="Ana Ferreira"), on_call, second, service, page)


def came_of(slug: str, incident: Incident | None = None) -> dict[str, str]:
    """What came of each step of the newest run of a preset: its state, and why."""
    run = WorkflowRun.objects.filter(workflow__slug=slug, incident=incident).latest("pk")
    return {row.path: f"{row.state}: {row.detail}" for row in run.steps.order_by("pk")}
