"""How loudly a service's trouble knocks: always, by how bad it is, or by the hour."""

from datetime import datetime

from catalog.models import Service
from oncall.hours import is_working_hours
from oncall.models import Urgency
from oncall.roster import schedule_specs


def urgency_of(service: Service | None, *, is_severe: bool, now: datetime) -> str:
    """The urgency of something that happens to a service at an instant; without a service it is high."""
    if service is None or service.urgency == Service.Urgency.HIGH:
        return Urgency.HIGH
    if service.urgency == Service.Urgency.SEVERITY:
        return Urgency.HIGH if is_severe else Urgency.LOW
    if service.urgency == Service.Urgency.HOURS:
        return Urgency.HIGH if _is_staffed(service, now) else Urgency.LOW
    return Urgency.LOW


def _is_staffed(service: Service, now: datetime) -> bool:
    """Whether it is working time on the first schedule that the service's policy pages; without one it always is."""
    if service.escalation_policy is None:
        return True
    levels = service.escalation_policy.levels.filter(targets__schedule__isnull=False)
    schedule_id = levels.order_by("position", "targets__id").values_list("targets__schedule_id", flat=True).first()
    spec = schedule_specs(now, now, {schedule_id}).get(schedule_id) if schedule_id else None
    return spec is None or is_working_hours(spec, now)
