"""Text that people wrote, in templates."""

from django import template
from django.utils.safestring import SafeString

from events import durations
from events.markdown import render

register = template.Library()


@register.filter
def markdown(text: str) -> SafeString:
    """`{{ update.text|markdown }}`: Markdown as safe HTML."""
    return render(text)


@register.filter
def exact_length(seconds: int) -> str:
    """`{{ heartbeat.interval_seconds|exact_length }}`: a length of time that somebody chose, in words."""
    return durations.exact_length(seconds)
