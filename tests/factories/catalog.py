"""Services to test with."""

from itertools import count
from typing import Any

from catalog.models import Functionality, Service

numbers = count(1)


def service(**fields: Any) -> Service:
    """A service without a team."""
    number = next(numbers)
    return Service.objects.create(**{"name": f"Service {number}", "slug": f"service-{number}", **fields})


def functionality(**fields: Any) -> Functionality:
    """Something that users do."""
    number = next(numbers)
    return Functionality.objects.create(**{"name": f"Pay {number}", "slug": f"pay-{number}", **fields})
