"""Who owns the service that an escalation is about: what the target "the team that owns the service" asks for."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from accounts.models import Team
from catalog.models import Service
from oncall.targets import resolves_service_owner


@resolves_service_owner
def owner_of_service(facts: Mapping[str, Any]) -> Team | None:
    """The team of the service that the facts name, by its slug or name."""
    named = str(facts.get("service") or "")
    if not named:
        return None
    service = Service.objects.filter(Q(slug__iexact=named) | Q(name__iexact=named)).select_related("team").first()
    return service.team if service else None
