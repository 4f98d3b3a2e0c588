"""How bad a page is as a whole. Pure: words in, words out.

The indicator and its description follow Atlassian Statuspage's public API v2, `status`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

OPERATIONAL = "operational"
UNDER_MAINTENANCE = "under_maintenance"
WORSE_LATER = (OPERATIONAL, UNDER_MAINTENANCE, "degraded_performance", "partial_outage", "major_outage")
IMPACTS = ("none", "minor", "major", "critical")
IMPACT_OF_STATUS = {"degraded_performance": "minor", "partial_outage": "major", "major_outage": "critical"}
BY_COMPONENTS = {
    "minor": "Partially Degraded Service",
    "major": "Partial System Outage",
    "critical": "Major Service Outage",
}
BY_INCIDENTS = {**BY_COMPONENTS, "minor": "Minor Service Outage"}


@dataclass(frozen=True)
class Indicator:
    """`indicator` is none, minor, major, critical or maintenance; `description` says it in Statuspage's words."""

    indicator: str
    description: str


def worst_status(statuses: Iterable[str]) -> str:
    """The worst of these component statuses; maintenance is worse than operational only. Operational for none."""
    return max(statuses, key=WORSE_LATER.index, default=OPERATIONAL)


def impact_of(statuses: Iterable[str]) -> str:
    """The impact of an incident on components in these statuses."""
    return IMPACT_OF_STATUS.get(worst_status(statuses), "none")


def page_indicator(statuses: Sequence[str], impacts: Iterable[str]) -> Indicator:
    """What the page says of its components (their statuses) and unresolved incidents (their impacts).

    The worse of the two speaks, the components where they are equal.
    """
    by_components = impact_of(statuses)
    by_incidents = max(impacts, key=IMPACTS.index, default="none")
    if IMPACTS.index(by_components) >= IMPACTS.index(by_incidents):
        worst, words = by_components, BY_COMPONENTS
    else:
        worst, words = by_incidents, BY_INCIDENTS
    if worst != "none":
        return Indicator(worst, words[worst])
    if statuses and all(status == UNDER_MAINTENANCE for status in statuses):
        return Indicator("maintenance", "Service Under Maintenance")
    return Indicator("none", "All Systems Operational")
