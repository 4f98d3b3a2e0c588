"""The action items of an incident move along when that is merged into another; its postmortem stays."""

from collections.abc import Sequence

from incidents.belongings import move_rows, moves_along, take_rows_back
from incidents.models import Incident
from postmortems.models import ActionItem


def _take_back(source: Incident, target: Incident, ids: Sequence[int]) -> None:
    take_rows_back(ActionItem.objects.all(), source, target, ids)


@moves_along("action_items", back=_take_back)
def move_action_items(source: Incident, target: Incident) -> list[int]:
    """What is left to do after it."""
    return move_rows(ActionItem.objects.open(), source, target)
