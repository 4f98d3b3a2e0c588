"""What the page of a service shows of higher apps: its incidents and alerts, as far as the viewer may see them."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils import timezone

from accounts.actor import actor_of
from alerts.models import Alert, MaintenanceWindow
from catalog.models import Service
from incidents.models import Incident

register = template.Library()
SHOWN = 8


@register.simple_tag(takes_context=True)
def incidents_of(context: Mapping[str, Any], service: Service) -> list[Incident]:
    """`{% incidents_of service as incidents %}`: the latest."""
    visible = Incident.objects.visible_to(actor_of(context["request"])).for_lists()
    return list(visible.filter(services=service).order_by("-number")[:SHOWN])


@register.simple_tag(takes_context=True)
def alerts_of(context: Mapping[str, Any], service: Service) -> list[Alert]:
    """`{% alerts_of service as alerts %}`: the latest."""
    visible = Alert.objects.visible_to(actor_of(context["request"])).select_related("source")
    return list(visible.filter(service=service).order_by("-pk")[:SHOWN])


@register.simple_tag
def windows_of(service: Service) -> list[MaintenanceWindow]:
    """`{% windows_of service as windows %}`: maintenance windows of it that run or come, the next one first."""
    windows = service.maintenance_windows.filter(until_at__gt=timezone.now()).order_by("from_at", "id")
    return list(windows[:SHOWN])
