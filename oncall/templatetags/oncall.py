"""What templates ask of schedules: `{% load oncall %}`."""

from django import template

from oncall.channels import wording
from oncall.models import Weekday

register = template.Library()


@register.filter
def facts_in_order(facts: dict[str, str]) -> list[tuple[str, str]]:
    """What is known of an escalation as (name, value), in the order in which it is read."""
    return wording.facts_in_order(facts)


@register.filter
def weekday_name(number: int) -> str:
    """The name of a weekday; 0 is Monday."""
    return str(Weekday(number).label)
