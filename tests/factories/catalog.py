"""Services to test with."""

from typing import Any

from factory import LazyAttribute, Sequence
from factory.django import DjangoModelFactory

from catalog.models import Service


class ServiceFactory(DjangoModelFactory):  # type: ignore[misc]  # factory_boy ships no types
    """A service without a team."""

    class Meta:
        model = Service

    name = Sequence(lambda number: f"Service {number}")
    slug = LazyAttribute(lambda service: service.name.lower().replace(" ", "-"))


def service(**fields: Any) -> Service:
    made: Service = ServiceFactory(**fields)
    return made
