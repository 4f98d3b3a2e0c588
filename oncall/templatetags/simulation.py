"""Lengths of time to the second: `{% load simulation %}`."""

from django import template

register = template.Library()


@register.filter
def clock(seconds: int) -> str:
    """Seconds as on a clock: "0:00", "5:30", "1:05:00", "3 d 1:05:00"."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours}:{minutes:02}:{rest:02}"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
