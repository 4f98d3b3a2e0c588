"""What a page says of itself as a whole."""

import pytest

from statuspage.indicator import Indicator, impact_of, page_indicator

OK, SLOW, PART, DOWN, WORK = (
    "operational",
    "degraded_performance",
    "partial_outage",
    "major_outage",
    "under_maintenance",
)


@pytest.mark.parametrize(
    ("statuses", "impact"),
    [
        ([], "none"),
        ([OK, WORK], "none"),
        ([OK, SLOW], "minor"),
        ([SLOW, PART], "major"),
        ([PART, DOWN, OK], "critical"),
    ],
)
def test_the_impact_is_that_of_the_worst_component(statuses: list[str], impact: str) -> None:
    assert impact_of(statuses) == impact


@pytest.mark.parametrize(
    ("statuses", "impacts", "indicator", "description"),
    [
        ([OK, OK], [], "none", "All Systems Operational"),
        ([], [], "none", "All Systems Operational"),
        ([OK, SLOW], [], "minor", "Partially Degraded Service"),
        ([OK, SLOW], ["minor"], "minor", "Partially Degraded Service"),
        ([OK, PART], [], "major", "Partial System Outage"),
        ([DOWN, PART], ["minor"], "critical", "Major Service Outage"),
        ([OK], ["minor"], "minor", "Minor Service Outage"),
        ([OK], ["minor", "critical"], "critical", "Major Service Outage"),
        ([OK], ["none"], "none", "All Systems Operational"),
        ([WORK, OK], [], "none", "All Systems Operational"),
        ([WORK, WORK], [], "maintenance", "Service Under Maintenance"),
    ],
)
def test_the_indicator_and_its_description(
    statuses: list[str], impacts: list[str], indicator: str, description: str
) -> None:
    assert page_indicator(statuses, impacts) == Indicator(indicator, description)
