"""Text that people wrote, in templates."""

from django import template
from django.utils.safestring import SafeString

from events.markdown import render

register = template.Library()


@register.filter
def markdown(text: str) -> SafeString:
    """`{{ update.text|markdown }}`: Markdown as safe HTML."""
    return render(text)
