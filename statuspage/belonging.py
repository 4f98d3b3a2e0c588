"""What the public is told of an incident moves along when that is merged into another."""

from collections.abc import Sequence

from incidents.belongings import move_rows, moves_along, take_rows_back
from incidents.models import Incident
from statuspage.models import PublicIncident


def _take_back(source: Incident, target: Incident, ids: Sequence[int]) -> None:
    take_rows_back(PublicIncident.objects.all(), source, target, ids)


@moves_along("public_incidents", back=_take_back)
def move_public_incidents(source: Incident, target: Incident) -> list[int]:
    """The public incidents that tell of it."""
    return move_rows(PublicIncident.objects.all(), source, target)
