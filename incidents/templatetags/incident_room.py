"""What the room of an incident's page asks for: `{% load incident_room %}`."""

from typing import Any

from django import template
from django.conf import settings
from django.utils.safestring import SafeString

from incidents.entries import SPOKEN_CHOICES
from incidents.forms.room import LinkForm
from incidents.mentions import with_marks
from incidents.models import Incident, IncidentLink
from incidents.reactions import OFFERED

register = template.Library()


@register.simple_tag
def spoken_kinds() -> list[tuple[str, Any]]:
    """As what something can be written: value and name."""
    return SPOKEN_CHOICES


@register.simple_tag
def offered_emoji() -> tuple[str, ...]:
    return OFFERED


@register.simple_tag
def most_file_bytes() -> int:
    return int(settings.MAX_FILE_BYTES)


@register.simple_tag
def links_of(incident: Incident) -> list[IncidentLink]:
    """The links of an incident, the oldest first. One query."""
    return list(incident.links.all())


@register.simple_tag
def link_form() -> LinkForm:
    """The form that adds a link."""
    return LinkForm(auto_id="link-%s")


@register.filter
def marking_mentions(html: SafeString) -> SafeString:
    """`{{ entry.text|markdown|marking_mentions }}`: who is mentioned stands out."""
    return with_marks(html)


LINK_ICONS = {
    "pull_request": "git-pull-request",
    "deploy": "rocket",
    "dashboard": "chart-line",
    "document": "file-text",
    "ticket": "tag",
}


@register.filter
def link_icon(link: IncidentLink) -> str:
    """The icon of a link's kind."""
    return LINK_ICONS.get(link.kind, "link")
