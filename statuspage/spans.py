"""Keeps the record of what status a component had, from when until when."""

from datetime import datetime

from statuspage.models import Component, ComponentSpan


def record_status(component: Component, status: str, now: datetime) -> None:
    """Ends the component's open span and opens one with `status`, in the caller's transaction (page locked).

    A change at the very instant at which the open span began, or before it, rewrites that span: none is ever empty.
    """
    span = ComponentSpan.objects.filter(component=component, ends_at=None).first()
    if span is not None and span.status == status:
        return
    if span is not None and span.starts_at >= now:
        span.status = status
        span.save(update_fields=["status"])
        return
    if span is not None:
        span.ends_at = now
        span.save(update_fields=["ends_at"])
    ComponentSpan.objects.create(component=component, status=status, starts_at=now)
