"""What templates ask of schedules: `{% load oncall %}`."""

from django import template

from oncall.models import Weekday

register = template.Library()


@register.filter
def weekday_name(number: int) -> str:
    """The name of a weekday; 0 is Monday."""
    return str(Weekday(number).label)
