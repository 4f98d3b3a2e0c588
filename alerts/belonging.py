"""What of alerts belongs to an incident, and moves along when that is merged into another."""

from collections.abc import Sequence

from alerts.models import Alert, AlertGroup
from incidents.belongings import move_rows, moves_along, take_rows_back
from incidents.models import Incident


def _take_alerts_back(source: Incident, target: Incident, ids: Sequence[int]) -> None:
    take_rows_back(Alert.objects.all(), source, target, ids)


@moves_along("alerts", back=_take_alerts_back)
def move_alerts(source: Incident, target: Incident) -> list[int]:
    """Its alerts."""
    return move_rows(Alert.objects.all(), source, target)


def _take_groups_back(source: Incident, target: Incident, ids: Sequence[int]) -> None:
    take_rows_back(AlertGroup.objects.all(), source, target, ids)


@moves_along("alert_groups", back=_take_groups_back)
def move_groups(source: Incident, target: Incident) -> list[int]:
    """Its open groups: what joins them later belongs to the target."""
    return move_rows(AlertGroup.objects.filter(is_open=True), source, target)
