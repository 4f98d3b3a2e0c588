"""Every write on services and functionalities."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from accounts.actions import RESERVED_SLUGS
from accounts.actor import Actor
from accounts.models import Team
from catalog.mitigations import MitigationDraft, save_mitigations
from catalog.models import Functionality, Service, ServiceDependency, ServiceLink
from catalog.permissions import can_change_service, can_configure
from events.actions import publish
from events.errors import Conflict, Invalid, require
from oncall.models import EscalationPolicy


@dataclass(frozen=True)
class LinkDraft:
    """A link as somebody wrote it."""

    kind: str
    label: str
    url: str


@transaction.atomic
def save_service(
    *,
    actor: Actor,
    name: str,
    slug: str,
    service: Service | None = None,
    description: str = "",
    tier: int = Service.Tier.MEDIUM,
    lifecycle: str = Service.Lifecycle.PRODUCTION,
    team: Team | None = None,
    escalation_policy: EscalationPolicy | None = None,
    urgency: str = Service.Urgency.HIGH,
    needs: Iterable[Service] | None = None,
    functionalities: Iterable[Functionality] | None = None,
    links: Sequence[LinkDraft] | None = None,
    mitigations: Sequence[MitigationDraft] | None = None,
) -> Service:
    """Makes a service or changes one.

    `needs`, `functionalities`, `links` and `mitigations` replace what was there unless None.
    """
    allowed = can_configure(actor) if service is None else can_change_service(actor, service)
    require(allowed, "Only managers and the team that owns a service may change it.")
    if not name.strip():
        raise Invalid("A service needs a name.", field="name")
    if slug in RESERVED_SLUGS:
        raise Invalid(f"The address “{slug}” is taken by Sitrep itself.", field="slug", remedy="Choose another one.")
    same = Service.objects.filter(Q(name__iexact=name.strip()) | Q(slug=slug))
    if (same.exclude(pk=service.pk) if service else same).exists():
        raise Conflict(f"{name} is taken.", field="name", remedy="Choose another name.")
    created = service is None
    service = service or Service()
    service.name, service.slug, service.description = name.strip(), slug, description
    service.tier, service.lifecycle = tier, lifecycle
    service.team, service.escalation_policy, service.urgency = team, escalation_policy, urgency
    service.save()
    if needs is not None:
        _set_needs(service, {other.pk for other in needs})
    if functionalities is not None:
        service.functionalities.set(functionalities)
    if links is not None:
        service.links.all().delete()
        ServiceLink.objects.bulk_create(
            ServiceLink(service=service, kind=link.kind, label=link.label, url=link.url) for link in links
        )
    if mitigations is not None:
        save_mitigations(actor=actor, service=service, mitigations=mitigations)
    publish(
        "service.created" if created else "service.changed", subject=service, actor=actor, data={"name": service.name}
    )
    return service


def _set_needs(service: Service, wanted: set[int]) -> None:
    if service.pk in wanted:
        raise Invalid("A service can't need itself.", field="needs", remedy="Take it out of its own dependencies.")
    service.dependencies.exclude(needs_id__in=wanted).delete()
    ServiceDependency.objects.bulk_create(
        (ServiceDependency(service=service, needs_id=pk) for pk in sorted(wanted)), ignore_conflicts=True
    )


@transaction.atomic
def remove_service(*, actor: Actor, service: Service) -> None:
    """Takes a service out of the catalog, unless incidents speak of it."""
    require(can_configure(actor), "Only managers may remove services.")
    if service.incident_services.exists():
        raise Conflict(
            f"Incidents have affected {service.name}.", remedy="Set its lifecycle to deprecated instead of removing it."
        )
    publish("service.removed", subject=service, actor=actor, data={"name": service.name})
    service.delete()


@transaction.atomic
def save_functionality(
    *, actor: Actor, name: str, slug: str, functionality: Functionality | None = None, description: str = ""
) -> Functionality:
    """Makes a functionality or changes one."""
    require(can_configure(actor), "Only managers may change functionalities.")
    if not name.strip():
        raise Invalid("A functionality needs a name.", field="name")
    if slug in RESERVED_SLUGS:
        raise Invalid(f"The address “{slug}” is taken by Sitrep itself.", field="slug", remedy="Choose another one.")
    same = Functionality.objects.filter(Q(name__iexact=name.strip()) | Q(slug=slug))
    if (same.exclude(pk=functionality.pk) if functionality else same).exists():
        raise Conflict(f"{name} is taken.", field="name", remedy="Choose another name.")
    created = functionality is None
    functionality = functionality or Functionality()
    functionality.name, functionality.slug, functionality.description = name.strip(), slug, description
    functionality.save()
    event = "functionality.created" if created else "functionality.changed"
    publish(event, subject=functionality, actor=actor, data={"name": functionality.name})
    return functionality
