"""What templates ask of people and keys: `{% load accounts %}`."""

from datetime import datetime

from django import template

from accounts.models import ApiKey

register = template.Library()


@register.simple_tag
def key_state(api_key: ApiKey, now: datetime) -> str:
    """Whether a key works: active, expired or revoked."""
    return api_key.state_at(now)
