"""Hours on call in templates: `{% load duty %}`."""

from datetime import timedelta

from django import template

register = template.Library()


@register.filter
def hours(length: timedelta) -> str:
    """A length of time in hours: "37.5 h", however many days that is."""
    return f"{round(length / timedelta(hours=1), 1):g} h"
