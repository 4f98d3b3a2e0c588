"""Targets that on-call cannot resolve by itself: an app above registers how, for it knows what is owned by whom."""

from collections.abc import Callable, Mapping
from typing import Any

from accounts.models import Team

# From the facts of what happened to the team that owns the service behind it, or None if there is no such thing.
OwnerOf = Callable[[Mapping[str, Any]], Team | None]
_owners: list[OwnerOf] = []


def resolves_service_owner(resolver: OwnerOf) -> OwnerOf:
    """Registers how the team that owns a service is found."""
    _owners.append(resolver)
    return resolver


def service_owner(facts: Mapping[str, Any]) -> Team | None:
    """The team that owns the service which the facts name."""
    return next((team for resolver in _owners if (team := resolver(facts)) is not None), None)
