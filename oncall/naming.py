"""What a schedule or a policy may be called."""

from django.db.models import Q

from accounts.actions import RESERVED_SLUGS
from events.errors import Conflict, Invalid
from oncall.models import EscalationPolicy, Schedule


def check_name(
    name: str, slug: str, model: type[Schedule] | type[EscalationPolicy], current: Schedule | EscalationPolicy | None
) -> None:
    """Raises Invalid for a name or address that can't be, Conflict for one that another than `current` has."""
    if not name.strip():
        raise Invalid("A name is needed.", field="name")
    if slug in RESERVED_SLUGS:
        raise Invalid(f"The address “{slug}” is taken by Sitrep itself.", field="slug", remedy="Choose another one.")
    same = model._default_manager.filter(Q(name__iexact=name.strip()) | Q(slug=slug))
    if (same.exclude(pk=current.pk) if current else same).exists():
        raise Conflict(f"{name} is taken.", field="name", remedy="Choose another name.")
