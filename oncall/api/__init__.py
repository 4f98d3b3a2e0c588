"""On-call in the REST API, a module a subject."""

from accounts.rest import ActionViewSet
from oncall.api.configuration import ContactMethodViewSet, EscalationPolicyViewSet, OverrideViewSet, ScheduleViewSet
from oncall.api.escalations import EscalationViewSet, PageViewSet

routes: list[tuple[str, type[ActionViewSet], str]] = [
    ("schedules", ScheduleViewSet, "schedule"),
    ("overrides", OverrideViewSet, "override"),
    ("escalation-policies", EscalationPolicyViewSet, "escalation-policy"),
    ("escalations", EscalationViewSet, "escalation"),
    ("pages", PageViewSet, "page"),
    ("contact-methods", ContactMethodViewSet, "contact-method"),
]
